/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What hypotheses say at samples between the cells of a tile. */
#pragma once

#include "pixels/level.h"

#include "pixels/motion_tile.h"
#include "pixels/samples.h"

/* Vectors that lead this far lead out of any frame. */
#define VFI_MOTION_FAR 30000.0f

/* Samples of a row between cells: sample i lies at cell (first + i * step) / 8 of the
 * grid, and the row at y / 8. Multiples of motion->spacing. */
typedef struct {
    int first, step, y;
    int n; /* at most VFI_PIXELS_BLOCK */
} VfiMotionPlaces;

#define vfi_motion_weights VFI_PIXELS_AT_LEVEL(vfi_motion_weights)
#define vfi_motion_vectors VFI_PIXELS_AT_LEVEL(vfi_motion_vectors)

/* The weights of @hypothesis at @places, which are the tile's. Results have room for
 * VFI_PIXELS_BLOCK, of which more than the places' may be written. */
void vfi_motion_weights(const VfiMotionTile *tile, int hypothesis,
                        const VfiMotionPlaces *places, float *weight);

/* The vectors of @hypothesis, which is not the plain blend, made finite; likewise. */
void vfi_motion_vectors(const VfiMotion *motion, int hypothesis,
                        const VfiMotionPlaces *places, float *x, float *y);
