/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's luma, whatever its format. */
#pragma once

#include <vfi/frame.h>

#include "pixels/format.h"

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

/* The @n ≤ VFI_PIXELS_BLOCK luma codes of row @y from column @x on. */
void vfi_load_luma(const VfiVideoInfo *info, const VfiFrame *frame, int x, int y, int n,
                   float *out);
