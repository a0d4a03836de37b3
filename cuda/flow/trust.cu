/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far each vector is to be trusted. Blocks' z is the direction. */
#include "flow/flow_kernels.h"
#include "flow/flow_plane.cuh"

struct ResidualParameters {
    FlowPlane picture[2], flow[2][2], residual[2];
};

/* The other picture where a flow leads, bilinear. Beyond the picture its edge is
 * repeated, of which its border has enough. */
static __device__ __forceinline__ float warped_sample(const FlowPlane *picture,
                                                      const FlowPlane *flow_x,
                                                      const FlowPlane *flow_y,
                                                      FlowPlace at)
{
    const float x = (float)at.x + *flow_at(flow_x, at.x, at.y);
    const float y = (float)at.y + *flow_at(flow_y, at.x, at.y);
    const PicturePlace place = picture_place(picture, x, y, -2.0f, 1.0f);

    return picture_sample(&place, 0);
}

static __global__ void find_residual(const __grid_constant__ ResidualParameters p)
{
    const int d = (int)blockIdx.z;
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.residual[d], at))
        return;
    const float other =
        warped_sample(&p.picture[1 - d], &p.flow[d][0], &p.flow[d][1], at);
    *flow_at(&p.residual[d], at.x, at.y) =
        fabsf(*flow_at(&p.picture[d], at.x, at.y) - other);
}

cudaError_t vfi_cuda_flow_residual(cudaStream_t stream, const VfiFlowResidual *step,
                                   char *const *region)
{
    ResidualParameters p;

    flow_planes(p.picture, step->picture, 2, region);
    flow_planes(p.flow[0], step->flow[0], 4, region);
    flow_planes(p.residual, step->residual, 2, region);
    VFI_LAUNCH(find_residual, flow_grid(p.residual[0].w, p.residual[0].h, 2),
               flow_block(), stream, p);
    return cudaGetLastError();
}

struct TrustParameters {
    FlowPlane residual[2], flow[2][2], weight[2];
    float falloff, disagreement;
};

/* Of three residuals above each other. */
static __device__ __forceinline__ float sum_of_three(const FlowPlane *residual, int x,
                                                     int y)
{
    x = clamp_below(x, residual->w);
    return *flow_at(residual, x, clamp_below(y - 1, residual->h)) +
           *flow_at(residual, x, y) +
           *flow_at(residual, x, clamp_below(y + 1, residual->h));
}

/* The square of the length of a vector of direction @d and the other one's where it
 * leads. */
static __device__ __forceinline__ float there_and_back(const TrustParameters *p, int d,
                                                       FlowPlace at)
{
    const FlowPlane *back = p->flow[1 - d];
    const float x = *flow_at(&p->flow[d][0], at.x, at.y);
    const float y = *flow_at(&p->flow[d][1], at.x, at.y);
    const int to_x =
        (int)(clamp_between((float)at.x + x, 0.0f, (float)(back->w - 1)) + 0.5f);
    const int to_y =
        (int)(clamp_between((float)at.y + y, 0.0f, (float)(back->h - 1)) + 0.5f);
    const float dx = x + *flow_at(&back[0], to_x, to_y);
    const float dy = y + *flow_at(&back[1], to_x, to_y);

    return dx * dx + dy * dy;
}

static __global__ void find_trust(const __grid_constant__ TrustParameters p)
{
    const int d = (int)blockIdx.z;
    const FlowPlane *residual = &p.residual[d];
    const FlowPlace at = flow_thread();

    if (!is_in_plane(&p.weight[d], at))
        return;
    const float sum = sum_of_three(residual, at.x - 1, at.y) +
                      sum_of_three(residual, at.x, at.y) +
                      sum_of_three(residual, at.x + 1, at.y);
    const float difference = p.falloff * (1.0f / 9.0f) * sum;
    const float square = difference * difference;
    const float disagreement =
        p.disagreement * p.disagreement * there_and_back(&p, d, at);
    *flow_at(&p.weight[d], at.x, at.y) =
        1.0f / ((1.0f + square + square * square) * (1.0f + disagreement));
}

cudaError_t vfi_cuda_flow_trust(cudaStream_t stream, const VfiFlowTrust *step,
                                char *const *region)
{
    TrustParameters p;

    flow_planes(p.residual, step->residual, 2, region);
    flow_planes(p.weight, step->weight, 2, region);
    flow_planes(p.flow[0], step->flow[0], 4, region);
    p.falloff = step->falloff;
    p.disagreement = step->disagreement;
    VFI_LAUNCH(find_trust, flow_grid(p.weight[0].w, p.weight[0].h, 2), flow_block(),
               stream, p);
    return cudaGetLastError();
}
