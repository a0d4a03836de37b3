/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between code values and RGB in [0,1]: matrix coefficients (ITU-R BT.601, 709, 2020,
 * SMPTE 240M, FCC) and code ranges (ITU-T H.273) at any depth, as one affine map each
 * way. */
#pragma once

#include <vfi/frame.h>

/* rgb = to_rgb · (code − offset); code = to_code · rgb + offset. Components in the order
 * of VfiFormatDescription. Grey has one component: column 0 of to_rgb gives three equal
 * channels, row 0 of to_code is luma. offset is also the code of black. */
typedef struct {
    float offset[3];
    float to_rgb[3][3];
    float to_code[3][3];
} VfiColour;

/* @info must be valid. UNKNOWN matrix and range are taken as frame.h says. */
void vfi_colour_init(VfiColour *colour, const VfiVideoInfo *info);

/* The matrix that holds for @info: never UNKNOWN. */
VfiMatrix vfi_colour_matrix(const VfiVideoInfo *info);

/* The range that holds for @info: never UNKNOWN. */
VfiRange vfi_colour_range(const VfiVideoInfo *info);
