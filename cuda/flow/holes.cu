/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From sums of splatted vectors to the flow at a time: dividing by weights, filling holes
 * from coarser levels, medians. A thread has a sample. */
#include "flow/flow_kernels.h"
#include "flow/flow_plane.cuh"

struct SumPlanes {
    FlowPlane weight, x, y;
};

static SumPlanes sum_planes(const VfiFlowSum *sum, char *const *region)
{
    return {flow_plane(&sum->weight, region), flow_plane(&sum->x, region),
            flow_plane(&sum->y, region)};
}

static __device__ __forceinline__ float least_of(float a, float b)
{
    return a < b ? a : b;
}

static __device__ __forceinline__ float greatest_of(float a, float b)
{
    return a > b ? a : b;
}

static __device__ __forceinline__ void scale_vector(const SumPlanes *sum, FlowPlace at,
                                                    float factor)
{
    *flow_at(&sum->x, at.x, at.y) *= factor;
    *flow_at(&sum->y, at.x, at.y) *= factor;
}

/* ---- sides ------------------------------------------------------------------------- */

struct MergeParameters {
    SumPlanes side[2], both;
    float scale;
};

static __device__ __forceinline__ void add_side(const FlowPlane *both,
                                                const FlowPlane *side0,
                                                const FlowPlane *side1, FlowPlace at)
{
    *flow_at(both, at.x, at.y) =
        *flow_at(side0, at.x, at.y) + *flow_at(side1, at.x, at.y);
}

static __device__ __forceinline__ void divide_side(const SumPlanes *side, FlowPlace at,
                                                   float scale)
{
    const float weight = *flow_at(&side->weight, at.x, at.y);

    scale_vector(side, at, scale / greatest_of(weight, VFI_FLOW_HOLE));
    if (weight < VFI_FLOW_HOLE)
        *flow_at(&side->x, at.x, at.y) = VFI_FLOW_NO_VECTOR;
}

static __global__ void merge(const __grid_constant__ MergeParameters p)
{
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.both.x, at))
        return;
    add_side(&p.both.weight, &p.side[0].weight, &p.side[1].weight, at);
    add_side(&p.both.x, &p.side[0].x, &p.side[1].x, at);
    add_side(&p.both.y, &p.side[0].y, &p.side[1].y, at);
    divide_side(&p.side[0], at, p.scale);
    divide_side(&p.side[1], at, p.scale);
}

cudaError_t vfi_cuda_flow_merge(cudaStream_t stream, const VfiFlowMerge *step,
                                char *const *region)
{
    const MergeParameters p = {
        {sum_planes(&step->side[0], region), sum_planes(&step->side[1], region)},
        sum_planes(&step->both, region),
        step->scale};

    VFI_LAUNCH(merge, flow_grid(p.both.x.w, p.both.x.h, 1), flow_block(), stream, p);
    return cudaGetLastError();
}

struct SidesParameters {
    FlowPlane flow[2], side[2][2];
};

/* Blocks' z is the side. */
static __global__ void complete_sides(const __grid_constant__ SidesParameters p)
{
    const FlowPlane *side = p.side[blockIdx.z];
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.flow[0], at) ||
        *flow_at(&side[0], at.x, at.y) != VFI_FLOW_NO_VECTOR)
        return;
    *flow_at(&side[0], at.x, at.y) = *flow_at(&p.flow[0], at.x, at.y);
    *flow_at(&side[1], at.x, at.y) = *flow_at(&p.flow[1], at.x, at.y);
}

cudaError_t vfi_cuda_flow_sides(cudaStream_t stream, const VfiFlowSides *step,
                                char *const *region)
{
    SidesParameters p;

    flow_planes(p.flow, step->flow, 2, region);
    flow_planes(p.side[0], step->side[0], 4, region);
    VFI_LAUNCH(complete_sides, flow_grid(p.flow[0].w, p.flow[0].h, 2), flow_block(),
               stream, p);
    return cudaGetLastError();
}

/* ---- holes ------------------------------------------------------------------------- */

static __device__ __forceinline__ void pull_sum(const FlowPlane *fine,
                                                const FlowPlane *coarse, FlowPlace at)
{
    const int left = 2 * at.x, right = clamp_below(left + 1, fine->w);
    const float *top = flow_at(fine, 0, 2 * at.y);
    const float *bottom = flow_at(fine, 0, clamp_below(2 * at.y + 1, fine->h));

    *flow_at(coarse, at.x, at.y) =
        (top[left] + top[right]) + (bottom[left] + bottom[right]);
}

