/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps that `flow` is made of: each is one pass over data that can be divided among
 * threads, with all numbers that a backend needs to run it. flow_plan.h lists them.
 *
 * Two frames are looked at in two directions: direction 0 finds frame 0's samples in
 * frame 1, direction 1 frame 1's in frame 0. Pairs in the structures below are by
 * direction, for pictures by frame. A vector (x, y) says that the sample at p shows what
 * the other frame shows at p + (x, y), in samples of the level. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <vfi/frame.h>

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

/* Vectors of all patches of a direction, and what they cost. */
typedef struct {
    VfiFlowPlane x, y, cost; /* one sample a patch */
} VfiFlowPatches;

/* Sums of vectors that were splatted to a time: weights, and vectors times weights. */
typedef struct {
    VfiFlowPlane weight, x, y;
} VfiFlowSum;

typedef enum {
    VFI_FLOW_STEP_LUMA,
    VFI_FLOW_STEP_HALVE,
    VFI_FLOW_STEP_SEARCH,
    VFI_FLOW_STEP_DENSIFY,
    VFI_FLOW_STEP_WARP,
    VFI_FLOW_STEP_LINEARISE,
    VFI_FLOW_STEP_WEIGH,
    VFI_FLOW_STEP_RELAX,
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

/* HALVE: means of 2 × 2 samples, with borders. */
typedef struct {
    VfiFlowPlane from, to;
} VfiFlowHalve;

/* SEARCH: vectors of all patches, in both directions. A patch begins with the coarser
 * level's flow at its centre, between samples, times two; zero at the coarsest level. Two
 * sweeps follow, the first in raster order, the second in reverse: each tries the vectors
 * of the two neighbours that the sweep has visited, then descends by Gauss-Newton
 * steps on the template's gradients. Whatever order it is done in, a patch must see of
 * its own sweep's results exactly those of its left and upper (right and lower)
 * neighbour: rows that wait for each other, or anti-diagonals. */
typedef struct {
    VfiFlowPlane picture[2];
    VfiFlowPlane coarse[2][2]; /* the coarser level's x and y; or none */
    VfiFlowPatches patches[2];
    VfiFlowPlane progress; /* scratch, row d: an int for each row of patches */
} VfiFlowSearch;

/* DENSIFY: at every sample the mean of the vectors of the patches that cover it, weighed
 * by 1 / max(1, |difference there|). */
typedef struct {
    VfiFlowPlane picture[2];
    VfiFlowPatches patches[2];
    VfiFlowPlane flow[2][2];
} VfiFlowDensify;

/* The variational refinement of one direction's flow, in place: WARP makes @smoothness
 * the other picture where the flow leads; LINEARISE finds the mean of its gradient and
 * the template's, and what the difference would be without any flow if it went on along
 * that; WEIGH finds weights of data and of smoothness for the flow as it is; RELAX
 * improves the flow for these weights, @rounds times first the samples whose x + y is
 * even, then the others. */
typedef struct {
    int direction;
    VfiFlowPlane picture[2];
    VfiFlowPlane flow[2];
    VfiFlowPlane gradient[2];
    VfiFlowPlane difference;
    VfiFlowPlane data_weight, smoothness;
    VfiFlowPlane progress; /* scratch, one row: an int for each row of the flow */
    float alpha;           /* of smoothness against data */
    float omega;           /* of over-relaxation */
    int rounds;
} VfiFlowRefine;

/* RESIDUAL: |template - other picture where the flow leads|, there bilinear, edges
 * repeated. */
typedef struct {
    VfiFlowPlane picture[2];
    VfiFlowPlane flow[2][2];
    VfiFlowPlane residual[2];
} VfiFlowResidual;

/* TRUST: weights of the flows' vectors, 1 / (1 + d² + d⁴) with d = falloff × the mean of
 * 3 × 3 residuals, and each row's least and greatest y. */
typedef struct {
    VfiFlowPlane residual[2];
    VfiFlowPlane flow_y[2];
    VfiFlowPlane weight[2];
    VfiFlowPlane extent[2]; /* rows of two */
    float falloff;
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
} VfiFlowSplat;

/* MERGE: both = the sum of the two sides. Each side's vectors are then divided by their
 * weights and multiplied by scale, in place; holes get NO_VECTOR. */
typedef struct {
    VfiFlowSum side[2];
    VfiFlowSum both;
    float scale;
} VfiFlowMerge;

/* PULL: sums of 2 × 2 samples, edges repeated. PUSH: where the finer one has a hole, the
 * coarser one's vector, with a weight of VFI_FLOW_HOLE; nothing where that has no weight
 * either. With .normalise vectors are then divided by their weights (zero where there is
 * none). No coarser one: the finer one is a single sample. */
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
        VfiFlowHalve halve;
        VfiFlowSearch search;
        VfiFlowDensify densify;
        VfiFlowRefine refine;
        VfiFlowResidual residual;
        VfiFlowTrust trust;
        VfiFlowSplat splat;
        VfiFlowMerge merge;
        VfiFlowFill fill;
        VfiFlowMedian median;
        VfiFlowSides sides;
    } u;
} VfiFlowStep;

/* What changes from run to run. */
typedef struct {
    char *region[VFI_FLOW_REGIONS]; /* device memory */
    const VfiVideoInfo *video;
    const VfiFrame *frame;    /* LUMA; in the device's memory */
    float t;                  /* steps of a time; in (0, 1) */
    const atomic_int *cancel; /* polled while steps run; may be NULL */
} VfiFlowArguments;

/* Row @y of @plane. */
static inline float *vfi_flow_row(const VfiFlowPlane *plane, char *const *region,
                                  ptrdiff_t y)
{
    return (float *)(void *)(region[plane->region] + plane->offset) +
           y * (ptrdiff_t)plane->row;
}
