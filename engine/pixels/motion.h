/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Motion hypotheses at the time of an in-between. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define VFI_MOTION_FLOWS 3
#define VFI_MOTION_SHIFTS 12

/* On a grid of cells of 2^level × 2^level luma samples, of ceil(size / 2^level): vectors
 * of where content moves from frame 0 to frame 1, in luma pixels. A hypothesis says that
 * the sample at x shows frame 0 at x - t·v and frame 1 at x + (1-t)·v. Hypotheses are the
 * n_flows fields, then flow[0] as it is at each of the n_shifts places relative to a
 * cell. */
typedef struct {
    int level; /* 0 … 2 */
    int grid_w, grid_h;
    size_t row;                             /* floats from row to row of the fields */
    int n_flows;                            /* 1 … VFI_MOTION_FLOWS */
    const float *flow[VFI_MOTION_FLOWS][2]; /* x, y; [grid_h][row] */
    int n_shifts;                           /* 0 … VFI_MOTION_SHIFTS */
    int8_t shift[VFI_MOTION_SHIFTS][2];     /* x, y in luma pixels */
    /* Both frames' luma on the grid, 0 to 255, row 0 column 0; `border` samples of
     * repeated edge lie on every side. */
    const float *picture[2];
    size_t picture_row; /* floats from row to row */
    int border;
    int radius;  /* of the box over which a hypothesis's difference is averaged, cells */
    float prior; /* weight of plain blending against hypotheses */
    float t;     /* time of the in-between, in (0,1) */
} VfiMotion;
