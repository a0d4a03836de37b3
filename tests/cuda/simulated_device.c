/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device itself: what it must do for the tests of the CUDA backend to notice
 * mistakes. Kernels are vfi_cuda_affine() on a few floats. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <cuda.h>
#include <glib.h>
#include <simulated_device.h>

#include "check_main.h"
#include "ops/kernels.h"

#define N 100
#define SEEDS 64

static void set_up(void)
{
    vfi_simulated_reset();
}

static void must(cudaError_t error)
{
    if (error)
        ck_abort_msg("%s", cudaGetErrorName(error));
}

static float *device_floats(size_t n)
{
    void *memory = NULL;

    must(cudaMalloc(&memory, n * sizeof(float)));
    return memory;
}

static float *pinned_floats(size_t n)
{
    void *memory = NULL;

    must(cudaHostAlloc(&memory, n * sizeof(float), cudaHostAllocDefault));
    return memory;
}

static cudaStream_t new_stream(void)
{
    cudaStream_t stream;

    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return stream;
}

static cudaEvent_t new_event(void)
{
    cudaEvent_t event;

    must(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    return event;
}

/* dst = src * mul + add */
static cudaError_t affine(cudaStream_t stream, float *src, float mul, float add,
                          float *dst, int n)
{
    VfiCudaTensor from = {.data = src, .c = 1, .h = 1, .w = n};
    VfiCudaTensor to = {.data = dst, .c = 1, .h = 1, .w = n};

    return vfi_cuda_affine(stream, &from, mul, add, &to);
}

static float *device_zeros(size_t n)
{
    float *memory = device_floats(n);

    must(cudaMemset(memory, 0, n * sizeof(float)));
    must(cudaDeviceSynchronize());
    return memory;
}

static VfiSimulatedCounters counters(void)
{
    VfiSimulatedCounters c;

    vfi_simulated_counters(&c);
    return c;
}

/* ---- order --------------------------------------------------------------------------------- */

START_TEST(work_runs_when_something_waits)
{
    float *device = device_floats(N), *pinned = pinned_floats(N);
    cudaStream_t stream = new_stream();

    pinned[0] = 1.0f;
    must(cudaMemcpyAsync(device, pinned, sizeof(float), cudaMemcpyHostToDevice, stream));
    must(affine(stream, device, 2.0f, 1.0f, device, 1));
    must(cudaMemcpyAsync(pinned + 1, device, sizeof(float), cudaMemcpyDeviceToHost,
                         stream));
    ck_assert(isnan(pinned[1]));
    ck_assert_uint_eq(counters().queued, 3);
    pinned[0] = 5.0f; /* too early: the copy has not run */
    must(cudaStreamSynchronize(stream));
    ck_assert(pinned[1] == 11.0f);
    ck_assert_uint_eq(counters().queued, 0);
}
END_TEST

START_TEST(pageable_memory_is_copied_by_the_call)
{
    float *device = device_floats(1), value = 3.0f, result = 0.0f;
    cudaStream_t stream = new_stream();

    must(cudaMemcpyAsync(device, &value, sizeof value, cudaMemcpyHostToDevice, stream));
    value = 4.0f;
    must(cudaMemcpyAsync(&result, device, sizeof result, cudaMemcpyDeviceToHost, stream));
    ck_assert(result == 3.0f);
}
END_TEST

/* A producer and a consumer on two streams, ordered by an event or by nothing. */
static float produce_and_consume(uint64_t seed, bool ordered)
{
    vfi_simulated_reset();
    vfi_simulated_set_seed(seed);
    float *device = device_floats(1), *pinned = pinned_floats(1);
    cudaStream_t producer = new_stream(), consumer = new_stream();
    cudaEvent_t event = new_event();

    must(cudaMemsetAsync(device, 0, sizeof(float), producer));
    must(cudaStreamSynchronize(producer));
    must(affine(producer, device, 1.0f, 1.0f, device, 1));
    must(affine(producer, device, 1.0f, 1.0f, device, 1));
    must(cudaEventRecord(event, producer));
    if (ordered)
        must(cudaStreamWaitEvent(consumer, event, 0));
    must(
        cudaMemcpyAsync(pinned, device, sizeof(float), cudaMemcpyDeviceToHost, consumer));
    must(cudaStreamSynchronize(consumer));
    return *pinned;
}

START_TEST(events_order_streams)
{
    bool seen[3] = {false};

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        float value = produce_and_consume(seed, true);
        if (value != 2.0f)
            ck_abort_msg("seed %d: %g", (int)seed, value);
        value = produce_and_consume(seed, false);
        seen[(int)value] = true;
    }
    /* Without the wait every moment of the producer is seen. */
    ck_assert(seen[0] && seen[1] && seen[2]);
}
END_TEST

