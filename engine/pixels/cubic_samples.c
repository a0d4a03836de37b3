/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/cubic_samples.h"

/* Weights of the four taps around a place, @part of a sample behind the second. */
VFI_ALWAYS_INLINE void cubic_weights(float part, float weight[4])
{
    const float rest = 1.0f - part, half = 0.5f * part * rest;

    weight[0] = -half * rest;
    weight[3] = -half * part;
    weight[1] = 1.0f + part * part * (1.5f * part - 2.5f);
    weight[2] = 1.0f - weight[1] - weight[0] - weight[3];
}

/* The first of the four taps at @place, which is kept where all taps are the edge beyond
 * it; NaN is a place before the first sample. */
VFI_ALWAYS_INLINE int first_tap(float place, int size, float *part)
{
    const float inside = vfi_clamp(place + 2.0f, (float)(size + 3));
    const int whole = (int)inside;

    *part = inside - (float)whole;
    return whole - 3;
}

VFI_ALWAYS_INLINE int clamp_tap(int at, int size)
{
    return at < 0 ? 0 : at < size ? at : size - 1;
}

VFI_ALWAYS_INLINE float load_code(const uint8_t *sample, int bytes, int shift)
{
    if (bytes == 1)
        return (float)*sample;
    if (bytes == 2)
        return (float)(*(const uint16_t *)(const void *)sample >> shift);
    return *(const float *)(const void *)sample;
}

/* The taps of one sample: byte offsets of columns, rows, and weights. */
typedef struct {
    ptrdiff_t column[4];
    const uint8_t *row[4];
    float weight_x[4], weight_y[4];
} Taps;

VFI_ALWAYS_INLINE Taps find_taps(const VfiCubicPlane *plane, float x, float y)
{
    Taps taps;
    float part_x, part_y;
    const int left = first_tap(x, plane->width, &part_x);
    const int top = first_tap(y, plane->height, &part_y);

    for (int k = 0; k < 4; k++) {
        taps.column[k] =
            (ptrdiff_t)clamp_tap(left + k, plane->width) * plane->pixel_stride;
        taps.row[k] = plane->data + clamp_tap(top + k, plane->height) * plane->stride;
    }
    cubic_weights(part_x, taps.weight_x);
    cubic_weights(part_y, taps.weight_y);
    return taps;
}

VFI_ALWAYS_INLINE float sample_at_taps(const Taps *taps, int offset, int bytes, int shift)
{
    float value = 0;

    for (int j = 0; j < 4; j++) {
        float line = 0;
        for (int i = 0; i < 4; i++)
            line += taps->weight_x[i] *
                    load_code(taps->row[j] + taps->column[i] + offset, bytes, shift);
        value += taps->weight_y[j] * line;
    }
    return value;
}

VFI_ALWAYS_INLINE void add_samples(const VfiCubicPlane *plane, const VfiCubicRun *run,
                                   int bytes, int shift, float (*sum)[VFI_PIXELS_BLOCK])
{
    for (int i = 0; i < run->n; i++) {
        const float weight = run->weight[i] * run->share;
        const Taps taps =
            find_taps(plane, (float)(run->x + i) + run->scale_x * run->vector_x[i],
                      (float)run->y + run->scale_y * run->vector_y[i]);
        for (int c = 0; c < plane->n_components; c++)
            sum[c][i] += weight * sample_at_taps(&taps, plane->offset[c], bytes, shift);
    }
}

void vfi_cubic_add_samples(const VfiCubicPlane *plane, const VfiCubicRun *run,
                           float (*sum)[VFI_PIXELS_BLOCK])
{
    if (plane->sample_bytes == 1)
        add_samples(plane, run, 1, 0, sum);
    else if (plane->sample_bytes == 2)
        add_samples(plane, run, 2, plane->shift, sum);
    else
        add_samples(plane, run, 4, 0, sum);
}
