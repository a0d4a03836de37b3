/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses the level of the pixel functions; copying and comparing, which need none. */
#include "pixels/pixels.h"

#include <string.h>

#include "machine/cpu_level.h"
#include "pixels/format.h"
#include "pixels/level.h"

typedef struct {
    VfiPixelsPrepare *prepare;
    VfiPixelsWarpBlend *warp_blend;
    VfiPixelsRgbToPlanes *rgb_to_planes;
    VfiPixelsBlend *blend;
} Functions;

static const Functions *functions(void)
{
    static const Functions plain = {.prepare = vfi_pixels_prepare_c,
                                    .warp_blend = vfi_pixels_warp_blend_c,
                                    .rgb_to_planes = vfi_pixels_rgb_to_planes_c,
                                    .blend = vfi_pixels_blend_c};
#ifdef VFI_PIXELS_HAVE_AVX2
    static const Functions avx2 = {.prepare = vfi_pixels_prepare_avx2,
                                   .warp_blend = vfi_pixels_warp_blend_avx2,
                                   .rgb_to_planes = vfi_pixels_rgb_to_planes_avx2,
                                   .blend = vfi_pixels_blend_avx2};

    if (vfi_cpu_level() >= VFI_CPU_LEVEL_AVX2)
        return &avx2;
#endif
    return &plain;
}

void vfi_pixels_prepare(const VfiVideoInfo *info, const VfiFrame *frame, float *out,
                        int padded_w, int padded_h, int begin, int end)
{
    functions()->prepare(info, frame, out, padded_w, padded_h, begin, end);
}

void vfi_pixels_warp_blend(const VfiVideoInfo *info, const VfiFrame *frame0,
                           const VfiFrame *frame1, const VfiFlowField *field,
                           const VfiFrame *out, int begin, int end)
{
    functions()->warp_blend(info, frame0, frame1, field, out, begin, end);
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

void vfi_pixels_copy(const VfiVideoInfo *info, const VfiFrame *frame, const VfiFrame *out,
                     int begin, int end)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);

    for (int plane = 0; plane < format->n_planes; plane++) {
        const int shift_y = vfi_format_plane(format, plane).shift_y;
        const size_t bytes = vfi_video_info_row_bytes(info, plane);

        for (int y = begin >> shift_y; y < vfi_subsampled(end, shift_y); y++)
            memcpy(out->data[plane] + y * out->stride[plane],
                   frame->data[plane] + y * frame->stride[plane], bytes);
    }
}

/* Rows that differ somewhere: do they differ in more than the byte at @filler of a pixel?
 */
static bool used_bytes_equal(const uint8_t *a, const uint8_t *b, size_t bytes, int filler)
{
    for (size_t i = 0; i < bytes; i++)
        if (a[i] != b[i] && (int)(i % 4) != filler)
            return false;
    return true;
}

bool vfi_pixels_equal(const VfiVideoInfo *info, const VfiFrame *a, const VfiFrame *b)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const int filler = vfi_format_filler_offset(format);

    for (int plane = 0; plane < format->n_planes; plane++) {
        const size_t bytes = vfi_video_info_row_bytes(info, plane);
        const int rows = vfi_video_info_rows(info, plane);

        for (int y = 0; y < rows; y++) {
            const uint8_t *row_a = a->data[plane] + y * a->stride[plane];
            const uint8_t *row_b = b->data[plane] + y * b->stride[plane];

            if (memcmp(row_a, row_b, bytes) != 0 &&
                (filler < 0 || !used_bytes_equal(row_a, row_b, bytes, filler)))
                return false;
        }
    }
    return true;
}
