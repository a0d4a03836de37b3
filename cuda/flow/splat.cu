/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both flows to a time. First each vector goes to the front of the list of the sample at
 * whose right and lower side it lands, in whatever order threads come; then a thread for
 * each sample of a sum adds up what four lists have for it, as integers, so that the
 * order does not matter. */
#include "flow/flow_kernels.h"
#include "flow/flow_plane.cuh"

/* Sums are multiples of 2^-32. Vectors are kept within what 2^16 of them cannot make
 * overflow. */
#define UNITS 4294967296.0f
#define FARTHEST 32768.0f

struct SplatParameters {
    FlowPlane flow[2][2], weight[2];
    FlowPlane next[2], first; /* of ints: vectors, or -1 */
    FlowPlane sum[2][3];      /* of weight, x and y */
    int n_sums;
    float t[2]; /* where each direction lands, between a vector's beginning and its end */
};

/* Where a vector lands: the upper left sample, and weights of those beside it. */
struct Landing {
    int x, y;
    float part_x, part_y;
};

/* Sums of integers. */
struct Exact {
    unsigned long long weight, x, y;
};

static __device__ __forceinline__ int *int_at(const FlowPlane *plane, int x, int y)
{
    return (int *)(void *)flow_at(plane, x, y);
}

static __device__ __forceinline__ Landing landing_of(const SplatParameters *p, int d,
                                                     int x, int y)
{
    const FlowPlane *flow = p->flow[d];
    const float column = clamp_between((float)x + p->t[d] * *flow_at(&flow[0], x, y),
                                       -2.0f, (float)flow->w + 1.0f);
    const float line = clamp_between((float)y + p->t[d] * *flow_at(&flow[1], x, y), -2.0f,
                                     (float)flow->h + 1.0f);
    const float left = floorf(column), top = floorf(line);

    return {(int)left, (int)top, column - left, line - top};
}

static __global__ void empty_lists(FlowPlane first)
{
    const FlowPlace at = flow_thread();

    if (is_in_plane(&first, at))
        *int_at(&first, at.x, at.y) = -1;
}

/* Blocks' z is the direction. A vector beside the edge is listed at the edge. */
static __global__ void list_vectors(const __grid_constant__ SplatParameters p)
{
    const int d = (int)blockIdx.z, w = p.first.w, h = p.first.h;
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.first, at))
        return;
    const Landing landing = landing_of(&p, d, at.x, at.y);
    if (landing.x < -1 || landing.x >= w || landing.y < -1 || landing.y >= h)
        return;
    int *first = int_at(&p.first, clamp_below(landing.x, w), clamp_below(landing.y, h));
    *int_at(&p.next[d], at.x, at.y) = atomicExch(first, (d * h + at.y) * w + at.x);
}

static __device__ __forceinline__ unsigned long long exact(float value)
{
    return (unsigned long long)(long long)(value * UNITS);
}

static __device__ __forceinline__ float rounded(unsigned long long sum)
{
    return (float)(long long)sum * (1.0f / UNITS);
}

/* Adds what the vector of (x, y) has for the sample at @to. */
static __device__ __forceinline__ void add_vector(const SplatParameters *p, int d, int x,
                                                  int y, FlowPlace to, Exact *sum)
{
    const Landing landing = landing_of(p, d, x, y);
    const int right = to.x - landing.x, below = to.y - landing.y;

    if (right < 0 || right > 1 || below < 0 || below > 1)
        return;
    const float line = *flow_at(&p->weight[d], x, y) *
                       (below == 1 ? landing.part_y : 1.0f - landing.part_y);
    const float weight = line * (right == 1 ? landing.part_x : 1.0f - landing.part_x);
    const float sign = d == 0 ? 1.0f : -1.0f;
    const float vector_x =
        clamp_between(sign * *flow_at(&p->flow[d][0], x, y), -FARTHEST, FARTHEST);
    const float vector_y =
        clamp_between(sign * *flow_at(&p->flow[d][1], x, y), -FARTHEST, FARTHEST);
    sum->weight += exact(weight);
    sum->x += exact(weight * vector_x);
    sum->y += exact(weight * vector_y);
}

/* Blocks' z is the sum. */
static __global__ void add_vectors(const __grid_constant__ SplatParameters p)
{
    const int side = (int)blockIdx.z, w = p.first.w, h = p.first.h;
    const FlowPlace to = flow_thread();
    Exact sum = {0, 0, 0};

    if (!is_in_plane(&p.first, to))
        return;
    for (int row = to.y > 0 ? to.y - 1 : 0; row <= to.y; row++)
        for (int column = to.x > 0 ? to.x - 1 : 0; column <= to.x; column++)
            for (int i = *int_at(&p.first, column, row); i >= 0;) {
                const int d = i >= w * h, line = i / w - d * h, x = i % w;
                if (p.n_sums == 1 || d == side)
                    add_vector(&p, d, x, line, to, &sum);
                i = *int_at(&p.next[d], x, line);
            }
    *flow_at(&p.sum[side][0], to.x, to.y) = rounded(sum.weight);
    *flow_at(&p.sum[side][1], to.x, to.y) = rounded(sum.x);
    *flow_at(&p.sum[side][2], to.x, to.y) = rounded(sum.y);
}

cudaError_t vfi_cuda_flow_splat(cudaStream_t stream, const VfiFlowSplat *step,
                                char *const *region, float t)
{
    SplatParameters p = {};

    flow_planes(p.flow[0], step->flow[0], 4, region);
    flow_planes(p.weight, step->weight, 2, region);
    flow_planes(p.next, step->next, 2, region);
    p.first = flow_plane(&step->first, region);
    p.n_sums = step->n_sums;
    for (int i = 0; i < p.n_sums; i++) {
        p.sum[i][0] = flow_plane(&step->sum[i].weight, region);
        p.sum[i][1] = flow_plane(&step->sum[i].x, region);
        p.sum[i][2] = flow_plane(&step->sum[i].y, region);
    }
    p.t[0] = t;
    p.t[1] = 1.0f - t;
    VFI_LAUNCH(empty_lists, flow_grid(p.first.w, p.first.h, 1), flow_block(), stream,
               p.first);
    VFI_LAUNCH(list_vectors, flow_grid(p.first.w, p.first.h, 2), flow_block(), stream, p);
    VFI_LAUNCH(add_vectors, flow_grid(p.first.w, p.first.h, p.n_sums), flow_block(),
               stream, p);
    return cudaGetLastError();
}
