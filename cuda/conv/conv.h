/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions by cuDNN 9's backend (graph) API. Tensors are channels last; results are raw
 * sums, what follows a convolution is an own kernel's work (kernels.h, vfi_cuda_epilogue).
 *
 * What cuDNN's precompiled engines take was found out with the library itself (9.19, judged for
 * sm_75, 86, 89 and 90; tests/cuda/judge.c). */
#pragma once

#include "conv/conv_context.h"
#include "conv/conv_shape.h"

typedef struct VfiCudaConvPlan VfiCudaConvPlan;

/* A plan by the cache's choice, else by cuDNN's heuristics. Engines that would compile at run
 * time, that want more workspace, whose results vary from run to run or that compute in less
 * than @shape's math are left out. VFI_ERROR_UNSUPPORTED where none is left, VFI_ERROR_BACKEND. */
VfiCudaConvPlan *vfi_cuda_conv_new(const VfiCudaConvContext *context,
                                   const VfiCudaConvShape *shape, GError **error);
void vfi_cuda_conv_free(VfiCudaConvPlan *plan);

/* Bytes of workspace that a run wants; changes in vfi_cuda_conv_choose(), mostly to less. */
size_t vfi_cuda_conv_workspace(const VfiCudaConvPlan *plan);

/* Whether its engines have still to be tried. */
bool vfi_cuda_conv_has_choice(const VfiCudaConvPlan *plan);

typedef enum {
    VFI_CUDA_CONV_CHOSEN,
    VFI_CUDA_CONV_GO_ON, /* all that were tried failed: others are to be, with their workspace */
    VFI_CUDA_CONV_FAILED,
} VfiCudaConvChoosing;

/* Runs the engines that are left, a few times each, keeps the fastest that does not fail and
 * tells the cache. Where all fail, those next in cuDNN's lists take their place, until there is
 * none: VFI_CUDA_CONV_FAILED with the last one's error, as where the device itself fails. @dst
 * is overwritten. Waits for @stream, which must not be captured into a graph. */
VfiCudaConvChoosing vfi_cuda_conv_choose(VfiCudaConvPlan *plan, cudaStream_t stream,
                                         const void *src, const void *weight, void *dst,
                                         void *workspace, GError **error);

/* Queues it on @stream. Memory is the device's, 16-byte aligned. May be captured into a graph.
 * A plan's handle serves one thread at a time. A choice of the cache's that fails is forgotten,
 * so that plans made later choose anew. */
bool vfi_cuda_conv_run(VfiCudaConvPlan *plan, cudaStream_t stream, const void *src,
                       const void *weight, void *dst, void *workspace, GError **error);