/* The result of work on a stream of its own and work on the null stream. */
static float null_stream_after(uint64_t seed, unsigned flags)
{
    vfi_simulated_reset();
    vfi_simulated_set_seed(seed);
    float *device = device_floats(1), *pinned = pinned_floats(1);
    cudaStream_t stream;

    must(cudaStreamCreateWithFlags(&stream, flags));
    must(cudaMemset(device, 0, sizeof(float)));
    must(cudaDeviceSynchronize());
    must(affine(stream, device, 1.0f, 1.0f, device, 1));
    must(affine(NULL, device, 2.0f, 0.0f, device, 1));
    must(affine(stream, device, 1.0f, 10.0f, device, 1));
    must(cudaDeviceSynchronize());
    must(cudaMemcpy(pinned, device, sizeof(float), cudaMemcpyDeviceToHost));
    return *pinned;
}

START_TEST(null_stream_orders_blocking_streams)
{
    bool other = false;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        float value = null_stream_after(seed, cudaStreamDefault);
        if (value != 12.0f)
            ck_abort_msg("seed %d: %g", (int)seed, value);
        other |= null_stream_after(seed, cudaStreamNonBlocking) != 12.0f;
    }
    ck_assert(other);
}
END_TEST

START_TEST(polls_end)
{
    cudaStream_t stream = new_stream();
    cudaEvent_t event = new_event();
    float *device = device_floats(1);
    int polls = 0;

    ck_assert_int_eq(cudaEventQuery(event), cudaSuccess);
    for (int i = 0; i < 20; i++)
        must(affine(stream, device, 1.0f, 1.0f, device, 1));
    must(cudaEventRecord(event, stream));
    while (cudaEventQuery(event) == cudaErrorNotReady)
        polls++;
    ck_assert_int_ge(polls, 2);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorNotReady);
    must(cudaStreamQuery(stream));
}
END_TEST

START_TEST(full_queues_run)
{
    cudaStream_t stream = new_stream();
    float *device = device_floats(1);

    for (int i = 0; i < 3000; i++)
        must(affine(stream, device, 1.0f, 1.0f, device, 1));
    ck_assert_uint_gt(counters().queued, 0);
    ck_assert_uint_lt(counters().queued, 1100);
}
END_TEST

/* ---- memory -------------------------------------------------------------------------------- */

/* Sanitizers would end the test in their own way. */
static void expect_crash(void)
{
    signal(SIGSEGV, SIG_DFL);
}

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

START_TEST(store_behind_the_end_is_found)
{
    float *device = device_floats(N), *zeros = device_zeros(N + 1);

    must(affine(NULL, zeros, 0.0f, 1.0f, device, N + 1));
    must(cudaDeviceSynchronize());
}
END_TEST

