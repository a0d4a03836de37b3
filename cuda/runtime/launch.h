/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How kernels are written and launched, so that one source compiles with nvcc for a
 * device and with a host C++ compiler for the simulated one (tests/cuda/sim). There a
 * launch runs every thread of every block in a plain loop, when its turn in the stream
 * comes. Hence kernels have no barriers, and warp-level code (votes, shuffles) stands in
 * #ifdef __CUDACC__ next to a version without it. */
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

/* Before a loop, to unroll it. */
#ifdef __CUDACC__
#define VFI_UNROLL _Pragma("unroll")
#define VFI_UNROLL_BY_8 _Pragma("unroll 8")
#else
#define VFI_UNROLL
#define VFI_UNROLL_BY_8
#endif
