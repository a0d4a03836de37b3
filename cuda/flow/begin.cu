/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the search for patches begins. A warp has a patch. */
#include "flow/flow_kernels.h"
#include "flow/patch.cuh"

template <int CHANNELS> struct BeginParameters {
    PicturePair<CHANNELS> pictures[2]; /* by direction, as all below */
    FlowPlane coarse[2][2];
    FlowPlane x[2], y[2], cost[2], settled[2];
};

/* Twice the coarser flow at sample (x, y). */
static __device__ __forceinline__ float coarse_flow(const FlowPlane *coarse, int x, int y)
{
    const int left = (x - 1) >> 1, top = (y - 1) >> 1;
    const float wx = x & 1 ? 0.25f : 0.75f, wy = y & 1 ? 0.25f : 0.75f;
    const float *upper = flow_at(coarse, 0, clamp_below(top, coarse->h));
    const float *lower = flow_at(coarse, 0, clamp_below(top + 1, coarse->h));
    const int x0 = clamp_below(left, coarse->w), x1 = clamp_below(left + 1, coarse->w);
    const float a = upper[x0] + (upper[x1] - upper[x0]) * wx;
    const float b = lower[x0] + (lower[x1] - lower[x0]) * wx;

    return 2.0f * (a + (b - a) * wy);
}

/* Blocks' x and y are the patch, z is the direction. */
template <int CHANNELS>
static __global__ void __launch_bounds__(LANES)
    begin_patches(const __grid_constant__ BeginParameters<CHANNELS> p)
{
    const int column = (int)blockIdx.x, row = (int)blockIdx.y, d = (int)blockIdx.z;
    const FlowPlane *coarse = p.coarse[d], *picture = &p.pictures[d].from[0];
    float x = 0.0f, y = 0.0f;

    VFI_ENTER_WARP;
    const Patch<CHANNELS> patch = patch_of(p.pictures[d], column, row);
    if (coarse[0].w > 0) {
        const int centre_x = clamp_below(patch.x + VFI_FLOW_PATCH / 2, picture->w);
        const int centre_y = clamp_below(patch.y + VFI_FLOW_PATCH / 2, picture->h);
        x = coarse_flow(&coarse[0], centre_x, centre_y);
        y = coarse_flow(&coarse[1], centre_x, centre_y);
    }
    const Match match = match_patch(p.pictures[d], patch, x, y);
    if (threadIdx.x != 0)
        return;
    *flow_at(&p.x[d], column, row) = x;
    *flow_at(&p.y[d], column, row) = y;
    *flow_at(&p.cost[d], column, row) = match.cost;
    *flow_at(&p.settled[d], column, row) = 0.0f;
}

template <int CHANNELS>
static void launch(cudaStream_t stream, const VfiFlowBegin *step, char *const *region)
{
    BeginParameters<CHANNELS> p = {};

    for (int d = 0; d < 2; d++) {
        p.pictures[d] = picture_pair<CHANNELS>(step->picture, d, region);
        p.x[d] = flow_plane(&step->patches[d].x, region);
        p.y[d] = flow_plane(&step->patches[d].y, region);
        p.cost[d] = flow_plane(&step->patches[d].cost, region);
        p.settled[d] = flow_plane(&step->patches[d].settled, region);
    }
    flow_planes(p.coarse[0], step->coarse[0], 4, region);
    VFI_LAUNCH(begin_patches<CHANNELS>, dim3((unsigned)p.x[0].w, (unsigned)p.x[0].h, 2),
               dim3(LANES), stream, p);
}

cudaError_t vfi_cuda_flow_begin(cudaStream_t stream, const VfiFlowBegin *step,
                                char *const *region)
{
    if (step->picture[0].n_channels == 1)
        launch<1>(stream, step, region);
    else
        launch<VFI_FLOW_CHANNELS>(stream, step, region);
    return cudaGetLastError();
}
