/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps that `flow` is made of: each is one pass over data that can be divided among
 * threads, with all numbers that a backend needs to run it. flow_plan.h lists them.
 *
 * Two frames are looked at in two directions: direction 0 finds frame 0's samples in
 * frame 1, direction 1 frame 1's in frame 0. Pairs in the structures below are by
 * direction, for pictures by frame. A vector (x, y) says that the sample at p shows what
 * the other frame shows at p + (x, y), in samples of the level. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "flow/constants.h"

/* Where data lie. Frames' regions are kept per frame, PAIR per pair; ARENA is scratch
 * that also holds what the steps of a time leave. */
typedef enum {
    VFI_FLOW_FRAME0,
    VFI_FLOW_FRAME1,
    VFI_FLOW_PAIR,
    VFI_FLOW_ARENA,
    VFI_FLOW_REGIONS
} VfiFlowRegion;

/* h rows of w floats. No plane: w is 0. */
typedef struct {
    VfiFlowRegion region;
    size_t offset; /* bytes from the region's start to column 0 of row 0 */
    size_t row;    /* floats from row to row */
    int w, h;
} VfiFlowPlane;

/* What patches are compared by: luma, and at some levels Cb and Cr, which are as large.
 * */
#define VFI_FLOW_CHANNELS 3

typedef struct {
    VfiFlowPlane channel[VFI_FLOW_CHANNELS];
    int n_channels; /* 1 or VFI_FLOW_CHANNELS */
} VfiFlowPicture;

/* Vectors of all patches of a direction, one sample a patch, and what they cost: summed
 * over channels, the sum of squares of a patch's differences less MEAN_REMOVED of what
 * their mean makes of it. settled is 1 where descending once more from the vector would
 * end where it is, which need not be done then; else 0. */
typedef struct {
    VfiFlowPlane x, y, cost, settled;
} VfiFlowPatches;

/* Sums of vectors that were splatted to a time: weights, and vectors times weights. */
typedef struct {
    VfiFlowPlane weight, x, y;
} VfiFlowSum;

typedef enum {
    VFI_FLOW_STEP_LUMA,
    VFI_FLOW_STEP_CHROMA,
    VFI_FLOW_STEP_HALVE,
    VFI_FLOW_STEP_BEGIN,
    VFI_FLOW_STEP_CROSS,
    VFI_FLOW_STEP_SWEEP,
    VFI_FLOW_STEP_DENSIFY,
    VFI_FLOW_STEP_RESIDUAL,
    VFI_FLOW_STEP_TRUST,
    VFI_FLOW_STEP_SPLAT,
    VFI_FLOW_STEP_MERGE,
    VFI_FLOW_STEP_PULL,
    VFI_FLOW_STEP_PUSH,
    VFI_FLOW_STEP_MEDIAN,
    VFI_FLOW_STEP_SIDES,
    VFI_FLOW_STEP_KINDS
} VfiFlowStepKind;

/* LUMA: the frame's luma, 0 to 255, as means of boxes of 2^level × 2^level samples, with
 * borders. Boxes at the right and lower edge repeat the frame's last samples. */
typedef struct {
    VfiFlowPlane picture;
    int level;
} VfiFlowLuma;

/* CHROMA: the frame's Cb and Cr as means of boxes of 2^level × 2^level luma samples, with
 * borders, in units of luma. RGB has 0.564 (B - Y) and 0.713 (R - Y). */
typedef struct {
    VfiFlowPlane luma; /* of this level */
    VfiFlowPlane chroma[2];
    int level;
} VfiFlowChroma;

/* HALVE: means of 2 × 2 samples, with borders, of the channels that @to has. */
typedef struct {
    VfiFlowPicture from, to;
} VfiFlowHalve;

/* BEGIN: patches begin with the coarser level's flow at their centres, between samples,
 * times two; with zero at the coarsest level. */
typedef struct {
    VfiFlowPicture picture[2];
    VfiFlowPlane coarse[2][2]; /* the coarser level's x and y; or none */
    VfiFlowPatches patches[2];
} VfiFlowBegin;

/* CROSS: what each direction can learn from the other before a sweep. other[d]: a copy of
 * the other direction's vectors. landed[d]: at each patch the negated vector of that
 * patch of the other direction which lands nearest to it, of several the one that costs
 * least, of those the first in raster order; NO_VECTOR where none does. */
typedef struct {
    VfiFlowPatches patches[2];
    VfiFlowPlane other[2][2];
    VfiFlowPlane landed[2][2];
    VfiFlowPlane least[2]; /* scratch: costs of those that landed */
    int w, h;              /* of the pictures */
} VfiFlowCross;

/* SWEEP: over all patches in raster order, or in reverse. Each patch tries the vectors of
 * the two neighbours that the sweep has visited; with CROSS's results, the vector that
 * landed on it, and the negated vector of the other direction's patch nearest to where it
 * then leads; each replaces the patch's own if it costs less. Then it descends by
 * Gauss-Newton steps on the template's gradients. Whatever order it is done in, a patch
 * must see of its own sweep's results exactly those of its left and upper (right and
 * lower) neighbour: rows that wait for each other, or anti-diagonals. */
