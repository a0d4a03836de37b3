/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work and memory for tests of the simulated device itself. Kernels are those of AFFINE
 * on a few floats. */
#pragma once

#include <signal.h>

#include <check.h>
#include <glib.h>
#include <simulated_device.h>

#include "check_main.h"
#include "ops/cuda_op.h"

#define N 100
#define SEEDS 64

static inline void set_up(void)
{
    vfi_simulated_reset();
}

static inline void must(cudaError_t error)
{
    if (error)
        ck_abort_msg("%s", cudaGetErrorName(error));
}

static inline float *device_floats(size_t n)
{
    void *memory = NULL;

    must(cudaMalloc(&memory, n * sizeof(float)));
    return memory;
}

static inline float *pinned_floats(size_t n)
{
    void *memory = NULL;

    must(cudaHostAlloc(&memory, n * sizeof(float), cudaHostAllocDefault));
    return memory;
}

static inline cudaStream_t new_stream(void)
{
    cudaStream_t stream;

    must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return stream;
}

static inline cudaEvent_t new_event(void)
{
    cudaEvent_t event;

    must(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    return event;
}

/* dst = src * mul + add */
static inline cudaError_t affine(cudaStream_t stream, float *src, float mul, float add,
                                 float *dst, int n)
{
    const VfiOp op = {.kind = VFI_OP_AFFINE, .u.affine = {mul, add}};
    const VfiCudaLaunch launch = {.stream = stream,
                                  .op = &op,
                                  .src = {{.data = src, .c = 1, .h = 1, .w = n}},
                                  .dst = {.data = dst, .c = 1, .h = 1, .w = n}};

    return vfi_cuda_op_affine.launch(&launch);
}

static inline float *device_zeros(size_t n)
{
    float *memory = device_floats(n);

    must(cudaMemset(memory, 0, n * sizeof(float)));
    must(cudaDeviceSynchronize());
    return memory;
}

static inline VfiSimulatedCounters counters(void)
{
    VfiSimulatedCounters c;

    vfi_simulated_counters(&c);
    return c;
}

/* Sanitizers would end the test in their own way. */
static inline void expect_crash(void)
{
    signal(SIGSEGV, SIG_DFL);
}
