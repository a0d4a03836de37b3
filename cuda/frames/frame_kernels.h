/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels between a frame's own planes and the network: pixels.h on the device, with the
 * same results to the bit (scene cells aside). Planes, images, flows and weights are in
 * device memory; the structures themselves are the host's. Each queues its work on
 * @stream. */
#pragma once

#include <cuda_runtime_api.h>

#include <vfi/frame.h>

#include "pixels/pixels.h"
#include "scene/repeats.h"

#ifdef __cplusplus
extern "C" {
#endif

cudaError_t vfi_cuda_prepare(cudaStream_t stream, const VfiVideoInfo *info,
                             const VfiFrame *frame, float *image, int padded_w,
                             int padded_h);
/* Floats of scratch that the next one wants. */
size_t vfi_cuda_image_mean_scratch(int width, int height);
/* *result (device memory) = the mean of the width × height × 3 values of a prepared image
 * of padded_w × padded_h, its padding left out; the same bits at every run, within 1e-6
 * of the exact one. */
cudaError_t vfi_cuda_image_mean(cudaStream_t stream, const float *image, int padded_w,
                                int padded_h, int width, int height, float *scratch,
                                double *result);
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
cudaError_t vfi_cuda_copy_frame(cudaStream_t stream, const VfiVideoInfo *info,
                                const VfiFrame *frame, const VfiFrame *out);
/* *different (device memory) becomes non-zero unless both frames hold the same bits (row
 * padding and the x byte of RGBx aside); the caller zeroes it before. */
cudaError_t vfi_cuda_compare_frames(cudaStream_t stream, const VfiVideoInfo *info,
                                    const VfiFrame *a, const VfiFrame *b,
                                    unsigned *different);
/* What vfi_scene_signature() computes: mean luma of width × height cells, row by row, to
 * @cells (device memory), within 1e-3 of the host's. */
cudaError_t vfi_cuda_scene_cells(cudaStream_t stream, const VfiVideoInfo *info,
                                 const VfiFrame *frame, int width, int height,
                                 float *cells);
/* *different (device memory) becomes non-zero if a block of 16 × 16 pixels differs by
 * more than @threshold, as vfi_frames_repeat() says for a positive one; the caller zeroes
 * it before. */
cudaError_t vfi_cuda_compare_blocks(cudaStream_t stream, const VfiVideoInfo *info,
                                    const VfiFrame *a, const VfiFrame *b,
                                    double threshold, unsigned *different);
/* What is found in a part of the frames, which are cut in VFI_CUDA_REPEAT_PARTS. */
#define VFI_CUDA_REPEAT_PARTS 224
typedef struct {
    VfiRepeatSums sums;
    int changed; /* not 0: some block has */
    int doubted; /* not 0: more than VFI_REPEATS_DOUBT is explained of some block */
} VfiCudaRepeatPart;

/* *different (device memory) becomes 0 if vfi_repeats_seen() is true, else 1; @parts
 * (device memory too) is room for VFI_CUDA_REPEAT_PARTS. */
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
