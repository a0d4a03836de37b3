/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's memory: who may touch it, and how much there is. */
#include <math.h>
#include <stdlib.h>

#include "simulated_work.h"

START_TEST(host_cannot_read_device_memory)
{
    volatile float *device = device_floats(N);

    expect_crash();
    must(cudaDeviceSynchronize());
    ck_assert(device[0] != 0.0f);
}
END_TEST

START_TEST(host_cannot_read_large_device_memory)
{
    volatile float *device = device_floats((size_t)4 << 20);

    expect_crash();
    must(cudaMemset((void *)device, 0, N));
    must(cudaDeviceSynchronize());
    device[5] = 0.0f;
}
END_TEST

static void check_fresh(size_t n)
{
    float *device = device_floats(n), *host = malloc(n * sizeof *host);

    must(cudaMemcpy(host, device, n * sizeof *host, cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < n; i++)
        if (!isnan(host[i]))
            ck_abort_msg("%g at %d", host[i], (int)i);
    free(host);
    must(cudaFree(device));
}

START_TEST(fresh_memory_holds_nan)
{
    check_fresh(1);
    check_fresh(N);
    check_fresh(300001);
    check_fresh(1);
}
END_TEST

START_TEST(store_after_the_end_is_found)
{
    float *device = device_floats(N), *zeros = device_zeros(N + 1);

    must(affine(NULL, zeros, 0.0f, 1.0f, device, N + 1));
    must(cudaDeviceSynchronize());
}
END_TEST

START_TEST(store_before_the_start_is_found)
{
    float *device = device_floats((size_t)1 << 20), *zeros = device_zeros(N);

    vfi_simulated_set_immediate(true); /* pointers are not checked */
    must(affine(NULL, zeros, 0.0f, 1.0f, device - 1, 1));
    must(cudaFree(device));
}
END_TEST

START_TEST(free_in_order_is_late)
{
    cudaStream_t stream = new_stream();
    void *device;
    float *pinned = pinned_floats(N);

    must(cudaMallocAsync(&device, N * sizeof(float), stream));
    must(cudaMemsetAsync(device, 0, N * sizeof(float), stream));
    must(affine(stream, device, 0.0f, 7.0f, device, N));
    must(cudaMemcpyAsync(pinned, device, N * sizeof(float), cudaMemcpyDeviceToHost,
                         stream));
    must(cudaFreeAsync(device, stream));
    ck_assert_uint_eq(counters().allocations, 1);
    ck_assert_int_eq(cudaFreeAsync(device, stream), cudaErrorInvalidValue);
    must(cudaStreamSynchronize(stream));
    ck_assert(pinned[N - 1] == 7.0f);
    ck_assert_uint_eq(counters().allocations, 0);
    ck_assert_int_eq(cudaMemcpyAsync(pinned, device, 4, cudaMemcpyDeviceToHost, stream),
                     cudaErrorInvalidValue);
}
END_TEST

/* The kernel is on another stream, and nothing orders it before the free. */
START_TEST(use_after_free_is_found)
{
    expect_crash();
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        vfi_simulated_reset();
        vfi_simulated_set_seed(seed);
        cudaStream_t stream = new_stream(), other = new_stream();
        void *device;

        must(cudaMallocAsync(&device, (size_t)4 << 20, stream));
        must(cudaStreamSynchronize(stream));
        must(affine(other, device, 0.0f, 1.0f, device, N));
        must(cudaFreeAsync(device, stream));
        must(cudaDeviceSynchronize());
    }
}
END_TEST

