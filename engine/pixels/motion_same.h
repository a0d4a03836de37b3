/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where hypotheses are so close to the first one, or to standing still, that they count
 * as that (motion.h). */
#pragma once

#include "pixels/motion.h"
#include "pixels/samples.h"
#include "pixels/vectors.h"

/* Cells that count as the first hypothesis, and others that count as the plain blend. */
typedef struct {
    VectorMask first, still;
} VfiMotionSame;

/* Vectors of a hypothesis, and of the first one: NULL for itself. */
VFI_ALWAYS_INLINE VfiMotionSame vfi_motion_same(const float *x, const float *y,
                                                const float *first_x,
                                                const float *first_y)
{
    const Vector near = v_set1(VFI_MOTION_NEAR), still = v_set1(VFI_MOTION_STILL);
    VfiMotionSame same = {.first = m_none(),
                          .still = m_and(v_is_at_most(v_abs(v_load(x)), still),
                                         v_is_at_most(v_abs(v_load(y)), still))};

    if (first_x != NULL)
        same.first = m_and(v_is_at_most(v_abs(v_sub(v_load(x), v_load(first_x))), near),
                           v_is_at_most(v_abs(v_sub(v_load(y), v_load(first_y))), near));
    return same;
}
