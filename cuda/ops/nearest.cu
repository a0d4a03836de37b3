/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nearest enlargement, and the sums that remain of a 2 × 2 convolution after it: both
 * read pixels of the source that repeat. A thread takes 8 channels of a pixel. */
#include "ops/tensor.cuh"

/* The row (or column) of the source that row @i of an enlargement repeats. */
static __device__ __forceinline__ unsigned nearest_of(unsigned i, int in, int out)
{
    return i * (unsigned)in / (unsigned)out;
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    nearest(VfiCudaTensor src, VfiCudaTensor dst, VfiGroupGrid over)
{
    unsigned pixel, w = (unsigned)dst.w;
    int channel;

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    unsigned at = nearest_of(pixel / w, src.h, dst.h) * (unsigned)src.w +
                  nearest_of(pixel % w, src.w, dst.w);
    vfi_store_group(dst, pixel, channel, vfi_load_group(src, at, channel));
}

static cudaError_t launch_nearest(const VfiCudaLaunch *launch)
{
    VfiGroupLaunch groups = vfi_group_launch_over(&launch->dst);

    VFI_LAUNCH(nearest, groups.grid, groups.block, launch->stream, launch->src[0],
               launch->dst, groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_nearest = {NULL, NULL, launch_nearest};

/* Channels @channel … @channel + 7 of a pixel, wherever they begin. */
static __device__ __forceinline__ VfiGroup load_channels(const VfiCudaTensor &src,
                                                         unsigned pixel, int channel)
{
    VfiGroup group;

    if (src.pixel_stride == 0 || channel % VFI_GROUP == 0)
        return vfi_load_group(src, pixel, channel);
    size_t at = (size_t)pixel * (size_t)src.pixel_stride + (size_t)channel;
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++, at++) {
        group.v[k] = 0.0f;
        if (channel + k < src.c)
            group.v[k] = src.half ? __half2float(((const __half *)src.data)[at])
                                  : ((const float *)src.data)[at];
    }
    return group;
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    upsample_conv_sum(VfiCudaTensor src, const float *bias, VfiCudaTensor dst,
                      VfiGroupGrid over)
{
    unsigned pixel, w = (unsigned)dst.w;
    int channel;

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    unsigned x = pixel % w, y = pixel / w;
    VfiGroup sum = vfi_load_each(bias, channel, dst.c, 0.0f);
    VFI_UNROLL
    for (int tap = 0; tap < 4; tap++) {
        unsigned from_x = x + (unsigned)tap % 2, from_y = y + (unsigned)tap / 2;
        if (from_x >= w || from_y >= (unsigned)dst.h)
            continue;
        unsigned at = nearest_of(from_y, src.h, dst.h) * (unsigned)src.w +
                      nearest_of(from_x, src.w, dst.w);
        VfiGroup term = load_channels(src, at, tap * dst.c + channel);
        VFI_UNROLL
        for (int k = 0; k < VFI_GROUP; k++)
            sum.v[k] += term.v[k];
    }
    vfi_store_group(dst, pixel, channel, sum);
}

static void sum_constants(const VfiOp *op,
                          VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS])
{
    constants[0] = {op->u.nearest.bias, (size_t)op->dst.shape.c, 0};
}

static cudaError_t launch_upsample_conv_sum(const VfiCudaLaunch *launch)
{
    VfiGroupLaunch groups = vfi_group_launch_over(&launch->dst);

    VFI_LAUNCH(upsample_conv_sum, groups.grid, groups.block, launch->stream,
               launch->src[0], launch->constant[0], launch->dst, groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_upsample_conv_sum = {NULL, sum_constants,
                                                      launch_upsample_conv_sum};
