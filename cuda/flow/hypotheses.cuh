/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Motion hypotheses as kernels see them. The formulas and their order are those of
 * engine/pixels/motion_tile.c. */
#pragma once

#include "flow/flow_plane.cuh"
#include "frames/samples.cuh"
#include "pixels/motion.h"

#define MOTION_HYPOTHESES (VFI_MOTION_FLOWS + VFI_MOTION_SHIFTS)

/* The field of a hypothesis, and which cell of it stands for a cell. */
struct MotionField {
    const float *vector[2]; /* x, y */
    int shift_x, shift_y;
};

/* What a network found; nothing: there is none. */
struct NetworkField {
    const float *flow, *mask; /* as in VfiFlowField */
    ptrdiff_t row, plane;     /* floats */
    int first_row;
    int width, height; /* of the frame */
};

struct MotionParameters {
    int level, grid_w, grid_h;
    ptrdiff_t row;    /* floats from row to row of the fields */
    int n_hypotheses; /* whose weights the plain blend's follow, then a network's */
    NetworkField network;
    MotionField field[MOTION_HYPOTHESES];
    /* Of every spacing-th cell; all places below are numbers of those. */
    int spacing, weights_w, weights_h;
    float *weight; /* column 0 of row @first_row, of the first hypothesis */
    ptrdiff_t weight_row, weight_plane; /* floats */
    int first_row;
};

/* ---- on the host ------------------------------------------------------------------- */

static inline int motion_hypotheses(const VfiMotion *motion)
{
    return motion->n_flows + motion->n_shifts;
}

/* Planes of weights that there is room for: a network may come later. */
static inline int motion_weights(const VfiMotion *motion)
{
    return motion_hypotheses(motion) + 2;
}

/* Queues finding the weights of rows from p.first_row to @end_row. */
void vfi_cuda_weigh_hypotheses(cudaStream_t stream, const VfiMotion *motion,
                               const MotionParameters &p, int end_row);

/* ---- on the device ----------------------------------------------------------------- */

/* A vector's @axis at a cell, which may lie beyond the grid: there are its edges, shifted
 * as they are. */
static __device__ __forceinline__ float
cell_vector(const MotionParameters *p, const MotionField *field, int axis, int x, int y)
{
    x = clamp_below(clamp_below(x, p->grid_w) + field->shift_x, p->grid_w);
    y = clamp_below(clamp_below(y, p->grid_h) + field->shift_y, p->grid_h);
    return field->vector[axis][(ptrdiff_t)y * p->row + x];
}

/* A sample of the network's flows (their x, y, x, y) or, @plane 4, its mask. */
static __device__ __forceinline__ float network_at(const NetworkField *network, int plane,
                                                   int x, int y)
{
    const float *data =
        plane < 4 ? network->flow + plane * network->plane : network->mask;

    return data[(y - network->first_row) * network->row + x];
}
