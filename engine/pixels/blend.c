/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The weighted mean of two frames in exact integer arithmetic, whatever the samples
 * mean. */
#include "pixels/level.h"

#include "pixels/format.h"
#include "pixels/samples.h"

/* Weights count in 1/65536. */
#define ONE 65536u

static uint32_t mean_u32(uint32_t a, uint32_t b, uint32_t weight_a, uint32_t weight_b)
{
    return (a * weight_a + b * weight_b + ONE / 2) / ONE;
}

static void blend_u8(const uint8_t *a, const uint8_t *b, uint8_t *out, size_t n,
                     uint32_t weight)
{
    uint32_t weight_a = ONE - weight;

    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)mean_u32(a[i], b[i], weight_a, weight);
}

/* Codes of at most 16 bits above @shift unused low bits, which become zero. */
static void blend_u16(const uint16_t *a, const uint16_t *b, uint16_t *out, size_t n,
                      uint32_t weight, int shift)
{
    uint32_t weight_a = ONE - weight;

    for (size_t i = 0; i < n; i++) {
        uint32_t mean =
            mean_u32((uint32_t)a[i] >> shift, (uint32_t)b[i] >> shift, weight_a, weight);
        out[i] = (uint16_t)(mean << shift);
    }
}

static void blend_f32(const float *a, const float *b, float *out, size_t n,
                      uint32_t weight)
{
    float t = (float)weight / (float)ONE;

    for (size_t i = 0; i < n; i++)
        out[i] = a[i] * (1.0f - t) + b[i] * t;
}

/* t in [0,1] to 1/65536, nearest; NaN counts as 0. */
static uint32_t weight_of(double t)
{
    double clamped = t > 0 ? (t < 1 ? t : 1) : 0;

    return (uint32_t)(clamped * ONE + 0.5);
}

void VFI_PIXELS_AT_LEVEL(vfi_pixels_blend)(const VfiVideoInfo *info,
                                           const VfiFrame *frame0, const VfiFrame *frame1,
                                           double t, const VfiFrame *out, int begin,
                                           int end)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const uint32_t weight = weight_of(t);

    for (int plane = 0; plane < format->n_planes; plane++) {
        const int shift_y = vfi_format_plane(format, plane).shift_y;
        const size_t bytes = vfi_video_info_row_bytes(info, plane);

        for (int y = begin >> shift_y; y < vfi_subsampled(end, shift_y); y++) {
            const uint8_t *a = frame0->data[plane] + y * frame0->stride[plane];
            const uint8_t *b = frame1->data[plane] + y * frame1->stride[plane];
            uint8_t *row = out->data[plane] + y * out->stride[plane];

            if (format->sample_bytes == 1)
                blend_u8(a, b, row, bytes, weight);
            else if (format->sample_bytes == 2)
                blend_u16((const uint16_t *)(const void *)a,
                          (const uint16_t *)(const void *)b, (uint16_t *)(void *)row,
                          bytes / 2, weight, format->shift);
            else
                blend_f32((const float *)(const void *)a, (const float *)(const void *)b,
                          (float *)(void *)row, bytes / 4, weight);
        }
    }
    for (int y = begin; y < end; y++)
        vfi_store_filler(out, format, 0, y, info->width);
}
