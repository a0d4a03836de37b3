/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels between a frame's own planes and the network: the functions of pixels.h on the
 * device, with the same bits as the CPU's (but for scene cells). Planes, images, flows
 * and weights are in device memory, the structures that point to them in the host's. Each
 * function queues its work on @stream and returns the launch's error. */
#pragma once

#include <cuda_runtime_api.h>

#include <vfi/frame.h>

#include "pixels/minimum_area.h"
#include "pixels/keep.h"
#include "pixels/pixels.h"
#include "scene/repeats.h"

#ifdef __cplusplus
extern "C" {
#endif

cudaError_t vfi_cuda_prepare(cudaStream_t stream, const VfiVideoInfo *info,
                             const VfiFrame *frame, float *image, int padded_w,
                             int padded_h, VfiPadding padding);
/* Floats of scratch that vfi_cuda_image_mean() needs. */
size_t vfi_cuda_image_mean_scratch(int width, int height);
/* *result (device memory) = the mean of the width × height × 3 values of a prepared image
 * of padded_w × padded_h, its padding left out; the same bits at every run, within 1e-6
 * of the exact mean. */
cudaError_t vfi_cuda_image_mean(cudaStream_t stream, const float *image, int padded_w,
                                int padded_h, int width, int height, float *scratch,
                                double *result);
/* result[0] and result[1] (device memory) = the least value of a part of a prepared
 * image, and of it shrunk: the CPU's bits. @scratch has so many floats. */
size_t vfi_cuda_image_minimum_scratch(void);
cudaError_t vfi_cuda_image_minimum(cudaStream_t stream, const float *image, int padded_w,
                                   int padded_h, const VfiMinimumArea *area,
                                   float *scratch, float *result);
cudaError_t vfi_cuda_warp_blend(cudaStream_t stream, const VfiVideoInfo *info,
                                const VfiFrame *frame0, const VfiFrame *frame1,
                                const VfiFlowField *field, const VfiFrame *out, int begin,
                                int end);
cudaError_t vfi_cuda_rgb_to_planes(cudaStream_t stream, const VfiVideoInfo *info,
                                   const VfiRgbPicture *picture, const VfiFrame *frame0,
                                   const VfiFrame *frame1, double t, const VfiFrame *out,
                                   int begin, int end);
cudaError_t vfi_cuda_blend(cudaStream_t stream, const VfiVideoInfo *info,
                           const VfiFrame *frame0, const VfiFrame *frame1, double t,
                           const VfiFrame *out);
/* vfi_pixels_keep() of the whole picture. @mask: kept->mask[0] in device memory, its rows
 * as long as the picture's, or NULL; there is no other one. */
cudaError_t vfi_cuda_keep(cudaStream_t stream, const VfiVideoInfo *info,
                          const VfiFrame *frame0, const VfiFrame *frame1, double t,
                          const VfiKeep *kept, const uint8_t *mask, const VfiFrame *out);
cudaError_t vfi_cuda_copy_frame(cudaStream_t stream, const VfiVideoInfo *info,
                                const VfiFrame *frame, const VfiFrame *out);
/* *different (device memory) becomes non-zero unless both frames hold the same bits
 * (apart from row padding and the x byte of RGBx); the caller sets it to 0 before. */
cudaError_t vfi_cuda_compare_frames(cudaStream_t stream, const VfiVideoInfo *info,
                                    const VfiFrame *a, const VfiFrame *b,
                                    unsigned *different);
/* The cells of vfi_scene_signature(): the mean luma of width × height cells, row by row,
 * to @cells (device memory), within 1e-3 of the host's. */
cudaError_t vfi_cuda_scene_cells(cudaStream_t stream, const VfiVideoInfo *info,
                                 const VfiFrame *frame, int width, int height,
                                 float *cells);
/* *different (device memory) becomes non-zero if the mean difference of a block of 16 ×
 * 16 pixels is more than @threshold, as in vfi_frames_repeat() for a positive one; the
 * caller sets it to 0 before. */
cudaError_t vfi_cuda_compare_blocks(cudaStream_t stream, const VfiVideoInfo *info,
                                    const VfiFrame *a, const VfiFrame *b,
                                    double threshold, unsigned *different);
/* What was found in a part of the frames, which are divided into
 * VFI_CUDA_REPEAT_PARTS. */
#define VFI_CUDA_REPEAT_PARTS 224
typedef struct {
    VfiRepeatSums sums;
    int changed; /* not 0: a block has changed */
    int doubted; /* not 0: of a block more than VFI_REPEATS_DOUBT is explained */
} VfiCudaRepeatPart;

/* *different (device memory) becomes 0 if vfi_repeats_seen() holds, else 1. @parts: room
 * for VFI_CUDA_REPEAT_PARTS in device memory. */
cudaError_t vfi_cuda_see_repeat(cudaStream_t stream, const VfiVideoInfo *info,
                                const VfiFrame *a, const VfiFrame *b,
                                VfiCudaRepeatPart *parts, unsigned *different);

cudaError_t vfi_cuda_slide_band(cudaStream_t stream, const VfiTileBand *band,
                                int first_row);
/* place->weight_x and weight_y are in device memory. */
cudaError_t vfi_cuda_add_tile(cudaStream_t stream, const VfiTileBand *band,
                              const float *tile, int first_plane, int n_planes,
                              const VfiTilePlace *place);

#ifdef __cplusplus
}
#endif