static __global__ void pull(SumPlanes fine, SumPlanes coarse)
{
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&coarse.x, at))
        return;
    pull_sum(&fine.weight, &coarse.weight, at);
    pull_sum(&fine.x, &coarse.x, at);
    pull_sum(&fine.y, &coarse.y, at);
}

cudaError_t vfi_cuda_flow_pull(cudaStream_t stream, const VfiFlowFill *step,
                               char *const *region)
{
    const SumPlanes fine = sum_planes(&step->fine, region);
    const SumPlanes coarse = sum_planes(&step->coarse, region);

    VFI_LAUNCH(pull, flow_grid(coarse.x.w, coarse.x.h, 1), flow_block(), stream, fine,
               coarse);
    return cudaGetLastError();
}

static __device__ __forceinline__ void add_coarse(const SumPlanes *fine,
                                                  const SumPlanes *coarse, FlowPlace at)
{
    const FlowPlace from = {at.x / 2, at.y / 2};
    const float weight = *flow_at(&coarse->weight, from.x, from.y);

    if (!(weight > 0.0f))
        return;
    const float factor = VFI_FLOW_FILL / weight;
    *flow_at(&fine->weight, at.x, at.y) += VFI_FLOW_FILL;
    *flow_at(&fine->x, at.x, at.y) += factor * *flow_at(&coarse->x, from.x, from.y);
    *flow_at(&fine->y, at.x, at.y) += factor * *flow_at(&coarse->y, from.x, from.y);
}

/* A coarser level without samples is none. */
static __global__ void push(SumPlanes fine, SumPlanes coarse, bool normalise)
{
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&fine.x, at))
        return;
    if (coarse.x.w > 0 && *flow_at(&fine.weight, at.x, at.y) < VFI_FLOW_THIN)
        add_coarse(&fine, &coarse, at);
    if (!normalise)
        return;
    const float weight = *flow_at(&fine.weight, at.x, at.y);
    scale_vector(&fine, at, 1.0f / greatest_of(weight, 1e-9f));
}

cudaError_t vfi_cuda_flow_push(cudaStream_t stream, const VfiFlowFill *step,
                               char *const *region)
{
    const SumPlanes fine = sum_planes(&step->fine, region);
    SumPlanes coarse = {};

    if (step->coarse.x.w > 0)
        coarse = sum_planes(&step->coarse, region);
    VFI_LAUNCH(push, flow_grid(fine.x.w, fine.x.h, 1), flow_block(), stream, fine, coarse,
               step->normalise);
    return cudaGetLastError();
}

/* ---- medians ----------------------------------------------------------------------- */

#define TAPS 5

struct MedianParameters {
    FlowPlane from[2], to[2];
    bool vertical;
    float scale;
};

/* Blocks' z is the axis of the vectors. */
static __global__ void find_median(const __grid_constant__ MedianParameters p)
{
    const FlowPlane *from = &p.from[blockIdx.z], *to = &p.to[blockIdx.z];
    const FlowPlace at = flow_thread();
    float tap[TAPS];

    if (!is_in_plane(from, at))
        return;
    for (int i = 0; i < TAPS; i++) {
        const int offset = i - TAPS / 2;
        tap[i] = *flow_at(from, clamp_below(p.vertical ? at.x : at.x + offset, from->w),
                          clamp_below(p.vertical ? at.y + offset : at.y, from->h));
    }
    const float low = greatest_of(least_of(tap[0], tap[1]), least_of(tap[2], tap[3]));
    const float high = least_of(greatest_of(tap[0], tap[1]), greatest_of(tap[2], tap[3]));
    *flow_at(to, at.x, at.y) =
        p.scale *
        greatest_of(least_of(low, high), least_of(greatest_of(low, high), tap[4]));
}

cudaError_t vfi_cuda_flow_median(cudaStream_t stream, const VfiFlowMedian *step,
                                 char *const *region)
{
    MedianParameters p;

    flow_planes(p.from, step->from, 2, region);
    flow_planes(p.to, step->to, 2, region);
    p.vertical = step->vertical;
    p.scale = step->scale;
    VFI_LAUNCH(find_median, flow_grid(p.from[0].w, p.from[0].h, 2), flow_block(), stream,
               p);
    return cudaGetLastError();
}
