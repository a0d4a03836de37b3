/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's luma on a grid of boxes. */
#include "pixels/level.h"

#include "pixels/format.h"
#include "pixels/samples.h"

/* out = the @n samples of luma from column @x of row @y on, weighted codes. */
static void load_luma(const VfiFormatDescription *format, const VfiFrame *frame, int x,
                      int y, int n, float *restrict out)
{
    const VfiLumaWeights luma = vfi_luma_weights(format);
    float codes[VFI_PIXELS_BLOCK];

    for (int i = 0; i < n; i++)
        out[i] = 0.0f;
    for (int c = 0; c < luma.n; c++) {
        const VfiComponent *component = &format->component[c];
        const float weight = luma.weight[c];

        vfi_load_codes(codes, vfi_sample_at(frame, component, x, y), n, format,
                       component);
        if (format->sample_bytes == 4)
            for (int i = 0; i < n; i++)
                codes[i] = vfi_clamp(codes[i], 1.0f);
        for (int i = 0; i < n; i++)
            out[i] += weight * codes[i];
    }
}

/* Sums of @side neighbours each, times @scale. */
static void sum_columns(float *restrict out, const float *restrict in, int n, int side,
                        float scale)
{
    if (side == 1)
        for (ptrdiff_t i = 0; i < n; i++)
            out[i] = scale * in[i];
    else if (side == 2)
        for (ptrdiff_t i = 0; i < n; i++)
            out[i] = scale * (in[2 * i] + in[2 * i + 1]);
    else
        for (ptrdiff_t i = 0; i < n; i++)
            out[i] =
                scale * ((in[4 * i] + in[4 * i + 1]) + (in[4 * i + 2] + in[4 * i + 3]));
}

void VFI_PIXELS_AT_LEVEL(vfi_pixels_luma_grid)(const VfiVideoInfo *info,
                                               const VfiFrame *frame, int level,
                                               float *out, size_t row, int begin, int end)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const int side = 1 << level;
    const float most =
        format->sample_bytes == 4 ? 1.0f : (float)((1u << format->depth) - 1);
    const float scale = 255.0f / (most * (float)(side * side));
    float sum[VFI_PIXELS_BLOCK], luma[VFI_PIXELS_BLOCK];

    for (int y = begin; y < end; y++)
        for (int x = 0; x < info->width; x += VFI_PIXELS_BLOCK) {
            const int n =
                info->width - x < VFI_PIXELS_BLOCK ? info->width - x : VFI_PIXELS_BLOCK;
            const int padded = (n + side - 1) / side * side;

            for (int i = 0; i < padded; i++)
                sum[i] = 0.0f;
            for (int k = 0; k < side; k++) {
                int line = y * side + k;
                if (line >= info->height)
                    line = info->height - 1;
                load_luma(format, frame, x, line, n, luma);
                for (int i = 0; i < n; i++)
                    sum[i] += luma[i];
            }
            for (int i = n; i < padded; i++)
                sum[i] = sum[n - 1];
            sum_columns(out + (size_t)y * row + (x >> level), sum, padded / side, side,
                        scale);
        }
}
