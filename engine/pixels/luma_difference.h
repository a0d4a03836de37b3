/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far both pictures of a motion's grid are from each other where vectors say that
 * they show the same. */
#pragma once

#include "pixels/level.h"

#include "pixels/motion.h"

/* Cells of a row, by numbers of every motion->spacing-th one. All arrays may be read, and
 * results written, a vector behind the last. */
typedef struct {
    int x, y, n;
    const float *vector[2]; /* x, y */
    /* Of the first hypothesis, and its differences; NULL for itself. */
    const float *first_vector[2], *first;
    const float *plain; /* what vfi_plain_differences() gave */
} VfiLumaCells;

#define vfi_plain_differences VFI_PIXELS_AT_LEVEL(vfi_plain_differences)
#define vfi_luma_differences VFI_PIXELS_AT_LEVEL(vfi_luma_differences)

/* out = differences at @n cells from (x, y) on, 0 to 255, where nothing moves. */
void vfi_plain_differences(const VfiMotion *motion, int x, int y, int n, float *out);

/* out = differences where vectors lead, by how much of that is beyond an edge
 * VFI_MOTION_UNSEEN in place of them; where they count as the first hypothesis's, or as
 * the plain blend, the differences of that. Whether any may do. */
bool vfi_luma_differences(const VfiMotion *motion, const VfiLumaCells *cells, float *out);

#define vfi_luma_differences_apart VFI_PIXELS_AT_LEVEL(vfi_luma_differences_apart)

/* out = differences at @n cells from (x, y) on where each picture has vectors (x, y) of
 * its own, which lead all the way. */
void vfi_luma_differences_apart(const VfiMotion *motion, int x, int y, int n,
                                const float *const vector[2][2], float *out);
