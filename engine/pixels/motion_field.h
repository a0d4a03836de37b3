/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vectors of a hypothesis on the grid's cells. */
#pragma once

#include "pixels/level.h"

#include "pixels/motion.h"

/* Which field a hypothesis reads, and how far from a cell. */
typedef struct {
    const float *vector[2]; /* x, y */
    int shift_x, shift_y;   /* cells */
} VfiMotionField;

/* Cells of one call at most, with some behind them that vectors may read. */
#define VFI_MOTION_ROOM 192

#define vfi_motion_field VFI_PIXELS_AT_LEVEL(vfi_motion_field)
#define vfi_motion_cells VFI_PIXELS_AT_LEVEL(vfi_motion_cells)
#define vfi_motion_spaced_cells VFI_PIXELS_AT_LEVEL(vfi_motion_spaced_cells)

/* Of a hypothesis that is not the plain blend. */
VfiMotionField vfi_motion_field(const VfiMotion *motion, int hypothesis);

/* Component @axis of the vectors of @n cells from (x, y) on, some of which lie in the
 * grid; those beyond it repeat its edge. As they lie in the field, or in @room, which has
 * VFI_MOTION_ROOM floats; that many may be read. */
const float *vfi_motion_cells(const VfiMotion *motion, const VfiMotionField *field,
                              int axis, int x, int y, int n, float *room);

/* The same of every motion->spacing-th cell, as weights are found at them: (x, y) and
 * @n are numbers of those, which lie in the grid. */
const float *vfi_motion_spaced_cells(const VfiMotion *motion, const VfiMotionField *field,
                                     int axis, int x, int y, int n, float *room);

static inline int vfi_clamp_cell(int at, int size)
{
    return at < 0 ? 0 : at < size ? at : size - 1;
}
