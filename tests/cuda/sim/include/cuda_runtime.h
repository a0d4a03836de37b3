/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's stand-in for the CUDA header of this name: the language as
 * kernels use it, and launches. */
#pragma once

#include "cuda_runtime_api.h"
#include "device_atomic_functions.h"
#include "vector_types.h"

#ifdef __cplusplus
#include <cmath>
#include <functional>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
/* Kernels have no barriers, so no thread can see what another one stored there. */
#define __shared__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__ __restrict

/* The indices of the thread that runs; one set for the whole module, which may be loaded
 * late and then has little room for fast thread-local variables. */
#define VFI_SIMULATED_INDEX                                                              \
    inline thread_local __attribute__((tls_model("initial-exec"), visibility("hidden")))
VFI_SIMULATED_INDEX uint3 threadIdx, blockIdx;
VFI_SIMULATED_INDEX dim3 blockDim, gridDim;

/* Queues @grid_loop, which runs all threads of the grid. If a pointer among @pointers
 * leads to host memory, the launch fails as on a device that reads it. */
void vfi_simulated_queue_grid(dim3 grid, dim3 block, cudaStream_t stream,
                              std::function<void()> grid_loop,
                              std::initializer_list<const volatile void *> pointers);

template <typename Argument>
static inline const volatile void *vfi_simulated_pointer(const Argument &argument)
{
    if constexpr (std::is_pointer_v<Argument>)
        return argument;
    else
        return nullptr;
}

/* Runs one block after the other, one thread after the other. The arguments are local
 * variables here, which no store of the kernel can change. */
template <typename Kernel, typename... Arguments>
static void vfi_simulated_grid_loop(const dim3 grid, const dim3 block,
                                    const Kernel kernel, Arguments... arguments)
{
    uint3 b, t;

    gridDim = grid;
    blockDim = block;
    for (b.z = 0; b.z < grid.z; b.z++)
        for (b.y = 0; b.y < grid.y; b.y++)
            for (b.x = 0; b.x < grid.x; b.x++) {
                blockIdx = b;
                for (t.z = 0; t.z < block.z; t.z++)
                    for (t.y = 0; t.y < block.y; t.y++)
                        for (t.x = 0; t.x < block.x; t.x++) {
                            threadIdx = t;
                            kernel(arguments...);
                        }
            }
}

template <typename Kernel, typename... Arguments>
static void vfi_simulated_launch(dim3 grid, dim3 block, cudaStream_t stream,
                                 Kernel kernel, Arguments... arguments)
{
    vfi_simulated_queue_grid(
        grid, block, stream,
        [=] { vfi_simulated_grid_loop(grid, block, kernel, arguments...); },
        {vfi_simulated_pointer(arguments)...});
}
#endif
