/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the samples of each pixel format lie in memory: one table, shared by all pixel
 * code. */
#pragma once

#include <stdbool.h>

#include <vfi/frame.h>

/* One component (Y, U, V, R, G, B, A) of a format. */
typedef struct {
    int plane;
    int offset; /* bytes from the start of a pixel group to this component's sample */
    int pixel_stride; /* bytes from one sample to the next in a row */
    int shift_x;      /* log2 of the horizontal subsampling */
    int shift_y;      /* log2 of the vertical subsampling */
} VfiComponent;

typedef enum {
    VFI_FAMILY_YUV,  /* components Y, U, V and, if has_alpha, A */
    VFI_FAMILY_RGB,  /* components R, G, B and, if has_alpha, A */
    VFI_FAMILY_GREY, /* component Y */
} VfiColourFamily;

typedef struct {
    const char *name;
    VfiColourFamily colour;
    int n_planes;
    int n_components;
    bool has_alpha;
    int depth;        /* significant bits of a sample; 32 is f32 */
    int shift;        /* a sample is stored shifted left by this (P010: 6) */
    int sample_bytes; /* 1, 2 or 4 */
    VfiComponent component[4];
} VfiFormatDescription;

/* The description of a valid format; NULL for UNKNOWN or out of range. */
const VfiFormatDescription *vfi_format_describe(VfiFormat format);

/* Facts that the components of one plane share. */
typedef struct {
    int pixel_stride; /* bytes of one pixel group of the plane; 0 if there is no such
                         plane */
    int shift_x, shift_y;
} VfiPlaneLayout;

VfiPlaneLayout vfi_format_plane(const VfiFormatDescription *format, int plane);

/* Byte of a pixel that carries nothing (the x of RGBx); -1 where there is none. */
int vfi_format_filler_offset(const VfiFormatDescription *format);

/* Samples or rows that @size luma ones leave after subsampling by 2^@shift: odd sizes
 * keep the last one. */
static inline int vfi_subsampled(int size, int shift)
{
    return (size + (1 << shift) - 1) >> shift;
}

/* Luma components of a format and their weights: Y alone, or R, G, B. */
typedef struct {
    int n;
    float weight[3];
} VfiLumaWeights;

static inline VfiLumaWeights vfi_luma_weights(const VfiFormatDescription *format)
{
    if (format->colour == VFI_FAMILY_RGB)
        return (VfiLumaWeights){.n = 3, .weight = {0.299f, 0.587f, 0.114f}};
    return (VfiLumaWeights){.n = 1, .weight = {1.0f}};
}
