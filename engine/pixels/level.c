/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/level.h"

#include "machine/cpu_level.h"

typedef struct {
    VfiPixelsPrepare *prepare;
    VfiPixelsWarpBlend *warp_blend;
    VfiPixelsSynthesize *synthesize;
    VfiPixelsRgbToPlanes *rgb_to_planes;
    VfiPixelsBlend *blend;
    VfiPixelsGrid *grid;
    VfiPixelsKeep *keep;
    VfiOverlayRun *overlay_run;
} Functions;

static const Functions *functions(void)
{
    static const Functions plain = {.prepare = vfi_pixels_prepare_c,
                                    .warp_blend = vfi_pixels_warp_blend_c,
                                    .synthesize = vfi_pixels_synthesize_c,
                                    .rgb_to_planes = vfi_pixels_rgb_to_planes_c,
                                    .blend = vfi_pixels_blend_c,
                                    .grid = vfi_pixels_grid_c,
                                    .keep = vfi_pixels_keep_c,
                                    .overlay_run = vfi_overlay_run_c};
#ifdef VFI_PIXELS_HAVE_AVX2
    static const Functions avx2 = {.prepare = vfi_pixels_prepare_avx2,
                                   .warp_blend = vfi_pixels_warp_blend_avx2,
                                   .synthesize = vfi_pixels_synthesize_avx2,
                                   .rgb_to_planes = vfi_pixels_rgb_to_planes_avx2,
                                   .blend = vfi_pixels_blend_avx2,
                                   .grid = vfi_pixels_grid_avx2,
                                   .keep = vfi_pixels_keep_avx2,
                                   .overlay_run = vfi_overlay_run_avx2};

    static const Functions avx512 = {.prepare = vfi_pixels_prepare_avx2,
                                     .warp_blend = vfi_pixels_warp_blend_avx2,
                                     .synthesize = vfi_pixels_synthesize_avx512,
                                     .rgb_to_planes = vfi_pixels_rgb_to_planes_avx2,
                                     .blend = vfi_pixels_blend_avx2,
                                     .grid = vfi_pixels_grid_avx2,
                                     .keep = vfi_pixels_keep_avx2,
                                     .overlay_run = vfi_overlay_run_avx2};

    if (vfi_cpu_level() >= VFI_CPU_LEVEL_AVX512)
        return &avx512;
    if (vfi_cpu_level() >= VFI_CPU_LEVEL_AVX2)
        return &avx2;
#endif
    return &plain;
}

void vfi_pixels_prepare(const VfiVideoInfo *info, const VfiFrame *frame, float *out,
                        int padded_w, int padded_h, VfiPadding padding, int begin,
                        int end)
{
    functions()->prepare(info, frame, out, padded_w, padded_h, padding, begin, end);
}

void vfi_pixels_warp_blend(const VfiVideoInfo *info, const VfiFrame *frame0,
                           const VfiFrame *frame1, const VfiFlowField *field,
                           const VfiFrame *out, int begin, int end)
{
    functions()->warp_blend(info, frame0, frame1, field, out, begin, end);
}

void vfi_pixels_synthesize(const VfiVideoInfo *info, const VfiFrame *frame0,
                           const VfiFrame *frame1, const VfiMotion *motion,
                           const VfiFrame *out, int begin, int end)
{
    functions()->synthesize(info, frame0, frame1, motion, out, begin, end);
}

void vfi_pixels_rgb_to_planes(const VfiVideoInfo *info, const VfiRgbPicture *picture,
                              const VfiFrame *frame0, const VfiFrame *frame1, double t,
                              const VfiFrame *out, int begin, int end)
{
    functions()->rgb_to_planes(info, picture, frame0, frame1, t, out, begin, end);
}

void vfi_pixels_blend(const VfiVideoInfo *info, const VfiFrame *frame0,
                      const VfiFrame *frame1, double t, const VfiFrame *out, int begin,
                      int end)
{
    functions()->blend(info, frame0, frame1, t, out, begin, end);
}

void vfi_pixels_grid(const VfiVideoInfo *info, const VfiFrame *frame, int component,
                     int level, float *out, size_t row, int begin, int end)
{
    functions()->grid(info, frame, component, level, out, row, begin, end);
}

void vfi_pixels_keep(const VfiVideoInfo *info, const VfiFrame *frame0,
                     const VfiFrame *frame1, double t, const VfiKeep *keep,
                     const VfiFrame *out, int begin, int end)
{
    functions()->keep(info, frame0, frame1, t, keep, out, begin, end);
}

void vfi_overlay_run(const VfiOverlayFinder *finder, VfiOverlayPass pass,
                     const VfiVideoInfo *info, const VfiFrame *frame0,
                     const VfiFrame *frame1, int begin, int end)
{
    functions()->overlay_run(finder, pass, info, frame0, frame1, begin, end);
}
