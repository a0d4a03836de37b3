/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Likeness of pixels to those around where flow leads (op/correlation.c). A thread takes
 * one pixel. It goes over the three rows of places one after the other, so that the sums
 * of three places, and not of nine, are in registers at once. */
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
static __device__ __forceinline__ float mix(float a, float b, float weight)
{
    return (1.0f - weight) * a + weight * b;
}

static __device__ __forceinline__ float value_at(const VfiCudaTensor &tensor, int y,
                                                 int x, int channel)
{
    if (y < 0 || x < 0 || y >= tensor.h || x >= tensor.w)
        return 0.0f;
    size_t pixel = (size_t)y * (size_t)tensor.w + (size_t)x;
    size_t at = tensor.pixel_stride == 0
                    ? (size_t)channel * (size_t)tensor.h * (size_t)tensor.w + pixel
                    : pixel * (size_t)tensor.pixel_stride + (size_t)channel;
    return tensor.half ? __half2float(((const __half *)tensor.data)[at])
                       : ((const float *)tensor.data)[at];
}

/* Between columns @x + k and @x + k + 1 of row @y, for k of -1 to 1. */
static __device__ __forceinline__ void sample_row(const VfiCudaTensor &src, int y, int x,
                                                  int channel, float weight,
                                                  float values[3])
{
    float left = value_at(src, y, x - 1, channel);

    VFI_UNROLL
    for (int k = 0; k < 3; k++) {
        float right = value_at(src, y, x + k, channel);
        values[k] = mix(left, right, weight);
        left = right;
    }
}

struct Sums {
    float products[3], squares[3], own;
};

/* Over all channels, for the places one row of which is @y … @y + 1. */
static __device__ __forceinline__ Sums sum_channels(const VfiCudaTensor &src,
                                                    const VfiCudaTensor &reference,
                                                    int own_y, int own_x, int y, int x,
                                                    float weight_y, float weight_x)
{
    Sums sums = {{0.0f}, {0.0f}, 0.0f};

    for (int c = 0; c < src.c; c++) {
        float top[3], bottom[3], own = value_at(reference, own_y, own_x, c);
        sample_row(src, y, x, c, weight_x, top);
        sample_row(src, y + 1, x, c, weight_x, bottom);
        sums.own += own * own;
        VFI_UNROLL
        for (int k = 0; k < 3; k++) {
            float value = mix(top[k], bottom[k], weight_y);
            sums.products[k] += own * value;
            sums.squares[k] += value * value;
        }
    }
    return sums;
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
    int x0 = (int)x, y0 = (int)y;
    VFI_UNROLL_BY_1
    for (int row = 0; row < 3; row++) {
        Sums sums = sum_channels(src, reference, (int)(pixel / w), (int)(pixel % w),
                                 y0 + row - 1, x0, y - (float)y0, x - (float)x0);
        float norm = sqrtf(sums.own + EPSILON);
        VFI_UNROLL
        for (int k = 0; k < 3; k++)
            dst[(size_t)(3 * row + k) * pixels + pixel] =
                sums.products[k] / (norm * sqrtf(sums.squares[k] + EPSILON));
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
