/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pixel sources are compiled once a level of instruction sets, each time with another
 * suffix (VFI_PIXELS_LEVEL from the build); level.c picks the level at run time. The same
 * C gives the same bits at every level: no contraction, no reassociation. Only synthesis
 * from motion has vectors of its own (vectors.h), which round otherwise. */
#pragma once

#include "pixels/keep.h"
#include "pixels/motion.h"
#include "pixels/overlay.h"
#include "pixels/pixels.h"

#ifndef VFI_PIXELS_LEVEL
#define VFI_PIXELS_LEVEL c
#endif

/* Where the build makes the level avx2 and, of synthesis alone, avx512. */
#ifdef __x86_64__
#define VFI_PIXELS_HAVE_AVX2
#endif

#define VFI_PIXELS_JOIN_(name, level) name##_##level
#define VFI_PIXELS_JOIN(name, level) VFI_PIXELS_JOIN_(name, level)
#define VFI_PIXELS_AT_LEVEL(name) VFI_PIXELS_JOIN(name, VFI_PIXELS_LEVEL)

typedef void VfiPixelsPrepare(const VfiVideoInfo *info, const VfiFrame *frame, float *out,
                              int padded_w, int padded_h, VfiPadding padding, int begin,
                              int end);
typedef void VfiPixelsWarpBlend(const VfiVideoInfo *info, const VfiFrame *frame0,
                                const VfiFrame *frame1, const VfiFlowField *field,
                                const VfiFrame *out, int begin, int end);
typedef void VfiPixelsSynthesize(const VfiVideoInfo *info, const VfiFrame *frame0,
                                 const VfiFrame *frame1, const VfiMotion *motion,
                                 const VfiFrame *out, int begin, int end);
typedef void VfiPixelsRgbToPlanes(const VfiVideoInfo *info, const VfiRgbPicture *picture,
                                  const VfiFrame *frame0, const VfiFrame *frame1,
                                  double t, const VfiFrame *out, int begin, int end);
typedef void VfiPixelsBlend(const VfiVideoInfo *info, const VfiFrame *frame0,
                            const VfiFrame *frame1, double t, const VfiFrame *out,
                            int begin, int end);
typedef void VfiPixelsGrid(const VfiVideoInfo *info, const VfiFrame *frame, int component,
                           int level, float *out, size_t row, int begin, int end);
typedef void VfiPixelsKeep(const VfiVideoInfo *info, const VfiFrame *frame0,
                           const VfiFrame *frame1, double t, const VfiKeep *keep,
                           const VfiFrame *out, int begin, int end);
typedef void VfiOverlayRun(const VfiOverlayFinder *finder, VfiOverlayPass pass,
                           const VfiVideoInfo *info, const VfiFrame *frame0,
                           const VfiFrame *frame1, int begin, int end);

VfiPixelsPrepare vfi_pixels_prepare_c, vfi_pixels_prepare_avx2;
VfiPixelsWarpBlend vfi_pixels_warp_blend_c, vfi_pixels_warp_blend_avx2;
VfiPixelsSynthesize vfi_pixels_synthesize_c, vfi_pixels_synthesize_avx2,
    vfi_pixels_synthesize_avx512;
VfiPixelsRgbToPlanes vfi_pixels_rgb_to_planes_c, vfi_pixels_rgb_to_planes_avx2;
VfiPixelsBlend vfi_pixels_blend_c, vfi_pixels_blend_avx2;
VfiPixelsGrid vfi_pixels_grid_c, vfi_pixels_grid_avx2;
VfiPixelsKeep vfi_pixels_keep_c, vfi_pixels_keep_avx2;
VfiOverlayRun vfi_overlay_run_c, vfi_overlay_run_avx2;
