/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Likeness of pixels to those around where flow leads (op/correlation.c). A thread takes
 * one pixel, and goes over all channels, 8 at a time, for each of the nine places again:
 * neighbouring places read what is in a cache by then, and all that is wanted of one of
 * them fits in registers. */
#include "ops/tensor.cuh"

/* What is added to the sums of squares. */
#define EPSILON 1e-12f

/* Into [0, limit]; NaN becomes 0. */
static __device__ __forceinline__ float clamp_coordinate(float x, float limit)
{
    x = x > 0.0f ? x : 0.0f;
    return x < limit ? x : limit;
}

/* Not a + weight * (b - a): where b is beyond the border and the weight near 1, what is
 * left of a would be rounding, and the cosine has no scale. */
static __device__ __forceinline__ VfiGroup mix(const VfiGroup &a, const VfiGroup &b,
                                               float weight)
{
    VfiGroup result;

    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        result.v[k] = (1.0f - weight) * a.v[k] + weight * b.v[k];
    return result;
}

/* Zeros beyond the border. */
static __device__ __forceinline__ VfiGroup group_at(const VfiCudaTensor &src, int y,
                                                    int x, int channel)
{
    VfiGroup zeros = {{0.0f}};

    if (y < 0 || x < 0 || y >= src.h || x >= src.w)
        return zeros;
    return vfi_load_group(src, (unsigned)y * (unsigned)src.w + (unsigned)x, channel);
}

/* The reference's channels, zeros for those that are another's. */
static __device__ __forceinline__ VfiGroup own_group(const VfiCudaTensor &reference,
                                                     unsigned pixel, int channel)
{
    VfiGroup own = vfi_load_group(reference, pixel, channel);

    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        own.v[k] = channel + k < reference.c ? own.v[k] : 0.0f;
    return own;
}

static __device__ __forceinline__ float dot(const VfiGroup &a, const VfiGroup &b)
{
    float sum = 0.0f;

    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        sum += a.v[k] * b.v[k];
    return sum;
}

/* Between rows @y and @y + 1, columns @x and @x + 1. */
struct Place {
    int y, x;
    float weight_y, weight_x;
};

/* The cosine between the reference's channels at @pixel and those at @place. */
static __device__ __forceinline__ float compare(const VfiCudaTensor &src,
                                                const VfiCudaTensor &reference,
                                                unsigned pixel, const Place &place)
{
    float product = 0.0f, square = 0.0f, own_square = 0.0f;

    VFI_UNROLL_BY_1
    for (int channel = 0; channel < src.c; channel += VFI_GROUP) {
        VfiGroup top = mix(group_at(src, place.y, place.x, channel),
                           group_at(src, place.y, place.x + 1, channel), place.weight_x);
        VfiGroup bottom =
            mix(group_at(src, place.y + 1, place.x, channel),
                group_at(src, place.y + 1, place.x + 1, channel), place.weight_x);
        VfiGroup value = mix(top, bottom, place.weight_y);
        VfiGroup own = own_group(reference, pixel, channel);
        product += dot(own, value);
        square += dot(value, value);
        own_square += dot(own, own);
    }
    return product / (sqrtf(own_square + EPSILON) * sqrtf(square + EPSILON));
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    correlation(VfiCudaTensor src, const float *flow, VfiCudaTensor reference, float *dst,
                unsigned pixels)
{
    unsigned pixel = blockIdx.x * blockDim.x + threadIdx.x, w = (unsigned)src.w;

    if (pixel >= pixels)
        return;
    float x = clamp_coordinate((float)(pixel % w) + flow[pixel], (float)(src.w - 1));
    float y = clamp_coordinate((float)(pixel / w) + flow[(size_t)pixels + pixel],
                               (float)(src.h - 1));
    VFI_UNROLL_BY_1
    for (int i = 0; i < 9; i++) {
        Place place = {(int)y + i / 3 - 1, (int)x + i % 3 - 1, y - (float)(int)y,
                       x - (float)(int)x};
        dst[(size_t)i * pixels + pixel] = compare(src, reference, pixel, place);
    }
}

static cudaError_t launch_correlation(const VfiCudaLaunch *launch)
{
    size_t pixels = vfi_tensor_plane(&launch->dst);
    dim3 grid((unsigned)vfi_ceil_div(pixels, VFI_BLOCK));

    VFI_LAUNCH(correlation, grid, dim3(VFI_BLOCK), launch->stream, launch->src[0],
               (const float *)launch->src[1].data, launch->src[2],
               (float *)launch->dst.data, (unsigned)pixels);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_correlation = {NULL, NULL, launch_correlation};
