/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How kernels are written and launched, so that one source compiles with nvcc for a device and
 * with a host C++ compiler for the simulated one (tests/cuda/sim). There a launch runs every
 * thread of every block as a plain loop, in the order of the stream; hence kernels have no
 * barriers, and what only hardware has (warp votes, vector reductions) stands in
 * #ifdef __CUDACC__ beside code that does without. */
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

/* VFI_LAUNCH(kernel, grid, block, stream, argument…): queues the kernel; arguments are copied.
 * A template's name with commas wants parentheses or a variable. Launch errors come from
 * cudaGetLastError(). */
#ifdef __CUDACC__
#define VFI_LAUNCH(kernel, grid, block, stream, ...)                                     \
    (kernel)<<<(grid), (block), 0, (stream)>>>(__VA_ARGS__)
#else
#define VFI_LAUNCH(kernel, grid, block, stream, ...)                                     \
    vfi_simulated_launch((grid), (block), (stream),                                      \
                         [=](auto... arguments_) { (kernel)(arguments_...); },           \
                         __VA_ARGS__)
#endif

/* Before a loop that is to be unrolled. */
#ifdef __CUDACC__
#define VFI_UNROLL _Pragma("unroll")
#define VFI_UNROLL_BY_8 _Pragma("unroll 8")
#else
#define VFI_UNROLL
#define VFI_UNROLL_BY_8
#endif
