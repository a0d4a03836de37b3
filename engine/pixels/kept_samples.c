/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kept samples, row by row: how much of each luma pixel is kept, of chroma's the mean of
 * that, then the blend of both frames' samples mixed in. */
#include "pixels/level.h"

#include <stdbool.h>

#include "pixels/keep.h"
#include "pixels/samples.h"

/* Weights of the frames count in 1/65536. */
#define ONE 65536u

/* Luma pixels that chroma of a block reads. */
#define SPAN (2 * VFI_PIXELS_BLOCK)

typedef struct {
    const VfiVideoInfo *info;
    const VfiFormatDescription *format;
    const VfiFrame *frame[2], *out;
    const VfiKeep *keep;
    uint32_t weight; /* of frame 1 */
} Keeping;

/* ---- how much ---------------------------------------------------------------------- */

static void take_more(uint8_t *restrict kept, const uint8_t *restrict other, int n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        kept[i] = kept[i] > other[i] ? kept[i] : other[i];
}

/* Of the part of a region that lies in luma columns [x, x + n). */
static void take_region(uint8_t *kept, const VfiRectangle *region, int x, int n)
{
    const int64_t end = (int64_t)region->x + region->width;
    const int64_t first = region->x > x ? region->x : x;
    const int64_t last = end < x + n ? end : x + n;

    if (first < last)
        memset(kept + (first - x), 255, (size_t)(last - first));
}

/* Of @n luma pixels from column @x of row @y on. False: of none of them anything. */
static bool kept_row(const Keeping *work, int x, int n, int y, uint8_t *kept)
{
    uint8_t any = 0;

    memset(kept, 0, (size_t)n);
    for (int i = 0; i < VFI_KEEP_MASKS; i++)
        if (work->keep->mask[i] != NULL)
            take_more(kept, work->keep->mask[i] + (size_t)y * work->keep->stride[i] + x,
                      n);
    for (int i = 0; i < work->keep->n_regions; i++) {
        const VfiRectangle *region = &work->keep->regions[i];
        if (y >= region->y && y < (int64_t)region->y + region->height)
            take_region(kept, region, x, n);
    }
    for (ptrdiff_t i = 0; i < n; i++)
        any |= kept[i];
    return any != 0;
}

/* Adds to each of @n sums what lies @step × i pixels behind @from, those behind
 * @last as that. */
static void add_pixels(uint16_t *restrict sum, const uint8_t *restrict from, int n,
                       int step, int last)
{
    for (int i = 0; i < n; i++) {
        const int at = i * step < last ? i * step : last;
        sum[i] = (uint16_t)(sum[i] + from[at]);
    }
}

/* Of @n samples of a grid from (@x, @y) on: the mean of the luma pixels of each. */
static bool kept_samples(const Keeping *work, const VfiPlaneLayout *layout, int x, int n,
                         int y, uint8_t *kept)
{
    const VfiVideoInfo *info = work->info;
    const int site = (int)info->chroma_site;
    const int pair_x = layout->shift_x && !(site & VFI_CHROMA_SITE_HORIZONTAL);
    const int pair_y = layout->shift_y && !(site & VFI_CHROMA_SITE_VERTICAL);
    const int first = x << layout->shift_x;
    const int span = n << layout->shift_x;
    const int pixels = span < info->width - first ? span : info->width - first;
    uint16_t sum[VFI_PIXELS_BLOCK];
    uint8_t luma[SPAN];
    bool any = false;

    if (layout->shift_x == 0 && layout->shift_y == 0)
        return kept_row(work, x, n, y, kept);
    memset(sum, 0, sizeof sum);
    for (int j = 0; j <= pair_y; j++) {
        const int row = (y << layout->shift_y) + j;
        if (!kept_row(work, first, pixels, row < info->height ? row : info->height - 1,
                      luma))
            continue;
        any = true;
        for (int i = 0; i <= pair_x; i++)
            add_pixels(sum, luma + (i < pixels ? i : 0), n, 1 << layout->shift_x,
                       pixels - 1 - (i < pixels ? i : 0));
    }
    const int shift = pair_x + pair_y;
    for (int i = 0; any && i < n; i++)
        kept[i] = (uint8_t)((sum[i] + (1 << shift >> 1)) >> shift);
    return any;
}

/* ---- of what ----------------------------------------------------------------------- */

VFI_ALWAYS_INLINE uint32_t mixed(uint32_t made, uint32_t a, uint32_t b, uint32_t weight,
                                 uint32_t kept)
{
    const uint32_t blend = (a * (ONE - weight) + b * weight + ONE / 2) / ONE;

    return (made * (255 - kept) + blend * kept + 127) / 255;
}

