/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pixels normalised over their channels. Channels last a warp has a pixel; in planes a
 * thread does, as neighbouring threads read neighbouring pixels then. Values are read
 * three times, for the mean, for what is off it, and for the result: the second time from
 * a cache. */
#include "ops/tensor.cuh"

#define LANES 32

struct LayerNorm {
    const float *weight, *bias;
    float eps;
    unsigned pixels;
};

/* What channels of a group add up to, or the squares of what they are off @mean. */
static __device__ __forceinline__ float
sum_group(const VfiCudaTensor &src, unsigned pixel, int channel, float mean, bool squares)
{
    VfiGroup x = vfi_load_group(src, pixel, channel);
    float sum = 0.0f;

    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++) {
        float off = x.v[k] - mean;
        sum += channel + k >= src.c ? 0.0f : squares ? off * off : x.v[k];
    }
    return sum;
}

/* The groups of lane @lane: every @lanes-th. */
static __device__ __forceinline__ float sum_lane(const VfiCudaTensor &src, unsigned pixel,
                                                 int lane, int lanes, float mean,
                                                 bool squares)
{
    float sum = 0.0f;

    VFI_UNROLL_BY_1
    for (int c = lane * VFI_GROUP; c < src.c; c += lanes * VFI_GROUP)
        sum += sum_group(src, pixel, c, mean, squares);
    return sum;
}

static __device__ __forceinline__ void
store_lane(const VfiCudaTensor &src, const VfiCudaTensor &dst, const LayerNorm &norm,
           unsigned pixel, int lane, int lanes, float mean, float factor)
{
    VFI_UNROLL_BY_1
    for (int c = lane * VFI_GROUP; c < src.c; c += lanes * VFI_GROUP) {
        VfiGroup x = vfi_load_group(src, pixel, c);
        VfiGroup weight = vfi_load_each(norm.weight, c, src.c, 0.0f);
        VfiGroup bias = vfi_load_each(norm.bias, c, src.c, 0.0f);
        VFI_UNROLL
        for (int k = 0; k < VFI_GROUP; k++)
            x.v[k] = (x.v[k] - mean) * (factor * weight.v[k]) + bias.v[k];
        vfi_store_group(dst, pixel, c, x);
    }
}

static __device__ __forceinline__ float factor_of(const VfiCudaTensor &src,
                                                  const LayerNorm &norm, float squares)
{
    return 1.0f / sqrtf(squares / (float)src.c + norm.eps);
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    normalise_planes(VfiCudaTensor src, VfiCudaTensor dst, LayerNorm norm)
{
    unsigned pixel = blockIdx.x * blockDim.x + threadIdx.x;

    if (pixel >= norm.pixels)
        return;
    float mean = sum_lane(src, pixel, 0, 1, 0.0f, false) / (float)src.c;
    float squares = sum_lane(src, pixel, 0, 1, mean, true);
    store_lane(src, dst, norm, pixel, 0, 1, mean, factor_of(src, norm, squares));
}

/* Of the warp's lanes; without warps one thread does the work of all. */
static __device__ __forceinline__ float sum_warp(const VfiCudaTensor &src, unsigned pixel,
                                                 int lane, float mean, bool squares)
{
#ifdef __CUDACC__
    float sum = sum_lane(src, pixel, lane, LANES, mean, squares);
    for (int distance = LANES / 2; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    return sum;
#else
    (void)lane;
    return sum_lane(src, pixel, 0, 1, mean, squares);
#endif
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    normalise_pixels(VfiCudaTensor src, VfiCudaTensor dst, LayerNorm norm)
{
    unsigned pixel = blockIdx.x * blockDim.y + threadIdx.y;
    int lane = (int)threadIdx.x;

    if (pixel >= norm.pixels)
        return;
#ifndef __CUDACC__
    if (lane > 0)
        return;
#endif
    float mean = sum_warp(src, pixel, lane, 0.0f, false) / (float)src.c;
    float factor = factor_of(src, norm, sum_warp(src, pixel, lane, mean, true));
#ifdef __CUDACC__
    store_lane(src, dst, norm, pixel, lane, LANES, mean, factor);
#else
    store_lane(src, dst, norm, pixel, 0, 1, mean, factor);
#endif
}

enum { WEIGHT, BIAS };

static void norm_constants(const VfiOp *op,
                           VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS])
{
    size_t channels = (size_t)op->dst.shape.c;

    constants[WEIGHT] = {op->u.norm.weight, channels, 0};
    constants[BIAS] = {op->u.norm.bias, channels, 0};
}

static cudaError_t launch_layer_norm(const VfiCudaLaunch *launch)
{
    size_t pixels = vfi_tensor_plane(&launch->dst);
    LayerNorm norm = {launch->constant[WEIGHT], launch->constant[BIAS],
                      launch->op->u.norm.eps, (unsigned)pixels};

    if (vfi_tensor_is_planar(&launch->src[0])) {
        VFI_LAUNCH(normalise_planes, dim3((unsigned)vfi_ceil_div(pixels, VFI_BLOCK)),
                   dim3(VFI_BLOCK), launch->stream, launch->src[0], launch->dst, norm);
    } else {
        dim3 block(LANES, VFI_BLOCK / LANES);
        VFI_LAUNCH(normalise_pixels, dim3((unsigned)vfi_ceil_div(pixels, block.y)), block,
                   launch->stream, launch->src[0], launch->dst, norm);
    }
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_layer_norm = {NULL, norm_constants, launch_layer_norm};
