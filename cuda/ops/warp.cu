/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backward warp: pixel (x, y) of the result is the source at (x, y) + flow, interpolated
 * between four pixels. A thread takes 8 channels of a pixel, so that coordinates are
 * computed once for them. */
#include "ops/tensor.cuh"

/* Into [0, limit]; NaN becomes 0. */
static __device__ __forceinline__ float clamp_coordinate(float x, float limit)
{
    x = x > 0.0f ? x : 0.0f;
    return x < limit ? x : limit;
}

static __device__ __forceinline__ VfiGroup blend(const VfiGroup &a, const VfiGroup &b,
                                                 float weight)
{
    VfiGroup result;

    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        result.v[k] = a.v[k] + weight * (b.v[k] - a.v[k]);
    return result;
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    warp(VfiCudaTensor src, const float *flow, VfiCudaTensor dst, VfiGroupGrid over)
{
    unsigned pixel, w = (unsigned)dst.w;
    int channel;

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    float flow_x = flow[pixel], flow_y = flow[(size_t)over.pixels + pixel];
    float x = clamp_coordinate((float)(pixel % w) + flow_x, (float)(src.w - 1));
    float y = clamp_coordinate((float)(pixel / w) + flow_y, (float)(src.h - 1));
    int x0 = (int)x, y0 = (int)y;
    unsigned right = x0 < src.w - 1, below = y0 < src.h - 1 ? (unsigned)src.w : 0;
    unsigned at = (unsigned)y0 * (unsigned)src.w + (unsigned)x0;
    float wx = x - (float)x0, wy = y - (float)y0;

    VfiGroup top = blend(vfi_load_group(src, at, channel),
                         vfi_load_group(src, at + right, channel), wx);
    VfiGroup bottom = blend(vfi_load_group(src, at + below, channel),
                            vfi_load_group(src, at + below + right, channel), wx);
    vfi_store_group(dst, pixel, channel, blend(top, bottom, wy));
}

static cudaError_t launch_warp(const VfiCudaLaunch *launch)
{
    const VfiCudaTensor *dst = &launch->dst;
    VfiGroupLaunch groups = vfi_group_launch_over(dst);

    VFI_LAUNCH(warp, groups.grid, groups.block, launch->stream, launch->src[0],
               (const float *)launch->src[1].data, *dst, groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_warp = {NULL, NULL, launch_warp};