START_TEST(store_before_the_start_is_found)
{
    float *device = device_floats((size_t)1 << 20), *zeros = device_zeros(N);

    vfi_simulated_set_immediate(true); /* pointers are not looked at */
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

/* A kernel on another stream, which nothing orders before the free. */
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
    /* A queued free is waited for rather than failing. */
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

/* ---- failures ------------------------------------------------------------------------------ */

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

START_TEST(failed_work_stays_with_its_context)
{
    float *device = device_zeros(N), *pinned = pinned_floats(1);
    cudaStream_t stream = new_stream();
    void *memory;

    vfi_simulated_fail_launch(2, 0);
    must(affine(stream, device, 0.0f, 1.0f, device, 1));
    must(cudaMemcpyAsync(pinned, device, 4, cudaMemcpyDeviceToHost, stream));
    must(affine(stream, device, 0.0f, 2.0f, device, 1)); /* told later */
    must(cudaMemcpyAsync(pinned, device, 4, cudaMemcpyDeviceToHost, stream));
    ck_assert_int_eq(cudaStreamSynchronize(stream), cudaErrorLaunchFailure);
    ck_assert(*pinned == 1.0f);
    ck_assert_int_eq(cudaMalloc(&memory, 1), cudaErrorLaunchFailure);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorLaunchFailure);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorLaunchFailure);
    ck_assert_int_eq(cudaFree(device), cudaErrorLaunchFailure);
    must(cudaDeviceReset());
    ck_assert_uint_eq(counters().allocations, 0);
    must(cudaMalloc(&memory, 1));
}
END_TEST

START_TEST(refused_launch_is_forgotten)
{
    float *device = device_floats(N);

    vfi_simulated_fail_launch(1, cudaErrorLaunchOutOfResources);
    ck_assert_int_eq(affine(NULL, device, 0.0f, 1.0f, device, N),
                     cudaErrorLaunchOutOfResources);
    must(affine(NULL, device, 0.0f, 1.0f, device, N));
    must(cudaDeviceSynchronize());
    ck_assert_int_eq(affine(NULL, device, 0.0f, 1.0f, device, 0),
                     cudaErrorInvalidConfiguration);
}
END_TEST

START_TEST(devices_are_as_set)
{
    struct cudaDeviceProp properties;
    int n = -1, value;

    vfi_simulated_set_no_driver(true);
    ck_assert_int_eq(cudaGetDeviceCount(&n), cudaErrorInsufficientDriver);
    vfi_simulated_set_no_driver(false);
    vfi_simulated_set_devices(0);
    ck_assert_int_eq(cudaGetDeviceCount(&n), cudaErrorNoDevice);
    vfi_simulated_set_devices(2);
    vfi_simulated_set_compute(7, 5);
    must(cudaGetDeviceCount(&n));
    ck_assert_int_eq(n, 2);
    must(cudaGetDeviceProperties(&properties, 1));
    ck_assert(properties.major == 7 && properties.minor == 5);
    must(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 0));
    ck_assert_int_eq(value, 7);
    ck_assert_int_eq(cudaSetDevice(2), cudaErrorInvalidDevice);
    must(cudaSetDevice(1));
    must(cudaGetDevice(&value));
    ck_assert_int_eq(value, 1);
}
END_TEST

/* ---- graphs -------------------------------------------------------------------------------- */

START_TEST(graphs_replay_a_stream)
{
    float *device = device_zeros(1), *pinned = pinned_floats(1);
    cudaStream_t stream = new_stream();
    cudaGraph_t graph;
    cudaGraphExec_t executable;

    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    must(affine(stream, device, 1.0f, 1.0f, device, 1));
    must(affine(stream, device, 2.0f, 0.0f, device, 1));
    must(cudaMemcpyAsync(pinned, device, 4, cudaMemcpyDeviceToHost, stream));
    must(cudaStreamEndCapture(stream, &graph));
    ck_assert_uint_eq(counters().launches, 0);
    must(cudaGraphInstantiate(&executable, graph, 0));
    must(cudaGraphDestroy(graph));
    must(cudaGraphLaunch(executable, stream));
    must(cudaGraphLaunch(executable, stream));
    must(cudaStreamSynchronize(stream));
    ck_assert(*pinned == 6.0f);
    must(cudaGraphLaunch(executable, stream));
    must(cudaGraphExecDestroy(executable));
    must(cudaStreamSynchronize(stream));
    ck_assert(*pinned == 14.0f);
    VfiSimulatedCounters c = counters();
    ck_assert(c.launches == 6 && c.graph_launches == 3 && c.graphs == 0 &&
              c.graph_executables == 0);
}
END_TEST

