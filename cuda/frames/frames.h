/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backend's functions on frames, see engine/backend/backend.h. */
#pragma once

#include "device/device.h"

bool vfi_cuda_prepare_frame(VfiDevice *device, const VfiVideoInfo *video,
                            const VfiFrame *frame, float *image, int padded_w,
                            int padded_h, VfiPadding padding, const atomic_int *cancel,
                            GError **error);
bool vfi_cuda_mean_of_image(VfiDevice *device, const float *image, int padded_w,
                            int padded_h, int width, int height, double *mean,
                            const atomic_int *cancel, GError **error);
bool vfi_cuda_minimum_of_image(VfiDevice *device, const float *image, int padded_w,
                               int padded_h, const VfiMinimumArea *area, float minimum[2],
                               const atomic_int *cancel, GError **error);
bool vfi_cuda_warp_blend_frame(VfiDevice *device, const VfiVideoInfo *video,
                               const VfiFrame *frame0, const VfiFrame *frame1,
                               const VfiFlowField *field, const VfiFrame *out, int begin,
                               int end, const atomic_int *cancel, GError **error);
bool vfi_cuda_rgb_to_planes_frame(VfiDevice *device, const VfiVideoInfo *video,
                                  const VfiRgbPicture *picture, const VfiFrame *frame0,
                                  const VfiFrame *frame1, double t, const VfiFrame *out,
                                  int begin, int end, const atomic_int *cancel,
                                  GError **error);
bool vfi_cuda_blend_frames(VfiDevice *device, const VfiVideoInfo *video,
                           const VfiFrame *frame0, const VfiFrame *frame1, double t,
                           const VfiFrame *out, const atomic_int *cancel, GError **error);
bool vfi_cuda_keep_parts(VfiDevice *device, const VfiVideoInfo *video,
                         const VfiFrame *frame0, const VfiFrame *frame1, double t,
                         const VfiKeep *keep, const VfiFrame *out,
                         const atomic_int *cancel, GError **error);
bool vfi_cuda_copy_planes(VfiDevice *device, const VfiVideoInfo *video,
                          const VfiFrame *frame, const VfiFrame *out,
                          const atomic_int *cancel, GError **error);
bool vfi_cuda_slide_band_to(VfiDevice *device, const VfiTileBand *band, int first_row,
                            const atomic_int *cancel, GError **error);
bool vfi_cuda_add_tile_to(VfiDevice *device, const VfiTileBand *band, const float *tile,
                          int first_plane, int n_planes, const VfiTilePlace *place,
                          const atomic_int *cancel, GError **error);
bool vfi_cuda_frames_equal(VfiDevice *device, const VfiVideoInfo *video,
                           const VfiFrame *a, const VfiFrame *b, bool *equal,
                           GError **error);
bool vfi_cuda_frames_repeat(VfiDevice *device, const VfiVideoInfo *video,
                            const VfiFrame *a, const VfiFrame *b, double threshold,
                            bool *repeat, GError **error);
bool vfi_cuda_scene_signature(VfiDevice *device, const VfiVideoInfo *video,
                              const VfiFrame *frame, VfiSceneSignature *signature,
                              GError **error);