typedef struct {
    VfiFlowPicture picture[2];
    VfiFlowPatches patches[2];
    VfiFlowPlane other[2][2], landed[2][2]; /* or none */
    bool reverse;
    bool is_last;          /* leaves votes (constants.h) in place of costs */
    VfiFlowPlane progress; /* scratch, row d: an int for each row of patches */
    /* Scratch of devices that hand vectors on one by one: a row for each row of patches,
     * of two floats for each patch and direction, and one row more. */
    VfiFlowPlane words;
} VfiFlowSweep;

/* DENSIFY: at every sample the mean of the vectors of the patches that cover it, weighed
 * by their votes / max(1, |difference of luma there|). */
typedef struct {
    VfiFlowPlane picture[2];
    VfiFlowPatches patches[2];
    VfiFlowPlane flow[2][2];
} VfiFlowDensify;

/* RESIDUAL: |template - other picture where the flow leads|, there bilinear, edges
 * repeated. */
typedef struct {
    VfiFlowPlane picture[2];
    VfiFlowPlane flow[2][2];
    VfiFlowPlane residual[2];
} VfiFlowResidual;

/* TRUST: weights of the flows' vectors, and each row's least and greatest y. A weight is
 * 1 / (1 + d² + d⁴), d = falloff × the mean of 3 × 3 residuals, times 1 / (1 + e²), e =
 * disagreement × the length of the vector plus the other direction's at the sample
 * nearest to where it leads. */
typedef struct {
    VfiFlowPlane residual[2];
    VfiFlowPlane flow[2][2];
    VfiFlowPlane weight[2];
    VfiFlowPlane extent[2]; /* rows of two */
    float falloff, disagreement;
} VfiFlowTrust;

/* SPLAT: both flows to time t: a vector v of direction 0 at p lands at p + t v with its
 * weight, one of direction 1 at p + (1 - t) v as -v, divided bilinearly among four
 * samples. Sums begin at zero. With one sum both directions share it. The same bits
 * whatever the division of the work, on one device: every sample adds in a fixed
 * order. */
typedef struct {
    VfiFlowPlane flow[2][2];
    VfiFlowPlane weight[2];
    VfiFlowPlane extent[2];
    VfiFlowSum sum[2];
    int n_sums;
    /* Scratch of devices that list the vectors that land at a sample: an int for each
     * vector of either direction, and one for each sample. */
    VfiFlowPlane next[2], first;
} VfiFlowSplat;

/* MERGE: both = the sum of the two sides. Each side's vectors are then divided by their
 * weights and multiplied by scale, in place; holes get NO_VECTOR. */
typedef struct {
    VfiFlowSum side[2];
    VfiFlowSum both;
    float scale;
} VfiFlowMerge;

/* PULL: sums of 2 × 2 samples, edges repeated. PUSH: where the finer one's weight is less
 * than VFI_FLOW_THIN, the coarser one's vector is added with a weight of VFI_FLOW_FILL;
 * nothing where that has no weight. With .normalise vectors are then divided by their
 * weights (zero where there is none). No coarser one: the finer one is a single
 * sample. */
typedef struct {
    VfiFlowSum fine, coarse;
    bool normalise;
} VfiFlowFill;

/* MEDIAN: medians of five samples in a column or a row, edges repeated, times scale. */
typedef struct {
    VfiFlowPlane from[2], to[2];
    bool vertical;
    float scale;
} VfiFlowMedian;

/* SIDES: vectors that a side lacks become those of @flow. */
typedef struct {
    VfiFlowPlane flow[2];
    VfiFlowPlane side[2][2];
} VfiFlowSides;

typedef struct {
    VfiFlowStepKind kind;
    union {
        VfiFlowLuma luma;
        VfiFlowChroma chroma;
        VfiFlowHalve halve;
        VfiFlowBegin begin;
        VfiFlowCross cross;
        VfiFlowSweep sweep;
        VfiFlowDensify densify;
        VfiFlowResidual residual;
        VfiFlowTrust trust;
        VfiFlowSplat splat;
        VfiFlowMerge merge;
        VfiFlowFill fill;
        VfiFlowMedian median;
        VfiFlowSides sides;
    } u;
} VfiFlowStep;

/* "luma", "halve" …; static. */
const char *vfi_flow_step_name(VfiFlowStepKind kind);

/* The plane that @step makes, the first of several of one size. */
const VfiFlowPlane *vfi_flow_step_result(const VfiFlowStep *step);

/* Row @y of @plane. */
static inline float *vfi_flow_row(const VfiFlowPlane *plane, char *const *region,
                                  ptrdiff_t y)
{
    return (float *)(void *)(region[plane->region] + plane->offset) +
           y * (ptrdiff_t)plane->row;
}