VFI_ALWAYS_INLINE void mix_u8(uint8_t *restrict out, const uint8_t *restrict a,
                              const uint8_t *restrict b, int n, int stride,
                              uint32_t weight, const uint8_t *restrict kept)
{
    for (ptrdiff_t i = 0; i < n; i++)
        out[i * stride] = (uint8_t)mixed(out[i * stride], a[i * stride], b[i * stride],
                                         weight, kept[i]);
}

VFI_ALWAYS_INLINE void mix_u16(uint16_t *restrict out, const uint16_t *restrict a,
                               const uint16_t *restrict b, int n, int stride, int shift,
                               uint32_t weight, const uint8_t *restrict kept)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        const uint32_t code =
            mixed((uint32_t)out[i * stride] >> shift, (uint32_t)a[i * stride] >> shift,
                  (uint32_t)b[i * stride] >> shift, weight, kept[i]);
        out[i * stride] = (uint16_t)(code << shift);
    }
}

static void mix_f32(float *restrict out, const float *restrict a, const float *restrict b,
                    int n, uint32_t weight, const uint8_t *restrict kept)
{
    const float t = (float)weight / (float)ONE;

    for (ptrdiff_t i = 0; i < n; i++) {
        const float blend = a[i] * (1.0f - t) + b[i] * t;
        const float part = (float)kept[i] / 255.0f;
        out[i] = out[i] * (1.0f - part) + blend * part;
    }
}

/* @n samples of a component from (@x, @y) on. */
static void mix_component(const Keeping *work, const VfiComponent *component, int x,
                          int n, int y, const uint8_t *kept)
{
    const VfiFormatDescription *format = work->format;
    uint8_t *out = vfi_sample_at(work->out, component, x, y);
    const uint8_t *a = vfi_sample_at(work->frame[0], component, x, y);
    const uint8_t *b = vfi_sample_at(work->frame[1], component, x, y);
    const int stride = component->pixel_stride / format->sample_bytes;

    if (format->sample_bytes == 4)
        mix_f32((float *)(void *)out, (const float *)(const void *)a,
                (const float *)(const void *)b, n, work->weight, kept);
    else if (format->sample_bytes == 2)
        mix_u16((uint16_t *)(void *)out, (const uint16_t *)(const void *)a,
                (const uint16_t *)(const void *)b, n, stride, format->shift, work->weight,
                kept);
    else if (stride == 1)
        mix_u8(out, a, b, n, 1, work->weight, kept);
    else
        mix_u8(out, a, b, n, stride, work->weight, kept);
}

/* t in [0,1] to 1/65536, as in blend.c. */
static uint32_t weight_of(double t)
{
    const double clamped = t > 0 ? (t < 1 ? t : 1) : 0;

    return (uint32_t)(clamped * ONE + 0.5);
}

/* Row @y of the grid of @plane. */
static void keep_row(const Keeping *work, int plane, const VfiPlaneLayout *layout, int y)
{
    const VfiFormatDescription *format = work->format;
    const int width = vfi_subsampled(work->info->width, layout->shift_x);
    uint8_t kept[VFI_PIXELS_BLOCK];

    for (int x = 0; x < width; x += VFI_PIXELS_BLOCK) {
        const int n = width - x < VFI_PIXELS_BLOCK ? width - x : VFI_PIXELS_BLOCK;
        if (!kept_samples(work, layout, x, n, y, kept))
            continue;
        for (int c = 0; c < format->n_components; c++)
            if (format->component[c].plane == plane)
                mix_component(work, &format->component[c], x, n, y, kept);
    }
}

void VFI_PIXELS_AT_LEVEL(vfi_pixels_keep)(const VfiVideoInfo *info,
                                          const VfiFrame *frame0, const VfiFrame *frame1,
                                          double t, const VfiKeep *keep,
                                          const VfiFrame *out, int begin, int end)
{
    const Keeping work = {.info = info,
                          .format = vfi_format_describe(info->format),
                          .frame = {frame0, frame1},
                          .out = out,
                          .keep = keep,
                          .weight = weight_of(t)};

    for (int plane = 0; plane < work.format->n_planes; plane++) {
        const VfiPlaneLayout layout = vfi_format_plane(work.format, plane);
        for (int y = begin >> layout.shift_y; y < vfi_subsampled(end, layout.shift_y);
             y++)
            keep_row(&work, plane, &layout, y);
    }
}
