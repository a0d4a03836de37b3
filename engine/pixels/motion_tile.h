/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well both frames agree with each hypothesis on the cells of a tile. */
#pragma once

#include "pixels/level.h"

#include "pixels/motion.h"
#include "pixels/samples.h"

/* Weights of a tile: of all hypotheses, of the plain blend and of a network. */
#define VFI_MOTION_WEIGHTS (VFI_MOTION_FLOWS + VFI_MOTION_SHIFTS + 2)

/* Cells of a tile that weights are found at. They lie on the stack. */
#define VFI_TILE_COLUMNS 64
#define VFI_TILE_ROWS 32

/* A tile's cells with one more on each side, which repeat the edge beyond the grid, and
 * the weights of all hypotheses there, the plain blend behind them, then the network.
 * Cells are counted by motion->spacing. */
typedef struct {
    const VfiMotion *motion;
    int x, y; /* the first cell in the grid, -1 at its edge */
    int columns, rows;
    float weight[VFI_MOTION_WEIGHTS][VFI_TILE_ROWS + 2][VFI_TILE_COLUMNS + 2];
    float beyond[16]; /* vectors read behind rows */
} VfiMotionTile;

/* Hypotheses without the plain blend and a network's. */
static inline int vfi_motion_hypotheses(const VfiMotion *motion)
{
    return motion->n_flows + motion->n_shifts;
}

/* The place of a network's weights. */
static inline int vfi_motion_network(const VfiMotion *motion)
{
    return vfi_motion_hypotheses(motion) + 1;
}

#define vfi_motion_weigh VFI_PIXELS_AT_LEVEL(vfi_motion_weigh)

/* Sets @tile to the cells of luma columns [x, x_end) and rows [y, y_end) of frames of
 * @info. */
void vfi_motion_weigh(const VfiVideoInfo *info, const VfiMotion *motion, int x, int y,
                      int x_end, int y_end, VfiMotionTile *tile);
