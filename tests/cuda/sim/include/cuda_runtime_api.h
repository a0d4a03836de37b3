/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's stand-in for the CUDA header of this name: the part of the runtime
 * that cuda/ uses, with the names and values of CUDA's own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cudaError {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
} cudaError_t;

typedef struct CUstream_st *cudaStream_t;

typedef struct uint3 {
    unsigned x, y, z;
} uint3;

typedef struct dim3 {
    unsigned x, y, z;
#ifdef __cplusplus
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
#endif
} dim3;

cudaError_t cudaGetLastError(void);

#ifdef __cplusplus
}
#endif
