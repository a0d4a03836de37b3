/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far both pictures of a motion's grid are from each other where vectors say that
 * they show the same. */
#pragma once

#include "pixels/level.h"

#include "pixels/motion.h"

#define vfi_luma_differences VFI_PIXELS_AT_LEVEL(vfi_luma_differences)

/* out = differences at @n cells from (x, y) on, 0 to 255. Vectors (NULL: zero) and
 * results have room for VFI_LANES - 1 more. */
void vfi_luma_differences(const VfiMotion *motion, int x, int y, int n,
                          const float *vector_x, const float *vector_y, float *out);

#define vfi_luma_differences_apart VFI_PIXELS_AT_LEVEL(vfi_luma_differences_apart)

/* The same where each picture has vectors (x, y) of its own, which lead all the way. */
void vfi_luma_differences_apart(const VfiMotion *motion, int x, int y, int n,
                                const float *const vector[2][2], float *out);