START_TEST(captures_forbid_waiting)
{
    float *device = device_floats(1), host;
    cudaStream_t stream = new_stream();
    cudaGraph_t graph;
    void *memory;

    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    ck_assert_int_eq(cudaStreamSynchronize(stream), cudaErrorStreamCaptureUnsupported);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph),
                     cudaErrorStreamCaptureInvalidated);
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
    ck_assert_int_eq(cudaMalloc(&memory, 1), cudaErrorStreamCaptureUnsupported);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph),
                     cudaErrorStreamCaptureInvalidated);
    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
    must(cudaMalloc(&memory, 1));
    ck_assert_int_eq(cudaMemcpyAsync(&host, device, 4, cudaMemcpyDeviceToHost, stream),
                     cudaErrorStreamCaptureUnsupported);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph),
                     cudaErrorStreamCaptureInvalidated);
}
END_TEST

/* ---- waits, threads, leaks ----------------------------------------------------------------- */

START_TEST(waits_are_listed_and_dropped)
{
    char file[] = "simulated-waits-XXXXXX", site[200] = "", more[200];
    cudaStream_t stream = new_stream();
    float *device = device_floats(1);

    int fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    close(fd);
    vfi_simulated_list_waits(file);
    for (int i = 0; i < 2; i++) {
        must(affine(stream, device, 0.0f, 1.0f, device, 1));
        if (i == 1)
            vfi_simulated_drop_wait(site);
        for (int k = 0; k < 2; k++)
            must(cudaStreamSynchronize(stream));
        FILE *list = fopen(file, "r");
        ck_assert_ptr_nonnull(fgets(site, sizeof site, list));
        ck_assert_ptr_null(fgets(more, sizeof more, list));
        fclose(list);
        site[strcspn(site, "\n")] = '\0';
        ck_assert_ptr_nonnull(strstr(site, "simulated_device.c:"));
    }
    unlink(file);
    ck_assert_uint_eq(counters().queued, 1);
}
END_TEST

static void *thread_of_work(void *unused)
{
    cudaStream_t stream = new_stream();
    float *device = device_zeros(N), *pinned = pinned_floats(N);

    (void)unused;
    for (int i = 0; i < 200; i++) {
        must(affine(stream, device, 0.0f, (float)i, device, N));
        must(cudaMemcpyAsync(pinned, device, N * 4, cudaMemcpyDeviceToHost, stream));
        must(cudaStreamSynchronize(stream));
        if (pinned[N - 1] != (float)i)
            ck_abort_msg("%g instead of %d", pinned[N - 1], i);
    }
    must(cudaFree(device));
    must(cudaFreeHost(pinned));
    must(cudaStreamDestroy(stream));
    return NULL;
}

START_TEST(threads_share_the_device)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, thread_of_work, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    VfiSimulatedCounters c = counters();
    ck_assert(c.allocations == 0 && c.pinned_allocations == 0 && c.streams == 0 &&
              c.launches == 800 && c.queued == 0);
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

/* ---- contexts, environment ----------------------------------------------------------------- */

