/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's stand-in for the CUDA header of this name: what kernel code sees of
 * the language, and launches. */
#pragma once

#include "cuda_runtime_api.h"

#ifdef __cplusplus
#include <cmath>
#include <functional>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__ __restrict

/* Of the thread that runs now. */
extern thread_local uint3 threadIdx, blockIdx;
extern thread_local dim3 blockDim, gridDim;

/* Binds a kernel's arguments, by value. */
template <typename... Parameters, typename... Arguments>
std::function<void()> vfi_simulated_call(void (*kernel)(Parameters...),
                                         Arguments... arguments)
{
    return [=] { kernel(static_cast<Parameters>(arguments)...); };
}

/* Queues every thread of the grid. */
void vfi_simulated_launch(dim3 grid, dim3 block, cudaStream_t stream,
                          std::function<void()> thread);
#endif
