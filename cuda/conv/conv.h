/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans of convolutions by cuDNN 9's backend (graph) API. Tensors are channels last or
 * planar; results are raw sums, and a kernel of our own does what follows
 * (vfi_cuda_epilogue() in ops/kernels.h).
 *
 * Which graphs cuDNN's precompiled engines accept was found out with the library itself
 * (9.19, asked for sm_75, 86, 89 and 90; tests/cuda/judge.c). */
#pragma once

#include "conv/conv_context.h"
#include "conv/conv_shape.h"

typedef struct VfiCudaConvPlan VfiCudaConvPlan;

/* A plan with the engine that the cache names, else with the first candidates of cuDNN's
 * heuristics. Left out are engines that would compile at run time, want more workspace
 * than the limit, give results that vary from run to run, or compute less exactly than
 * @shape's math. NULL with VFI_ERROR_UNSUPPORTED if none is left, or
 * VFI_ERROR_BACKEND. */
VfiCudaConvPlan *vfi_cuda_conv_new(const VfiCudaConvContext *context,
                                   const VfiCudaConvShape *shape, GError **error);
void vfi_cuda_conv_free(VfiCudaConvPlan *plan);

/* Bytes of workspace that a run needs; vfi_cuda_conv_choose() may change it, mostly to
 * less. */
size_t vfi_cuda_conv_workspace(const VfiCudaConvPlan *plan);

/* Whether its engines have yet to be tried. */
bool vfi_cuda_conv_has_choice(const VfiCudaConvPlan *plan);

typedef enum {
    VFI_CUDA_CONV_CHOSEN,
    VFI_CUDA_CONV_GO_ON, /* all failed; call again with the new ones' workspace */
    VFI_CUDA_CONV_FAILED,
} VfiCudaConvChoosing;

/* Runs each candidate a few times, keeps the fastest that does not fail and tells the
 * cache. If all fail, the next ones in cuDNN's lists take their place
 * (VFI_CUDA_CONV_GO_ON). If there are none, or the device itself fails:
 * VFI_CUDA_CONV_FAILED with an error. Overwrites @dst. Waits for @stream, which must not
 * be being captured. */
VfiCudaConvChoosing vfi_cuda_conv_choose(VfiCudaConvPlan *plan, cudaStream_t stream,
                                         const void *src, const void *weight, void *dst,
                                         void *workspace, GError **error);

/* Queues the convolution on @stream; may be captured into a graph. Memory is the
 * device's, 16-byte aligned. A plan's handle serves one thread at a time. If an engine
 * that came from the cache fails, the cache forgets it, so that later plans choose
 * again. */
bool vfi_cuda_conv_run(VfiCudaConvPlan *plan, cudaStream_t stream, const void *src,
                       const void *weight, void *dst, void *workspace, GError **error);
