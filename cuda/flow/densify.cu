/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dense flow that patches make. A thread has a sample and asks the patches that cover
 * it; blocks' z is the direction. */
#include "flow/flow_kernels.h"
#include "flow/patch_place.cuh"

struct DensifyParameters {
    FlowPlane picture[2];
    FlowPlane x[2], y[2], vote[2]; /* of patches */
    FlowPlane flow[2][2];
};

/* Patches along a side that cover a sample. */
struct Covering {
    int first, end;
};

static __device__ __forceinline__ Covering covering(int at, int size, int count)
{
    Covering range = {0, at / VFI_FLOW_STRIDE + 1};

    if (at >= VFI_FLOW_PATCH)
        range.first = (at - VFI_FLOW_PATCH) / VFI_FLOW_STRIDE + 1;
    /* The last one ends where the side does. */
    if (range.end > count || vfi_flow_patch_begin(count - 1, size) <= at)
        range.end = count;
    if (range.first > count - 1)
        range.first = count - 1;
    return range;
}

static __global__ void __launch_bounds__(FLOW_BLOCK_X *FLOW_BLOCK_Y, 4)
    densify(const __grid_constant__ DensifyParameters p)
{
    const int d = (int)blockIdx.z;
    const FlowPlane *from = &p.picture[d], *to = &p.picture[1 - d];
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.flow[d][0], at))
        return;
    const Covering rows = covering(at.y, from->h, p.x[d].h);
    const Covering columns = covering(at.x, from->w, p.x[d].w);
    const float here = *flow_at(from, at.x, at.y);
    float weight = 0.0f, sum_x = 0.0f, sum_y = 0.0f;
    for (int j = rows.first; j < rows.end; j++)
        for (int i = columns.first; i < columns.end; i++) {
            const float vector_x = *flow_at(&p.x[d], i, j);
            const float vector_y = *flow_at(&p.y[d], i, j);
            const int left = vfi_flow_patch_begin(i, from->w);
            const int top = vfi_flow_patch_begin(j, from->h);
            const PicturePlace place = patch_place(to, left, top, vector_x, vector_y);
            const float difference = fabsf(
                picture_sample(&place, (at.y - top) * to->row + (at.x - left)) - here);
            const float share =
                *flow_at(&p.vote[d], i, j) / (difference > 1.0f ? difference : 1.0f);
            weight += share;
            sum_x += share * vector_x;
            sum_y += share * vector_y;
        }
    *flow_at(&p.flow[d][0], at.x, at.y) = sum_x / weight;
    *flow_at(&p.flow[d][1], at.x, at.y) = sum_y / weight;
}

cudaError_t vfi_cuda_flow_densify(cudaStream_t stream, const VfiFlowDensify *step,
                                  char *const *region)
{
    DensifyParameters p;

    flow_planes(p.picture, step->picture, 2, region);
    flow_planes(p.flow[0], step->flow[0], 4, region);
    for (int d = 0; d < 2; d++) {
        p.x[d] = flow_plane(&step->patches[d].x, region);
        p.y[d] = flow_plane(&step->patches[d].y, region);
        p.vote[d] = flow_plane(&step->patches[d].cost, region);
    }
    VFI_LAUNCH(densify, flow_grid(p.flow[0][0].w, p.flow[0][0].h, 2), flow_block(),
               stream, p);
    return cudaGetLastError();
}
