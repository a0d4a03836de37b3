/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each direction can learn from the other. A thread has a patch; blocks' z is the
 * direction that learns. Of several vectors that land on a patch first the least cost is
 * found, then the first vector that costs so much: neither depends on the order that
 * threads come in. */
#include "flow/flow_kernels.h"
#include "flow/flow_plane.cuh"

struct CrossParameters {
    FlowPlane x[2], y[2], cost[2]; /* by direction, as all below */
    FlowPlane other[2][2], landed[2][2];
    FlowPlane least[2]; /* of costs as ordered numbers */
    int w, h;           /* of the pictures */
};

#define NO_PATCH 0xFFFFFFFFu

static __device__ __forceinline__ unsigned *word_at(const FlowPlane *plane, FlowPlace at)
{
    return (unsigned *)(void *)flow_at(plane, at.x, at.y);
}

/* Numbers in the order of floats. */
static __device__ __forceinline__ unsigned ordered(float value)
{
    union {
        float value;
        unsigned bits;
    } word = {value};

    return word.bits & 0x80000000u ? ~word.bits : word.bits | 0x80000000u;
}

/* The patch of direction @d on which a vector of the other direction lands; beside all:
 * x is negative. Vectors that cost nothing that could be compared land nowhere. */
static __device__ __forceinline__ FlowPlace landing_of(const CrossParameters *p, int d,
                                                       FlowPlace at)
{
    const FlowPlane *x = &p->x[1 - d], *y = &p->y[1 - d];
    const FlowPlace to = {
        vfi_flow_nearest_patch(
            (float)vfi_flow_patch_begin(at.x, p->w) + *flow_at(x, at.x, at.y), x->w),
        vfi_flow_nearest_patch(
            (float)vfi_flow_patch_begin(at.y, p->h) + *flow_at(y, at.x, at.y), y->h)};

    if (to.y < 0 || !(*flow_at(&p->cost[1 - d], at.x, at.y) < INFINITY))
        return {-1, -1};
    return to;
}

static __device__ __forceinline__ unsigned cost_at(const CrossParameters *p, int d,
                                                   FlowPlace at)
{
    return ordered(*flow_at(&p->cost[1 - d], at.x, at.y));
}

static __global__ void copy_other(const __grid_constant__ CrossParameters p)
{
    const int d = (int)blockIdx.z;
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.least[d], at))
        return;
    *flow_at(&p.other[d][0], at.x, at.y) = *flow_at(&p.x[1 - d], at.x, at.y);
    *flow_at(&p.other[d][1], at.x, at.y) = *flow_at(&p.y[1 - d], at.x, at.y);
    *word_at(&p.least[d], at) = NO_PATCH;
    *word_at(&p.landed[d][0], at) = NO_PATCH;
}

static __global__ void find_least(const __grid_constant__ CrossParameters p)
{
    const int d = (int)blockIdx.z;
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.least[d], at))
        return;
    const FlowPlace to = landing_of(&p, d, at);
    if (to.x >= 0)
        atomicMin(word_at(&p.least[d], to), cost_at(&p, d, at));
}

/* Its number takes the place of the vector's x until all have been found. */
static __global__ void find_first(const __grid_constant__ CrossParameters p)
{
    const int d = (int)blockIdx.z;
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.least[d], at))
        return;
    const FlowPlace to = landing_of(&p, d, at);
    if (to.x >= 0 && *word_at(&p.least[d], to) == cost_at(&p, d, at))
        atomicMin(word_at(&p.landed[d][0], to), (unsigned)(at.y * p.least[d].w + at.x));
}

static __global__ void take_landed(const __grid_constant__ CrossParameters p)
{
    const int d = (int)blockIdx.z;
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.least[d], at))
        return;
    const unsigned patch = *word_at(&p.landed[d][0], at);
    if (patch == NO_PATCH) {
        *flow_at(&p.landed[d][0], at.x, at.y) = VFI_FLOW_NO_VECTOR;
        return;
    }
    const int x = (int)patch % p.least[d].w, y = (int)patch / p.least[d].w;
    *flow_at(&p.landed[d][0], at.x, at.y) = -*flow_at(&p.x[1 - d], x, y);
    *flow_at(&p.landed[d][1], at.x, at.y) = -*flow_at(&p.y[1 - d], x, y);
}

cudaError_t vfi_cuda_flow_cross(cudaStream_t stream, const VfiFlowCross *step,
                                char *const *region)
{
    CrossParameters p = {};

    for (int d = 0; d < 2; d++) {
        p.x[d] = flow_plane(&step->patches[d].x, region);
        p.y[d] = flow_plane(&step->patches[d].y, region);
        p.cost[d] = flow_plane(&step->patches[d].cost, region);
    }
    flow_planes(p.other[0], step->other[0], 4, region);
    flow_planes(p.landed[0], step->landed[0], 4, region);
    flow_planes(p.least, step->least, 2, region);
    p.w = step->w;
    p.h = step->h;
    const dim3 grid = flow_grid(p.least[0].w, p.least[0].h, 2);
    VFI_LAUNCH(copy_other, grid, flow_block(), stream, p);
    VFI_LAUNCH(find_least, grid, flow_block(), stream, p);
    VFI_LAUNCH(find_first, grid, flow_block(), stream, p);
    VFI_LAUNCH(take_landed, grid, flow_block(), stream, p);
    return cudaGetLastError();
}
