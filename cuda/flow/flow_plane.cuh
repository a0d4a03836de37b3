/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Planes of the steps of `flow` as kernels see them. The formulas of all kernels and
 * their order are those of engine/cpu/flow_kernels_c.c. */
#pragma once

#include <stddef.h>

#include "flow/step.h"
#include "runtime/launch.h"

/* Threads of a block: a warp goes along a row. */
#define FLOW_BLOCK_X 32
#define FLOW_BLOCK_Y 8

struct FlowPlane {
    float *data; /* column 0 of row 0 */
    ptrdiff_t row;
    int w, h;
};

struct FlowPlace {
    int x, y;
};

/* ---- on the host ------------------------------------------------------------------- */

/* A plane without samples has no data. */
static inline FlowPlane flow_plane(const VfiFlowPlane *plane, char *const *region)
{
    FlowPlane view = {NULL, (ptrdiff_t)plane->row, plane->w, plane->h};

    if (plane->w > 0)
        view.data = vfi_flow_row(plane, region, 0);
    return view;
}

static inline void flow_planes(FlowPlane *view, const VfiFlowPlane *plane, int n,
                               char *const *region)
{
    for (int i = 0; i < n; i++)
        view[i] = flow_plane(&plane[i], region);
}

/* Blocks for w × h samples, @n times. */
static inline dim3 flow_grid(int w, int h, int n)
{
    return dim3((unsigned)((w + FLOW_BLOCK_X - 1) / FLOW_BLOCK_X),
                (unsigned)((h + FLOW_BLOCK_Y - 1) / FLOW_BLOCK_Y), (unsigned)n);
}

static inline dim3 flow_block(void)
{
    return dim3(FLOW_BLOCK_X, FLOW_BLOCK_Y);
}

/* ---- on the device ----------------------------------------------------------------- */

/* The thread's sample. */
static __device__ __forceinline__ FlowPlace flow_thread(void)
{
    return {(int)(blockIdx.x * blockDim.x + threadIdx.x),
            (int)(blockIdx.y * blockDim.y + threadIdx.y)};
}

static __device__ __forceinline__ bool is_in_plane(const FlowPlane *plane, FlowPlace at)
{
    return at.x < plane->w && at.y < plane->h;
}

static __host__ __device__ __forceinline__ float *flow_at(const FlowPlane *plane, int x,
                                                          int y)
{
    return plane->data + (ptrdiff_t)y * plane->row + x;
}

static __device__ __forceinline__ float clamp_between(float x, float low, float high)
{
    x = x > low ? x : low;
    return x < high ? x : high;
}

/* @i within [0, n). */
static __host__ __device__ __forceinline__ int clamp_below(int i, int n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* A place between samples: of the upper left one, and weights of the others. */
struct PicturePlace {
    const float *at;
    ptrdiff_t row;
    float x, y;
};

/* (x, y) of @picture, kept within [low, size + beyond]. */
static __device__ __forceinline__ PicturePlace picture_place(const FlowPlane *picture,
                                                             float x, float y, float low,
                                                             float beyond)
{
    x = clamp_between(x, low, (float)picture->w + beyond);
    y = clamp_between(y, low, (float)picture->h + beyond);
    const float column = floorf(x), line = floorf(y);

    return {flow_at(picture, (int)column, (int)line), picture->row, x - column, y - line};
}

/* The sample @offset floats from a place. */
static __device__ __forceinline__ float picture_sample(const PicturePlace *place,
                                                       ptrdiff_t offset)
{
    const float *at = place->at + offset;
    const float top = at[0] + (at[1] - at[0]) * place->x;
    const float bottom =
        at[place->row] + (at[place->row + 1] - at[place->row]) * place->x;

    return top + (bottom - top) * place->y;
}
