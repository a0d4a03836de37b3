/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels of `flow`: one function for each kind of step (flow/step.h), and the
 * picture from what they find. Regions and planes are in device memory, the structures
 * that point to them in the host's. Each function queues its work on @stream and returns
 * the launch's error. */
#pragma once

#include <cuda_runtime_api.h>

#include <vfi/frame.h>

#include "flow/step.h"
#include "pixels/motion.h"

#ifdef __cplusplus
extern "C" {
#endif

cudaError_t vfi_cuda_flow_luma(cudaStream_t stream, const VfiFlowLuma *step,
                               char *const *region, const VfiVideoInfo *info,
                               const VfiFrame *frame);
cudaError_t vfi_cuda_flow_chroma(cudaStream_t stream, const VfiFlowChroma *step,
                                 char *const *region, const VfiVideoInfo *info,
                                 const VfiFrame *frame);
cudaError_t vfi_cuda_flow_halve(cudaStream_t stream, const VfiFlowHalve *step,
                                char *const *region);
cudaError_t vfi_cuda_flow_begin(cudaStream_t stream, const VfiFlowBegin *step,
                                char *const *region);
cudaError_t vfi_cuda_flow_cross(cudaStream_t stream, const VfiFlowCross *step,
                                char *const *region);
/* Does not look at .progress: vectors are handed on in .words. */
cudaError_t vfi_cuda_flow_sweep(cudaStream_t stream, const VfiFlowSweep *step,
                                char *const *region);
cudaError_t vfi_cuda_flow_densify(cudaStream_t stream, const VfiFlowDensify *step,
                                  char *const *region);
cudaError_t vfi_cuda_flow_residual(cudaStream_t stream, const VfiFlowResidual *step,
                                   char *const *region);
/* Leaves out .extent, which SPLAT does not look at here. */
cudaError_t vfi_cuda_flow_trust(cudaStream_t stream, const VfiFlowTrust *step,
                                char *const *region);
/* The same bits at every run, though threads come in any order. */
cudaError_t vfi_cuda_flow_splat(cudaStream_t stream, const VfiFlowSplat *step,
                                char *const *region, float t);
cudaError_t vfi_cuda_flow_merge(cudaStream_t stream, const VfiFlowMerge *step,
                                char *const *region);
cudaError_t vfi_cuda_flow_pull(cudaStream_t stream, const VfiFlowFill *step,
                               char *const *region);
cudaError_t vfi_cuda_flow_push(cudaStream_t stream, const VfiFlowFill *step,
                               char *const *region);
cudaError_t vfi_cuda_flow_median(cudaStream_t stream, const VfiFlowMedian *step,
                                 char *const *region);
cudaError_t vfi_cuda_flow_sides(cudaStream_t stream, const VfiFlowSides *step,
                                char *const *region);

/* Bytes of scratch that vfi_cuda_synthesize() needs for motion of this size, level and
 * numbers: some 32 MiB at most, whatever the picture's size. */
size_t vfi_cuda_synthesis_scratch(const VfiMotion *shape);
/* vfi_pixels_synthesize(), with the bits of its C version. */
cudaError_t vfi_cuda_synthesize(cudaStream_t stream, const VfiVideoInfo *info,
                                const VfiFrame *frame0, const VfiFrame *frame1,
                                const VfiMotion *motion, void *scratch,
                                const VfiFrame *out, int begin, int end);

#ifdef __cplusplus
}
#endif
