/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Launches on the simulated device: every thread of every block, one after the other. */
#include <cuda_runtime.h>

thread_local uint3 threadIdx, blockIdx;
thread_local dim3 blockDim, gridDim;

void vfi_simulated_launch(dim3 grid, dim3 block, cudaStream_t,
                          std::function<void()> thread)
{
    gridDim = grid;
    blockDim = block;
    for (unsigned bz = 0; bz < grid.z; bz++)
        for (unsigned by = 0; by < grid.y; by++)
            for (unsigned bx = 0; bx < grid.x; bx++)
                for (unsigned tz = 0; tz < block.z; tz++)
                    for (unsigned ty = 0; ty < block.y; ty++)
                        for (unsigned tx = 0; tx < block.x; tx++) {
                            blockIdx = {bx, by, bz};
                            threadIdx = {tx, ty, tz};
                            thread();
                        }
}

extern "C" cudaError_t cudaGetLastError(void)
{
    return cudaSuccess;
}
