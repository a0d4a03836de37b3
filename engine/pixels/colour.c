/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/colour.h"

#include <math.h>
#include <string.h>

#include "pixels/format.h"

/* Weights of red and blue in luma; green has the rest. */
static const struct {
    double red, blue;
} luma_weights[] = {
    [VFI_MATRIX_BT601] = {0.299, 0.114},    [VFI_MATRIX_BT709] = {0.2126, 0.0722},
    [VFI_MATRIX_BT2020] = {0.2627, 0.0593}, [VFI_MATRIX_SMPTE240M] = {0.212, 0.087},
    [VFI_MATRIX_FCC] = {0.30, 0.11},
};

/* Codes of one component: offset, and the codes that a difference of 1 spans. */
typedef struct {
    double offset, span;
} CodeRange;

VfiMatrix vfi_colour_matrix(const VfiVideoInfo *info)
{
    if (info->matrix != VFI_MATRIX_UNKNOWN)
        return info->matrix;
    return info->height < 720 ? VFI_MATRIX_BT601 : VFI_MATRIX_BT709;
}

VfiRange vfi_colour_range(const VfiVideoInfo *info)
{
    if (info->range != VFI_RANGE_UNKNOWN)
        return info->range;
    return vfi_format_describe(info->format)->colour == VFI_FAMILY_YUV ? VFI_RANGE_LIMITED
                                                                       : VFI_RANGE_FULL;
}

/* Codes of luma, R, G and B, which go from 0 to 1. */
static CodeRange luma_codes(const VfiVideoInfo *info)
{
    int depth = vfi_format_describe(info->format)->depth;

    if (depth == 32)
        return (CodeRange){.offset = 0, .span = 1};
    if (vfi_colour_range(info) == VFI_RANGE_FULL)
        return (CodeRange){.offset = 0, .span = ldexp(1, depth) - 1};
    return (CodeRange){.offset = ldexp(16, depth - 8), .span = ldexp(219, depth - 8)};
}

/* Codes of Cb and Cr, which go from -1/2 to 1/2. */
static CodeRange chroma_codes(const VfiVideoInfo *info)
{
    int depth = vfi_format_describe(info->format)->depth;

    if (vfi_colour_range(info) == VFI_RANGE_FULL)
        return (CodeRange){.offset = ldexp(1, depth - 1), .span = ldexp(1, depth) - 1};
    return (CodeRange){.offset = ldexp(1, depth - 1), .span = ldexp(224, depth - 8)};
}

/* Y = red R + green G + blue B, Cb = (B − Y) / 2(1 − blue), Cr = (R − Y) / 2(1 − red). */
static void init_ycbcr(VfiColour *colour, const VfiVideoInfo *info)
{
    const VfiMatrix matrix = vfi_colour_matrix(info);
    const double red = luma_weights[matrix].red, blue = luma_weights[matrix].blue;
    const double green = 1 - red - blue;
    const double cb = 2 * (1 - blue), cr = 2 * (1 - red);
    const CodeRange y = luma_codes(info), c = chroma_codes(info);
    const double to_rgb[3][3] = {
        {1 / y.span, 0, cr / c.span},
        {1 / y.span, -cb * blue / green / c.span, -cr * red / green / c.span},
        {1 / y.span, cb / c.span, 0},
    };
    const double to_code[3][3] = {
        {red * y.span, green * y.span, blue * y.span},
        {-red / cb * c.span, -green / cb * c.span, (1 - blue) / cb * c.span},
        {(1 - red) / cr * c.span, -green / cr * c.span, -blue / cr * c.span},
    };

    colour->offset[0] = (float)y.offset;
    colour->offset[1] = colour->offset[2] = (float)c.offset;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            colour->to_rgb[i][k] = (float)to_rgb[i][k];
            colour->to_code[i][k] = (float)to_code[i][k];
        }
}

static void init_rgb(VfiColour *colour, const VfiVideoInfo *info)
{
    const CodeRange codes = luma_codes(info);

    for (int i = 0; i < 3; i++) {
        colour->offset[i] = (float)codes.offset;
        colour->to_rgb[i][i] = (float)(1 / codes.span);
        colour->to_code[i][i] = (float)codes.span;
    }
}

static void init_grey(VfiColour *colour, const VfiVideoInfo *info)
{
    const VfiMatrix matrix = vfi_colour_matrix(info);
    const double red = luma_weights[matrix].red, blue = luma_weights[matrix].blue;
    const CodeRange codes = luma_codes(info);

    colour->offset[0] = (float)codes.offset;
    for (int i = 0; i < 3; i++)
        colour->to_rgb[i][0] = (float)(1 / codes.span);
    colour->to_code[0][0] = (float)(red * codes.span);
    colour->to_code[0][1] = (float)((1 - red - blue) * codes.span);
    colour->to_code[0][2] = (float)(blue * codes.span);
}

void vfi_colour_init(VfiColour *colour, const VfiVideoInfo *info)
{
    memset(colour, 0, sizeof *colour);
    switch (vfi_format_describe(info->format)->colour) {
    case VFI_FAMILY_YUV:
        init_ycbcr(colour, info);
        break;
    case VFI_FAMILY_RGB:
        init_rgb(colour, info);
        break;
    case VFI_FAMILY_GREY:
        init_grey(colour, info);
        break;
    }
}
