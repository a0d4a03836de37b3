/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels of the planned ops (op.h), one function each that queues the work on a stream.
 * They check nothing: the backend looked at the ops when it compiled the plan. Memory is
 * the device's. Results do not depend on launch sizes: the same bits at every run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cuda_runtime_api.h>

#include "op/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One operand in device memory. Planar (pixel_stride 0): c planes of h × w f32, one after
 * the other. Channels last: element (channel, y, x) is at (y * w + x) * pixel_stride +
 * channel; pixel_stride is a multiple of 8 elements, f16 or f32. The tensor may be a
 * piece of a pixel's channels: it begins at a multiple of 8, or anywhere where that is
 * said. What lies between c and pixel_stride belongs to others or is padding; padding up
 * to the pixel's next multiple of 8 channels holds zeros, which whoever writes the
 * tensor's last channels also writes, unless it is followed. */
typedef struct {
    void *data;
    int c, h, w;
    int pixel_stride;
    bool half;     /* f16; planar tensors are so only where that is said */
    bool followed; /* another piece of the pixel begins behind the last channel */
} VfiCudaTensor;

/* What changes between runs of a captured graph; in device memory, written before it
 * runs. */
typedef struct {
    float time;       /* t of the in-between */
    float image_mean; /* of the pair's frames */
} VfiCudaRunValues;

/* *values (device memory) = those; queued, so that runs that wait see their own
 * (run_values.cu). */
cudaError_t vfi_cuda_set_values(cudaStream_t stream, VfiCudaRunValues *values, float time,
                                float image_mean);

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
/* dst = time * mul + add; dst = image_mean * mul + add */
cudaError_t vfi_cuda_fill_time(cudaStream_t stream, const VfiCudaRunValues *values,
                               float mul, float add, const VfiCudaTensor *dst);
cudaError_t vfi_cuda_fill_image_mean(cudaStream_t stream, const VfiCudaRunValues *values,
                                     float mul, float add, const VfiCudaTensor *dst);

/* ---- between layouts (layout.cu) --------------------------------------------------- */

/* dst = src for any two layouts and storages, planar f16 and pieces that begin anywhere
 * included; also zeroes dst's padding channels when it is channels last. COPY and
 * CONVERT. */
cudaError_t vfi_cuda_copy(cudaStream_t stream, const VfiCudaTensor *src,
                          const VfiCudaTensor *dst);

/* ---- moving pixels (resample.cu, warp.cu) ------------------------------------------ */

/* Bilinear, half-pixel centres, no antialias, values times mul; planar f32. */
cudaError_t vfi_cuda_resize(cudaStream_t stream, const VfiCudaTensor *src, float mul,
                            const VfiCudaTensor *dst);
/* These four take any one layout and storage for src and dst (see op.h); dst may be a
 * piece that begins anywhere. */
cudaError_t vfi_cuda_pool(cudaStream_t stream, const VfiCudaTensor *src,
                          const VfiCudaTensor *dst);
cudaError_t vfi_cuda_nearest(cudaStream_t stream, const VfiCudaTensor *src,
                             const VfiCudaTensor *dst);
cudaError_t vfi_cuda_upsample_conv_sum(cudaStream_t stream, const VfiCudaTensor *src,
                                       const float *bias, const VfiCudaTensor *dst);
/* src and flow (2 planes, pixels, planar f32) have dst's size; coordinates in f32,
 * samples clamped to the edge: as the CPU's VFI_OP_WARP. */
cudaError_t vfi_cuda_warp(cudaStream_t stream, const VfiCudaTensor *src,
                          const VfiCudaTensor *flow, const VfiCudaTensor *dst);
/* dst[c, 2y+i, 2x+j] = src[4c+2i+j, y, x]; src in any layout, dst planar, f32 or f16. */
cudaError_t vfi_cuda_pixel_shuffle(cudaStream_t stream, const VfiCudaTensor *src,
                                   const VfiCudaTensor *dst);

/* ---- after a convolution (epilogue.cu) --------------------------------------------- */

typedef struct {
    const float *bias; /* one a channel, device memory; or NULL */
    VfiActivationKind activation;
    const float *slope; /* PRELU: one a channel, device memory */
    float leak;
    VfiResidual residual;
} VfiCudaEpilogue;

/* dst = what op.h says follows a convolution whose sums are @sums (channels last, f16 or
 * f32, channels rounded up to 8). dst is in any layout, planar f16 and pieces that begin
 * anywhere included, and may be @sums or @residual; @residual (NULL without one) is in
 * any layout, or such a piece. Computed in f32. */
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