START_TEST(host_pointer_fails_a_launch)
{
    float host[1] = {0.0f}, *device = device_floats(1);

    must(affine(NULL, host, 1.0f, 0.0f, device, 1));
    ck_assert_int_eq(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
    ck_assert_int_eq(cudaMalloc((void **)&device, 4), cudaErrorIllegalAddress);
}
END_TEST

/* ---- how much there is ------------------------------------------------------------- */

START_TEST(free_memory_is_told)
{
    const size_t mib = (size_t)1 << 20;
    size_t left, total;
    void *a, *b;

    vfi_simulated_set_memory(100 * mib, 30 * mib);
    must(cudaMemGetInfo(&left, &total));
    ck_assert(left == 70 * mib && total == 100 * mib);
    must(cudaMalloc(&a, 50 * mib));
    must(cudaMemGetInfo(&left, &total));
    ck_assert(left == 20 * mib);
    ck_assert_int_eq(cudaMalloc(&b, 21 * mib), cudaErrorMemoryAllocation);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorMemoryAllocation);
    ck_assert_int_eq(cudaGetLastError(), cudaSuccess);
    must(cudaMalloc(&b, 20 * mib));
    must(cudaFree(a));
    must(cudaFree(b));
    must(cudaMemGetInfo(&left, &total));
    ck_assert(left == 70 * mib);
    ck_assert_uint_eq(counters().peak_bytes, 70 * mib);
}
END_TEST

static uint64_t pool_value(cudaMemPool_t pool, enum cudaMemPoolAttr attribute)
{
    uint64_t value;

    must(cudaMemPoolGetAttribute(pool, attribute, &value));
    return value;
}

START_TEST(pools_keep_memory)
{
    const size_t mib = (size_t)1 << 20;
    struct cudaMemPoolProps props = {
        .allocType = cudaMemAllocationTypePinned,
        .location = {cudaMemLocationTypeDevice, 0},
    };
    uint64_t threshold = 3 * mib;
    cudaStream_t stream = new_stream();
    cudaMemPool_t pool;
    size_t left, total;
    void *memory;

    vfi_simulated_set_memory(10 * mib, 0);
    must(cudaMemPoolCreate(&pool, &props));
    must(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold));
    must(cudaMallocFromPoolAsync(&memory, 8 * mib, pool, stream));
    must(cudaFreeAsync(memory, stream));
    must(cudaMemGetInfo(&left, &total));
    ck_assert(left == 2 * mib);
    must(cudaStreamSynchronize(stream));
    ck_assert(pool_value(pool, cudaMemPoolAttrUsedMemCurrent) == 0);
    ck_assert(pool_value(pool, cudaMemPoolAttrUsedMemHigh) == 8 * mib);
    ck_assert(pool_value(pool, cudaMemPoolAttrReservedMemCurrent) == 3 * mib);
    must(cudaMemGetInfo(&left, &total));
    ck_assert(left == 7 * mib);
    must(cudaMemPoolTrimTo(pool, 0));
    must(cudaMemGetInfo(&left, &total));
    ck_assert(left == 10 * mib);
    /* An allocation waits for a queued free rather than fail. */
    must(cudaMallocFromPoolAsync(&memory, 8 * mib, pool, stream));
    must(cudaFreeAsync(memory, stream));
    must(cudaMalloc(&memory, 9 * mib));
    must(cudaFree(memory));
    must(cudaMemPoolDestroy(pool));
    must(cudaStreamDestroy(stream));
    ck_assert_uint_eq(counters().pools, 0);
    ck_assert_uint_eq(counters().streams, 0);
    ck_assert_uint_eq(counters().allocations, 0);
}
END_TEST

START_TEST(pools_may_be_missing)
{
    const struct cudaMemPoolProps props = {
        .allocType = cudaMemAllocationTypePinned,
        .location = {.type = cudaMemLocationTypeDevice}};
    cudaStream_t stream = new_stream();
    cudaMemPool_t pool;
    void *memory;
    int value;

    vfi_simulated_set_no_pools(true);
    must(cudaDeviceGetAttribute(&value, cudaDevAttrMemoryPoolsSupported, 0));
    ck_assert_int_eq(value, 0);
    ck_assert_int_eq(cudaMemPoolCreate(&pool, &props), cudaErrorNotSupported);
    ck_assert_int_eq(cudaMallocAsync(&memory, 4, stream), cudaErrorNotSupported);
    must(cudaMalloc(&memory, 4));
    ck_assert_int_eq(cudaFreeAsync(memory, stream), cudaErrorNotSupported);
    must(cudaFree(memory));
}
END_TEST