START_TEST(contexts_of_the_driver_are_apart)
{
    float *device, *pinned;
    CUcontext one, two, popped;
    cudaStream_t stream;

    ck_assert_int_eq(cuInit(0), CUDA_SUCCESS);
    ck_assert_int_eq(cuCtxCreate(&one, 0, 0), CUDA_SUCCESS);
    device = device_zeros(1);
    pinned = pinned_floats(1);
    stream = new_stream();
    ck_assert_int_eq(cuCtxCreate(&two, 0, 0), CUDA_SUCCESS);
    /* The stream is the other context's. */
    ck_assert_int_eq(affine(stream, device, 1.0f, 1.0f, device, 1),
                     cudaErrorInvalidResourceHandle);
    ck_assert_int_eq(cuCtxPopCurrent(&popped), CUDA_SUCCESS);
    ck_assert(popped == two);
    vfi_simulated_fail_launch(1, cudaErrorIllegalAddress);
    must(affine(stream, device, 1.0f, 1.0f, device, 1));
    ck_assert_int_eq(cuStreamSynchronize(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
    ck_assert_int_eq(cudaFreeHost(pinned), cudaErrorIllegalAddress);
    ck_assert_int_eq(cuCtxPushCurrent(two), CUDA_SUCCESS);
    must(cudaFreeHost(pinned));
    ck_assert_int_eq(cuCtxDestroy(two), CUDA_SUCCESS);
    ck_assert_int_eq(cuCtxDestroy(one), CUDA_SUCCESS);
    ck_assert_int_eq(cuCtxPushCurrent(one), CUDA_ERROR_INVALID_CONTEXT);
    VfiSimulatedCounters c = counters();
    ck_assert(c.allocations == 0 && c.streams == 0 && c.contexts == 0);
}
END_TEST

START_TEST(primary_context_is_the_runtimes)
{
    CUcontext primary, current;

    ck_assert_int_eq(cuDevicePrimaryCtxRetain(&primary, 0), CUDA_SUCCESS);
    ck_assert_int_eq(cuCtxGetCurrent(&current), CUDA_SUCCESS);
    ck_assert_ptr_null(current);
    ck_assert_int_eq(cuMemAlloc(&(CUdeviceptr){0}, 4), CUDA_ERROR_INVALID_CONTEXT);
    device_floats(1);
    ck_assert_int_eq(cuCtxGetCurrent(&current), CUDA_SUCCESS);
    ck_assert(current == primary);
    ck_assert_int_eq(cuDevicePrimaryCtxRelease(0), CUDA_SUCCESS);
    ck_assert_uint_eq(counters().allocations, 1);
    ck_assert_int_eq(cuDevicePrimaryCtxRelease(0), CUDA_ERROR_INVALID_CONTEXT);
}
END_TEST

START_TEST(captures_of_others_are_the_threads_choice)
{
    enum cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal;
    cudaStream_t stream = new_stream(), other = new_stream();
    cudaGraph_t graph;

    must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    must(cudaThreadExchangeStreamCaptureMode(&mode));
    ck_assert_int_eq(mode, cudaStreamCaptureModeGlobal);
    /* the thread's own is still guarded */
    ck_assert_int_eq(cudaStreamSynchronize(other), cudaErrorStreamCaptureUnsupported);
    ck_assert_int_eq(cudaStreamEndCapture(stream, &graph),
                     cudaErrorStreamCaptureInvalidated);
    must(cudaThreadExchangeStreamCaptureMode(&mode));
    ck_assert_int_eq(mode, cudaStreamCaptureModeThreadLocal);
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

/* Ends the process. */
START_TEST(the_default_stream_may_be_forbidden)
{
    float *device = device_floats(N), host[N] = {0};

    must(cudaMemcpy(device, host, sizeof host, cudaMemcpyHostToDevice));
    vfi_simulated_set_default_stream(VFI_SIMULATED_DEFAULT_STREAM_FOR_NOBODY);
    must(
        cudaMemcpyAsync(device, host, sizeof host, cudaMemcpyHostToDevice, new_stream()));
    switch (_i) {
    case 0:
        cudaMemcpy(device, host, sizeof host, cudaMemcpyHostToDevice);
        break;
    case 1:
        cudaMemset(device, 0, sizeof host);
        break;
    case 2:
        cudaStreamSynchronize(NULL);
        break;
    case 3:
        cudaDeviceSynchronize();
        break;
    case 4:
        affine(NULL, device, 1.0f, 1.0f, device, N);
        break;
    case 5:
        cudaEventRecord(new_event(), cudaStreamLegacy);
        break;
    case 6:
        cudaMallocAsync((void **)&device, 4, NULL);
        break;
    default:
        cudaFreeAsync(device, NULL);
        break;
    }
}
END_TEST

START_TEST(environment_sets_the_device)
{
    const size_t mib = (size_t)1 << 20;
    const char *const variables[][2] = {
        {"VFI_SIMULATED_MEMORY", "0x6400000"},
        {"VFI_SIMULATED_MEMORY_OF_OTHERS", "1048576"},
        {"VFI_SIMULATED_DEVICES", "3"},
        {"VFI_SIMULATED_COMPUTE", "120"},
        {"VFI_SIMULATED_FAIL_ALLOCATION", "1"},
    };
    size_t left, total;
    int value;

    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++)
        setenv(variables[i][0], variables[i][1], 1);
    vfi_simulated_reset();
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++)
        unsetenv(variables[i][0]);
    must(cudaMemGetInfo(&left, &total));
    ck_assert(left == 99 * mib && total == 100 * mib);
    must(cudaGetDeviceCount(&value));
    ck_assert_int_eq(value, 3);
    must(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 2));
    ck_assert_int_eq(value, 12);
    ck_assert_int_eq(cudaMalloc(&(void *){NULL}, 1), cudaErrorMemoryAllocation);
}
END_TEST

