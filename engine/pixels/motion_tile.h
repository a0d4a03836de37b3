/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Motion hypotheses on a tile: how well both frames agree with each, and what they say at
 * samples between the cells. */
#pragma once

#include "pixels/level.h"

#include "pixels/motion.h"
#include "pixels/samples.h"

#define VFI_MOTION_HYPOTHESES (VFI_MOTION_FLOWS + VFI_MOTION_SHIFTS)

/* Cells of a tile. Their weights lie on the stack. */
#define VFI_TILE_COLUMNS 64
#define VFI_TILE_ROWS 32

/* A tile's cells with one more on each side, which repeat the edge beyond the grid, and
 * the weights of all hypotheses there, the plain blend last. */
typedef struct {
    const VfiMotion *motion;
    int x, y; /* the first cell in the grid, -1 at its edge */
    int columns, rows;
    float weight[VFI_MOTION_HYPOTHESES + 1][VFI_TILE_ROWS + 2][VFI_TILE_COLUMNS + 2];
} VfiMotionTile;

/* Samples of a row between cells: sample i lies at cell (first + i * step) / 8 of the
 * grid, and the row at y / 8. */
typedef struct {
    int first, step, y;
    int n; /* at most VFI_PIXELS_BLOCK */
} VfiMotionPlaces;

/* Hypotheses without the plain blend. */
static inline int vfi_motion_hypotheses(const VfiMotion *motion)
{
    return motion->n_flows + motion->n_shifts;
}

#define vfi_motion_weigh VFI_PIXELS_AT_LEVEL(vfi_motion_weigh)
#define vfi_motion_weights VFI_PIXELS_AT_LEVEL(vfi_motion_weights)
#define vfi_motion_vectors VFI_PIXELS_AT_LEVEL(vfi_motion_vectors)

/* Sets @tile to the cells of luma columns [x, x_end) and rows [y, y_end). */
void vfi_motion_weigh(const VfiMotion *motion, int x, int y, int x_end, int y_end,
                      VfiMotionTile *tile);

/* The weights of @hypothesis at @places, which are the tile's. */
void vfi_motion_weights(const VfiMotionTile *tile, int hypothesis,
                        const VfiMotionPlaces *places, float *weight);

/* The vectors of @hypothesis, which is not the plain blend. */
void vfi_motion_vectors(const VfiMotionTile *tile, int hypothesis,
                        const VfiMotionPlaces *places, float *x, float *y);
