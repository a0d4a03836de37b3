/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated devices and their contexts, also after failures. */
#include <stdlib.h>

#include <cuda.h>

#include "simulated_work.h"

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

/* ---- contexts ---------------------------------------------------------------------- */

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

/* ---- failures ---------------------------------------------------------------------- */

START_TEST(failed_work_stays_with_its_context)
{
    float *device = device_zeros(N), *pinned = pinned_floats(1);
    cudaStream_t stream = new_stream();
    void *memory;

    vfi_simulated_fail_launch(2, 0);
    must(affine(stream, device, 0.0f, 1.0f, device, 1));
    must(cudaMemcpyAsync(pinned, device, 4, cudaMemcpyDeviceToHost, stream));
    must(affine(stream, device, 0.0f, 2.0f, device, 1)); /* comes up later */
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

/* Each use ends the process. */
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

static void add_crashes(TCase *tcase)
{
    tcase_add_loop_test_raise_signal(tcase, the_default_stream_may_be_forbidden, SIGABRT,
                                     0, 8);
}

int main(void)
{
    Suite *suite = suite_create("cuda-simulated_contexts");
    TCase *tcase = tcase_create("contexts");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, devices_are_as_set);
    tcase_add_test(tcase, environment_sets_the_device);
    tcase_add_test(tcase, contexts_of_the_driver_are_apart);
    tcase_add_test(tcase, primary_context_is_the_runtimes);
    tcase_add_test(tcase, failed_work_stays_with_its_context);
    tcase_add_test(tcase, refused_launch_is_forgotten);
    if (getenv("VFI_TEST_VALGRIND") == NULL) /* there all run in one process */
        add_crashes(tcase);
    return check_main(suite);
}
