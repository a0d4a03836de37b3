/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels of the planned ops (op/op.h): each function queues one on @stream and returns
 * the launch's error. Nothing is checked here: the backend checks ops when it compiles
 * the plan. Memory is the device's. Results do not depend on launch sizes: they are the
 * same bits at every run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cuda_runtime_api.h>

#include "op/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An operand in device memory. Planar (pixel_stride 0): c planes of h × w elements, one
 * after the other. Channels last: element (channel, y, x) is at (y * w + x) *
 * pixel_stride + channel, where pixel_stride is a multiple of 8.
 *
 * A channels-last tensor may be a part of the pixels' channels. It begins at a multiple
 * of 8 channels, or anywhere if the function says so. The channels from its last one up
 * to the next multiple of 8 are padding: they hold zeros, which the op that writes the
 * tensor's last channel also writes (unless it is followed). The rest of a pixel belongs
 * to others. */
typedef struct {
    void *data;
    int c, h, w;
    int pixel_stride;
    bool half; /* f16 instead of f32; of planar tensors only where the function says so */
    bool followed; /* another part begins right after the last channel */
} VfiCudaTensor;

/* Sets *inputs (device memory, which captured graphs read) in the stream's order, so that each
 * queued run sees its own. */
cudaError_t vfi_cuda_set_inputs(cudaStream_t stream, VfiRunInputs *inputs,
                                const VfiRunInputs *values);

/* ---- element-wise, planar f32 (elementwise.cu); dst may be a source ---------------- */

/* dst = scale * (a + b); scale * (a - b); a * b. b may have one channel for all of a's,
 * but not in add. */
cudaError_t vfi_cuda_add(cudaStream_t stream, const VfiCudaTensor *a,
                         const VfiCudaTensor *b, float scale, const VfiCudaTensor *dst);
cudaError_t vfi_cuda_sub(cudaStream_t stream, const VfiCudaTensor *a,
                         const VfiCudaTensor *b, float scale, const VfiCudaTensor *dst);
cudaError_t vfi_cuda_mul(cudaStream_t stream, const VfiCudaTensor *a,
                         const VfiCudaTensor *b, const VfiCudaTensor *dst);
/* dst = src * mul + add */
cudaError_t vfi_cuda_affine(cudaStream_t stream, const VfiCudaTensor *src, float mul,
                            float add, const VfiCudaTensor *dst);
cudaError_t vfi_cuda_clamp(cudaStream_t stream, const VfiCudaTensor *src, float low,
                           float high, const VfiCudaTensor *dst);
/* @slope is in device memory. */
cudaError_t vfi_cuda_activate(cudaStream_t stream, const VfiCudaTensor *src,
                              VfiActivationKind kind, const float *slope, float leak,
                              const VfiCudaTensor *dst);
/* dst = *input * mul + add; @input is in device memory. */
cudaError_t vfi_cuda_fill(cudaStream_t stream, const float *input, float mul, float add,
                          const VfiCudaTensor *dst);

/* ---- between layouts (layout.cu) --------------------------------------------------- */

/* COPY and CONVERT: dst = src for any two layouts and storages, planar f16 and parts that
 * begin anywhere included. */
cudaError_t vfi_cuda_copy(cudaStream_t stream, const VfiCudaTensor *src,
                          const VfiCudaTensor *dst);

/* ---- moving pixels (resample.cu, warp.cu) ------------------------------------------ */

/* Bilinear, half-pixel centres, no antialias, values times mul; planar f32. */
cudaError_t vfi_cuda_resize(cudaStream_t stream, const VfiCudaTensor *src, float mul,
                            const VfiCudaTensor *dst);
/* These four take any layout and storage that src and dst have in common; dst may be a
 * part that begins anywhere. */
cudaError_t vfi_cuda_pool(cudaStream_t stream, const VfiCudaTensor *src,
                          const VfiCudaTensor *dst);
cudaError_t vfi_cuda_nearest(cudaStream_t stream, const VfiCudaTensor *src,
                             const VfiCudaTensor *dst);
cudaError_t vfi_cuda_upsample_conv_sum(cudaStream_t stream, const VfiCudaTensor *src,
                                       const float *bias, const VfiCudaTensor *dst);
/* src and flow (2 planes, in pixels, planar f32) have dst's size. Coordinates are f32,
 * clamped to the edge, as in the CPU's WARP. */
cudaError_t vfi_cuda_warp(cudaStream_t stream, const VfiCudaTensor *src,
                          const VfiCudaTensor *flow, const VfiCudaTensor *dst);
/* dst[c, 2y+i, 2x+j] = src[4c+2i+j, y, x]; src in any layout, dst planar, f32 or f16. */
cudaError_t vfi_cuda_pixel_shuffle(cudaStream_t stream, const VfiCudaTensor *src,
                                   const VfiCudaTensor *dst);

/* ---- after a convolution (epilogue.cu) --------------------------------------------- */

typedef struct {
    const float *bias; /* one per channel, device memory; or NULL */
    VfiActivationKind activation;
    const float *slope; /* PRELU: one per channel, device memory */
    float leak;
    VfiResidual residual;
} VfiCudaEpilogue;

/* dst = what follows a convolution (VfiConvParams in op/), computed in f32 from @sums
 * (f16 or f32, any layout; channels rounded up to 8 where they are last). dst has any
 * layout, planar f16 and parts that begin anywhere included, and may lie on @sums or
 * @residual. So may @residual, which is NULL without one. */
cudaError_t vfi_cuda_epilogue(cudaStream_t stream, const VfiCudaTensor *sums,
                              const VfiCudaEpilogue *epilogue,
                              const VfiCudaTensor *residual, const VfiCudaTensor *dst);

/* ---- over a whole tensor (reduce.cu) ----------------------------------------------- */

/* *result (device memory) = max |src| over the planes, planar f32. */
cudaError_t vfi_cuda_max_abs(cudaStream_t stream, const VfiCudaTensor *src,
                             float *result);

#ifdef __cplusplus
}
#endif