static void add_crashes(TCase *tcase)
{
    tcase_add_test_raise_signal(tcase, host_cannot_read_device_memory, SIGSEGV);
    tcase_add_test_raise_signal(tcase, host_cannot_read_large_device_memory, SIGSEGV);
    tcase_add_test_raise_signal(tcase, use_after_free_is_found, SIGSEGV);
    tcase_add_test_raise_signal(tcase, store_behind_the_end_is_found, SIGABRT);
    tcase_add_loop_test_raise_signal(tcase, the_default_stream_may_be_forbidden, SIGABRT,
                                     0, 8);
    tcase_add_test_raise_signal(tcase, store_before_the_start_is_found, SIGABRT);
}

int main(void)
{
    Suite *suite = suite_create("cuda-simulated-device");
    TCase *tcase = tcase_create("simulated-device");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, work_runs_when_something_waits);
    tcase_add_test(tcase, pageable_memory_is_copied_by_the_call);
    tcase_add_test(tcase, events_order_streams);
    tcase_add_test(tcase, null_stream_orders_blocking_streams);
    tcase_add_test(tcase, polls_end);
    tcase_add_test(tcase, full_queues_run);
    tcase_add_test(tcase, fresh_memory_holds_nan);
    tcase_add_test(tcase, free_in_order_is_late);
    tcase_add_test(tcase, host_pointer_fails_a_launch);
    tcase_add_test(tcase, free_memory_is_told);
    tcase_add_test(tcase, pools_keep_memory);
    tcase_add_test(tcase, two_dimensional_copies);
    tcase_add_test(tcase, allocations_fail_on_request);
    tcase_add_test(tcase, failed_work_stays_with_its_context);
    tcase_add_test(tcase, refused_launch_is_forgotten);
    tcase_add_test(tcase, devices_are_as_set);
    tcase_add_test(tcase, graphs_replay_a_stream);
    tcase_add_test(tcase, captures_forbid_waiting);
    tcase_add_test(tcase, waits_are_listed_and_dropped);
    tcase_add_test(tcase, threads_share_the_device);
    tcase_add_test(tcase, leaks_are_counted);
    tcase_add_test(tcase, contexts_of_the_driver_are_apart);
    tcase_add_test(tcase, primary_context_is_the_runtimes);
    tcase_add_test(tcase, captures_of_others_are_the_threads_choice);
    tcase_add_test(tcase, pools_may_be_missing);
    tcase_add_test(tcase, environment_sets_the_device);
    if (getenv("VFI_TEST_VALGRIND") == NULL) /* under which all run in one process */
        add_crashes(tcase);
    return check_main(suite);
}