START_TEST(allocations_fail_on_request)
{
    void *memory;

    vfi_simulated_fail_allocation(2);
    must(cudaMalloc(&memory, 10));
    ck_assert_int_eq(cudaHostAlloc(&memory, 10, 0), cudaErrorMemoryAllocation);
    ck_assert_ptr_null(memory);
    must(cudaHostAlloc(&memory, 10, 0));
    vfi_simulated_fail_allocations_above(1000);
    must(cudaMalloc(&memory, 1000));
    ck_assert_int_eq(cudaMalloc(&memory, 1001), cudaErrorMemoryAllocation);
}
END_TEST

START_TEST(leaks_are_counted)
{
    float *device = device_floats(N), *pinned = pinned_floats(N);
    cudaStream_t stream = new_stream();
    cudaEvent_t event = new_event();
    VfiSimulatedCounters c = counters();

    ck_assert(c.allocations == 1 && c.allocated_bytes == N * 4 &&
              c.pinned_allocations == 1 && c.streams == 1 && c.events == 1);
    must(cudaFree(device));
    must(cudaFreeHost(pinned));
    must(cudaStreamDestroy(stream));
    must(cudaEventDestroy(event));
    c = counters();
    ck_assert(c.allocations == 0 && c.allocated_bytes == 0 && c.pinned_allocations == 0 &&
              c.streams == 0 && c.events == 0 && c.peak_bytes == N * 4);
    ck_assert_int_eq(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
}
END_TEST

/* ---- copies ------------------------------------------------------------------------ */

START_TEST(two_dimensional_copies)
{
    float *device = device_floats(8 * 5), host[6 * 5], back[6 * 5] = {0};

    for (int i = 0; i < 6 * 5; i++)
        host[i] = (float)i;
    must(cudaMemcpy2D(device, 32, host, 24, 20, 5, cudaMemcpyHostToDevice));
    must(cudaMemcpy2DAsync(back, 24, device, 32, 20, 5, cudaMemcpyDeviceToHost, NULL));
    for (int i = 0; i < 6 * 5; i++)
        if (back[i] != (i % 6 < 5 ? host[i] : 0.0f))
            ck_abort_msg("%d", i);
    ck_assert_int_eq(cudaMemcpy2D(device, 32, host, 24, 25, 5, cudaMemcpyHostToDevice),
                     cudaErrorInvalidPitchValue);
    ck_assert_int_eq(cudaMemcpy2D(device, 32, host, 24, 20, 6, cudaMemcpyHostToDevice),
                     cudaErrorInvalidValue);
    ck_assert_int_eq(cudaMemcpy(host, device, 4, cudaMemcpyHostToDevice),
                     cudaErrorInvalidMemcpyDirection);
    ck_assert_uint_eq(counters().host_to_device_bytes, 100);
}
END_TEST

static void add_crashes(TCase *tcase)
{
    tcase_add_test_raise_signal(tcase, host_cannot_read_device_memory, SIGSEGV);
    tcase_add_test_raise_signal(tcase, host_cannot_read_large_device_memory, SIGSEGV);
    tcase_add_test_raise_signal(tcase, use_after_free_is_found, SIGSEGV);
    tcase_add_test_raise_signal(tcase, store_after_the_end_is_found, SIGABRT);
    tcase_add_test_raise_signal(tcase, store_before_the_start_is_found, SIGABRT);
}

int main(void)
{
    Suite *suite = suite_create("cuda-simulated_memory");
    TCase *tcase = tcase_create("memory");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, fresh_memory_holds_nan);
    tcase_add_test(tcase, free_in_order_is_late);
    tcase_add_test(tcase, host_pointer_fails_a_launch);
    tcase_add_test(tcase, free_memory_is_told);
    tcase_add_test(tcase, pools_keep_memory);
    tcase_add_test(tcase, pools_may_be_missing);
    tcase_add_test(tcase, allocations_fail_on_request);
    tcase_add_test(tcase, leaks_are_counted);
    tcase_add_test(tcase, two_dimensional_copies);
    if (getenv("VFI_TEST_VALGRIND") == NULL) /* there all run in one process */
        add_crashes(tcase);
    return check_main(suite);
}
