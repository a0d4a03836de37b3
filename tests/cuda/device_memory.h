/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device memory for tests of kernels, which run in the default stream. */
#pragma once

#include <check.h>
#include <glib.h>

#include <cuda_runtime_api.h>

static inline void device_check(cudaError_t error)
{
    if (error != cudaSuccess)
        ck_abort_msg("%s: %s", cudaGetErrorName(error), cudaGetErrorString(error));
}

static inline char *device_new(const void *host, size_t bytes)
{
    void *memory = NULL;

    device_check(cudaMalloc(&memory, bytes));
    device_check(cudaMemcpy(memory, host, bytes, cudaMemcpyHostToDevice));
    return memory;
}

/* Waits for what was queued before. */
static inline char *device_read(const void *memory, size_t bytes)
{
    char *host = g_malloc(bytes);

    device_check(cudaMemcpy(host, memory, bytes, cudaMemcpyDeviceToHost));
    return host;
}

static inline void device_free(void *memory)
{
    device_check(cudaFree(memory));
}
