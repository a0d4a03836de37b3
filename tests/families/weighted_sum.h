/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Families without weights whose pictures tell which frames they were made of: the sum of
 * all frames of the view, each by a factor of its own. "sum-0-0" sees the two frames
 * around the in-between, "sum-2-1" two more before them and one after. */
#pragma once

#include "model/family.h"

extern const VfiModelFamily weighted_sum_0_0_family;
extern const VfiModelFamily weighted_sum_0_1_family;
extern const VfiModelFamily weighted_sum_1_0_family;
extern const VfiModelFamily weighted_sum_1_1_family;
extern const VfiModelFamily weighted_sum_2_1_family;
extern const VfiModelFamily weighted_sum_3_3_family;

/* The same with a flow scale, which a picture tells as well: "scaled-sum-0-0" is
 * "sum-0-0" at scale 1; at a smaller one the newest frame has that much of the oldest's
 * factor. */
extern const VfiModelFamily scaled_sum_0_0_family;
extern const VfiModelFamily scaled_sum_1_1_family;

/* For a list of families. */
#define WEIGHTED_SUM_FAMILIES                                                            \
    &weighted_sum_0_0_family, &weighted_sum_0_1_family, &weighted_sum_1_0_family,        \
        &weighted_sum_1_1_family, &weighted_sum_2_1_family, &weighted_sum_3_3_family,    \
        &scaled_sum_0_0_family, &scaled_sum_1_1_family

/* The factor of frame @frame, 0 the oldest, of @n: they differ, and their sum is 1. */
static inline double weighted_sum_factor(int n, int frame)
{
    return 2.0 * (frame + 1) / (n * (n + 1));
}

/* The same at a flow scale. */
static inline double scaled_sum_factor(int n, int frame, double scale)
{
    double moved = (1.0 - scale) * weighted_sum_factor(n, 0);

    return weighted_sum_factor(n, frame) + (frame == n - 1 ? moved : 0.0) -
           (frame == 0 ? moved : 0.0);
}
