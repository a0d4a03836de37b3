/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Motion hypotheses at the time of an in-between, and the picture that is made of them on
 * the frames' own planes. */
#pragma once

#include "pixels/pixels.h"

#define VFI_MOTION_FLOWS 3
#define VFI_MOTION_SHIFTS 12
#define VFI_MOTION_MAX_LEVEL 2
#define VFI_MOTION_MAX_RADIUS 4

/* Luma pixels within which vectors count as equal, and as zero. */
#define VFI_MOTION_NEAR 0.25f
#define VFI_MOTION_STILL 0.0625f

/* What lies beyond a frame's edge: over so many luma pixels that frame's part of a
 * hypothesis falls to so little, and what stands for a difference that nothing is known
 * of. */
#define VFI_MOTION_EDGE 2.0f
#define VFI_MOTION_LEAST_PART 0.125f
#define VFI_MOTION_UNSEEN 16.0f

/* On a grid of cells of 2^level × 2^level luma samples, of ceil(size / 2^level): vectors
 * of where content moves from frame 0 to frame 1, in luma pixels. A hypothesis says that
 * the sample at x shows frame 0 at x - t·v and frame 1 at x + (1-t)·v. Hypotheses are the
 * n_flows fields, then flow[0] as it is at each of the n_shifts places relative to a
 * cell. */
typedef struct {
    int level; /* 0 … VFI_MOTION_MAX_LEVEL */
    int grid_w, grid_h;
    size_t row;                             /* floats from row to row of the fields */
    int n_flows;                            /* 1 … VFI_MOTION_FLOWS */
    const float *flow[VFI_MOTION_FLOWS][2]; /* x, y; [grid_h][row] */
    int n_shifts;                           /* 0 … VFI_MOTION_SHIFTS */
    /* x, y in luma pixels; what is no whole cell counts as the nearest, halves as the
     * farther one. */
    int8_t shift[VFI_MOTION_SHIFTS][2];
    /* Both frames' luma on the grid, 0 to 255, row 0 column 0; `border` ≥ 4 samples of
     * repeated edge lie on every side. */
    const float *picture[2];
    size_t picture_row; /* floats from row to row */
    int border;
    /* Weights are found at every spacing-th cell each way, 1 or at levels 0 and 1 also 2:
     * the first, … */
    int spacing;
    int radius;  /* of the box over which a hypothesis's difference is averaged, of such
                    cells; 0 … VFI_MOTION_MAX_RADIUS */
    float prior; /* ≥ 0: weight of plain blending against hypotheses */
    float t;     /* time of the in-between, in (0,1) */
    /* NULL, or what a network says about the same time, one hypothesis more: its flows
     * lead into frame 0 and 1, its mask divides it between them. */
    const VfiFlowField *network;
} VfiMotion;

/* A network's hypothesis counts this many times as much as another one that the frames
 * agree with as well. */
#define VFI_MOTION_NETWORK_SHARE 2.0f

/* Luma rows of the network's field that synthesis reads above and below its own: of the
 * cells around, and of the box around those. */
static inline int vfi_motion_network_reach(const VfiMotion *motion)
{
    return ((motion->radius + 2) * motion->spacing) << motion->level;
}

/* For each hypothesis and for the plain blend, e = box mean of |picture0 - picture1| at
 * the places it names (bilinear, at most 255), weight = 1/(e + 4)², times prior for the
 * blend. A hypothesis may lead out of a frame: if so by b luma pixels in x or in y,
 * whichever is more, from the outermost samples on (at cells: from the outermost cells),
 * p = min(b / VFI_MOTION_EDGE, 1) of it is beyond the edge. By the larger p of both
 * frames a cell's difference becomes VFI_MOTION_UNSEEN.
 *
 * Where the vector of a hypothesis is within VFI_MOTION_NEAR of the first one's,
 * in x and in y, it counts as the first; where that, or another's, is within
 * VFI_MOTION_STILL of zero, as the plain blend: it has the difference of what it counts
 * as, and its weight is added to that one's and is 0. Fields and weights are interpolated
 * bilinearly to samples, chroma's at their site, and grids' edges are repeated.
 *
 * The network's hypothesis is judged at the means of its flows and its mask m over cells.
 * The more it shows one frame alone, the less both frames' difference says about it: its
 * e is the box mean of c·|picture0 - picture1| + (1 - c)·4 with c = 2·√(m(1-m)), its
 * weight VFI_MOTION_NETWORK_SHARE/(e + 4)². At samples it is as it is: vectors and mask
 * of luma's own, their means at chroma's (see vfi_pixels_warp_blend()).
 *
 * Every component is the mean of (1-t)·frame0 + t·frame1 at the hypotheses' places, both
 * parts times max(1 - p, VFI_MOTION_LEAST_PART) of their frame and divided by their sum,
 * and of m·frame0 + (1-m)·frame1 at the network's (all Catmull-Rom, edges repeated),
 * weighed.
 * Rounded to nearest, clamped to the code range; RGB_F32 is not clamped. Vectors may be
 * anything: nothing outside the frames is read. Luma rows [begin, end), as in pixels.h;
 * about 220 KiB of stack. */
void vfi_pixels_synthesize(const VfiVideoInfo *info, const VfiFrame *frame0,
                           const VfiFrame *frame1, const VfiMotion *motion,
                           const VfiFrame *out, int begin, int end);
