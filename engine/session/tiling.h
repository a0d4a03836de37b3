/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cutting a picture into overlapping tiles that a network sees one at a time, and the
 * weights by which their results become one again. Pure arithmetic. */
#pragma once

#include <stdbool.h>

/* @size or the next larger multiple of @multiple. */
static inline int vfi_round_up(int size, int multiple)
{
    return (size + multiple - 1) / multiple * multiple;
}

/* One direction. Tiles are of one size and spread evenly; they begin at multiples of
 * .alignment, so that a network that halves the size several times samples the same
 * pixels as without tiles. Between two tiles there is a seam in the middle of their
 * overlap: across .ramp pixels around it the one's weight falls while the other's rises,
 * everywhere else it is 1 or 0. The picture's own borders have no ramp. */
typedef struct {
    int size; /* of the picture, a multiple of .alignment */
    int tile; /* of each tile, the same; .size if there is one */
    int n;
    int alignment;
    int ramp;
} VfiTileAxis;

typedef struct {
    VfiTileAxis x, y;
} VfiTiling;

/* The smallest tile for a network that estimates motion at @scale. */
int vfi_tile_smallest(int alignment, double scale);

/* Pixels that tiles of size @tile have in common with the next one, at the least: what
 * the network would see beyond them is missing from the tile. Half of a small tile. */
int vfi_tile_overlap(int tile, int alignment, double scale);

/* @size in @n tiles at the most, as small as they can be; where @largest is not 0, in as
 * many as it takes so that none is larger (or not smaller than the smallest). */
VfiTileAxis vfi_tile_axis(int size, int n, int largest, int alignment, double scale);

/* Where tile @index begins. */
int vfi_tile_start(const VfiTileAxis *axis, int index);

/* The range of the picture in which tile @index has weight. */
void vfi_tile_reach(const VfiTileAxis *axis, int index, int *begin, int *end);

/* Weights of tile @index at @begin … @end - 1 of the picture, within its reach. */
void vfi_tile_weights(const VfiTileAxis *axis, int index, int begin, int end,
                      float *weights);

static inline bool vfi_tiling_is_one(const VfiTiling *tiling)
{
    return tiling->x.n == 1 && tiling->y.n == 1;
}
