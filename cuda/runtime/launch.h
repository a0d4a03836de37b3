/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How kernels are written and launched, so that one source compiles with nvcc for a
 * device and with a host C++ compiler for the simulated one (tests/cuda/sim). There a
 * launch runs every thread of every block in a plain loop, when its turn in the stream
 * comes. Hence barriers are those of VFI_PHASE below only, and warp-level code (votes,
 * shuffles) stands in #ifdef __CUDACC__ next to a version without it. */
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

/* VFI_LAUNCH(kernel, grid, block, stream, argument…): queues the kernel; arguments are
 * copied. A template instance whose name has commas needs parentheses or a variable.
 * cudaGetLastError() gives launch errors. */
#ifdef __CUDACC__
#define VFI_LAUNCH(kernel, grid, block, stream, ...)                                     \
    (kernel)<<<(grid), (block), 0, (stream)>>>(__VA_ARGS__)
#else
#define VFI_LAUNCH(kernel, grid, block, stream, ...)                                     \
    vfi_simulated_launch((grid), (block), (stream),                                      \
                         [=](auto... arguments_) { (kernel)(arguments_...); },           \
                         __VA_ARGS__)
#endif

/* Before a loop, to unroll it or, to spare registers, not to. */
#ifdef __CUDACC__
#define VFI_UNROLL _Pragma("unroll")
#define VFI_UNROLL_BY_8 _Pragma("unroll 8")
#define VFI_UNROLL_BY_1 _Pragma("unroll 1")
#else
#define VFI_UNROLL
#define VFI_UNROLL_BY_8
#define VFI_UNROLL_BY_1
#endif

/* Kernels whose threads share memory of a block work in phases: VFI_PHASE(i, n) { … }
 * divides i = 0 … n - 1 among the block's threads, after a barrier, so that it sees what
 * the phases before it stored. It must not depend on its own order. Nothing but phases
 * and what is equal for all threads stands in such a kernel, whose first statement is
 * VFI_ENTER_PHASES. The simulated device's first thread does it all, backwards. */
#ifdef __CUDACC__
#define VFI_ENTER_PHASES
#define VFI_PHASE(i, n)                                                                  \
    for (int i = (__syncthreads(), (int)threadIdx.x); i < (n); i += (int)blockDim.x)
#else
#define VFI_ENTER_PHASES                                                                 \
    if (threadIdx.x != 0)                                                                \
    return
#define VFI_PHASE(i, n) for (int i = (n)-1; i >= 0; i--)
#endif
