/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pixel formulas in plain double precision, one sample at a time, for the pixel
 * tests. */
#pragma once

#include <math.h>

#include "pixels_frames.h"

static inline double clamp_to(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* Bilinear sample of a component at (x, y); the edge repeats. */
static inline double bilinear_at(const TestFrame *test, int component, double x, double y)
{
    const int last_x = component_width(&test->info, component) - 1;
    const int last_y = component_height(&test->info, component) - 1;

    x = clamp_to(x, 0, last_x);
    y = clamp_to(y, 0, last_y);
    int x0 = (int)x, y0 = (int)y;
    int x1 = x0 < last_x ? x0 + 1 : x0, y1 = y0 < last_y ? y0 + 1 : y0;
    double fx = x - x0, fy = y - y0;
    double upper = get_code(test, component, x0, y0) * (1 - fx) +
                   get_code(test, component, x1, y0) * fx;
    double lower = get_code(test, component, x0, y1) * (1 - fx) +
                   get_code(test, component, x1, y1) * fx;
    return upper * (1 - fy) + lower * fy;
}

static inline bool has_chroma(const VfiVideoInfo *info)
{
    return vfi_format_describe(info->format)->colour == VFI_FAMILY_YUV;
}

/* Position in a chroma plane of a luma position, by the site. */
static inline double chroma_coordinate(int luma, int shift, bool cosited)
{
    return shift == 0 ? luma : cosited ? luma / 2.0 : luma / 2.0 - 0.25;
}

static inline void luma_coefficients(const VfiVideoInfo *info, double *kr, double *kb)
{
    static const double table[][2] = {{0, 0},           {0.299, 0.114}, {0.2126, 0.0722},
                                      {0.2627, 0.0593}, {0.212, 0.087}, {0.30, 0.11}};
    int matrix = info->matrix != VFI_MATRIX_UNKNOWN ? (int)info->matrix
                 : info->height < 720               ? (int)VFI_MATRIX_BT601
                                                    : (int)VFI_MATRIX_BT709;
    *kr = table[matrix][0];
    *kb = table[matrix][1];
}

static inline bool is_full_range(const VfiVideoInfo *info)
{
    return info->range == VFI_RANGE_FULL ||
           (info->range == VFI_RANGE_UNKNOWN && !has_chroma(info)) ||
           info->format == VFI_FORMAT_RGB_F32;
}

/* Code of black and span of luma, R, G, B. */
static inline void luma_quantisation(const VfiVideoInfo *info, double *offset,
                                     double *span)
{
    double largest = largest_code(info->format), unit = (largest + 1) / 256;

    *offset = is_full_range(info) ? 0 : 16 * unit;
    *span = is_full_range(info) ? largest : 219 * unit;
}

static inline void chroma_quantisation(const VfiVideoInfo *info, double *offset,
                                       double *span)
{
    double largest = largest_code(info->format), unit = (largest + 1) / 256;

    *offset = 128 * unit;
    *span = is_full_range(info) ? largest : 224 * unit;
}

/* RGB in [0,1] at a luma position. */
static inline void rgb_at(const TestFrame *test, int x, int y, double rgb[3])
{
    const VfiVideoInfo *info = &test->info;
    double offset, span, c_offset, c_span, kr, kb;

    luma_quantisation(info, &offset, &span);
    for (int c = 0; c < 3; c++) {
        int from = vfi_format_describe(info->format)->colour == VFI_FAMILY_GREY ? 0 : c;
        if (!has_chroma(info))
            rgb[c] = (get_code(test, from, x, y) - offset) / span;
    }
    if (has_chroma(info)) {
        const VfiComponent *chroma = &vfi_format_describe(info->format)->component[1];
        double cx =
            chroma_coordinate(x, chroma->shift_x, ((int)info->chroma_site & 1) != 0);
        double cy =
            chroma_coordinate(y, chroma->shift_y, ((int)info->chroma_site & 2) != 0);
        chroma_quantisation(info, &c_offset, &c_span);
        luma_coefficients(info, &kr, &kb);
        double luma = (get_code(test, 0, x, y) - offset) / span;
        double cb = (bilinear_at(test, 1, cx, cy) - c_offset) / c_span;
        double cr = (bilinear_at(test, 2, cx, cy) - c_offset) / c_span;
        rgb[0] = luma + 2 * (1 - kr) * cr;
        rgb[2] = luma + 2 * (1 - kb) * cb;
        rgb[1] = (luma - kr * rgb[0] - kb * rgb[2]) / (1 - kr - kb);
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = clamp_to(rgb[c], 0, 1);
}
