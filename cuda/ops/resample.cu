/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ops that read their source at computed places: bilinear resizes, means of 2 × 2 pixels,
 * nearest enlargement, the sums of a 2 × 2 convolution of that, and the pixel shuffle. */
#include "ops/tensor.cuh"

/* Channels per thread of a resize: their pixels share the coordinates. */
#define RESIZE_CHANNELS 4

/* One direction of a resize. */
struct Axis {
    int in;
    float scale; /* in / out */
};

/* The source index that element @i of the result reads, with half-pixel centres, clamped
 * at 0; *weight is that of the next one. */
static __device__ __forceinline__ int source_of(Axis axis, unsigned i, float *weight)
{
    float place = axis.scale * ((float)i + 0.5f) - 0.5f;

    place = place > 0.0f ? place : 0.0f;
    int index = (int)place < axis.in - 1 ? (int)place : axis.in - 1;
    float rest = place - (float)index;
    *weight = rest < 1.0f ? rest : 1.0f;
    return index;
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    resize(VfiCudaTensor src, Axis across, Axis down, float mul, VfiCudaTensor dst)
{
    unsigned pixel = blockIdx.x * blockDim.x + threadIdx.x, w = (unsigned)dst.w;
    size_t src_plane = (size_t)src.h * (size_t)src.w;
    size_t dst_plane = (size_t)dst.h * (size_t)dst.w;
    float wx, wy;

    if (pixel >= (unsigned)dst_plane)
        return;
    int x0 = source_of(across, pixel % w, &wx), y0 = source_of(down, pixel / w, &wy);
    unsigned right = x0 < src.w - 1, below = y0 < src.h - 1 ? (unsigned)src.w : 0;
    int channel = (int)blockIdx.y * RESIZE_CHANNELS;
    const float *p = (const float *)src.data + (size_t)channel * src_plane +
                     ((unsigned)y0 * (unsigned)src.w + (unsigned)x0);
    float *to = (float *)dst.data + (size_t)channel * dst_plane + pixel;

    VFI_UNROLL
    for (int k = 0; k < RESIZE_CHANNELS; k++, p += src_plane, to += dst_plane) {
        if (channel + k >= dst.c)
            break;
        float top = p[0] + wx * (p[right] - p[0]);
        float bottom = p[below] + wx * (p[below + right] - p[below]);
        *to = mul * (top + wy * (bottom - top));
    }
}

cudaError_t vfi_cuda_resize(cudaStream_t stream, const VfiCudaTensor *src, float mul,
                            const VfiCudaTensor *dst)
{
    Axis across = {src->w, (float)src->w / (float)dst->w};
    Axis down = {src->h, (float)src->h / (float)dst->h};
    dim3 grid((unsigned)vfi_ceil_div(vfi_tensor_plane(dst), VFI_BLOCK),
              (unsigned)vfi_ceil_div((size_t)dst->c, RESIZE_CHANNELS));

    VFI_LAUNCH(resize, grid, dim3(VFI_BLOCK), stream, *src, across, down, mul, *dst);
    return cudaGetLastError();
}

/* A thread per pixel and group of the result. */
static VfiGroupLaunch launch_for(const VfiCudaTensor *dst)
{
    return vfi_group_launch(vfi_tensor_plane(dst), dst->c, vfi_tensor_is_planar(dst));
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    pool(VfiCudaTensor src, VfiCudaTensor dst, VfiGroupGrid over)
{
    unsigned pixel, w = (unsigned)dst.w, src_w = (unsigned)src.w;
    int channel;

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    unsigned at = 2 * (pixel / w) * src_w + 2 * (pixel % w);
    VfiGroup a = vfi_load_group(src, at, channel);
    VfiGroup b = vfi_load_group(src, at + 1, channel);
    VfiGroup c = vfi_load_group(src, at + src_w, channel);
    VfiGroup d = vfi_load_group(src, at + src_w + 1, channel);
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        a.v[k] = 0.25f * ((a.v[k] + b.v[k]) + (c.v[k] + d.v[k]));
    vfi_store_group(dst, pixel, channel, a);
}

cudaError_t vfi_cuda_pool(cudaStream_t stream, const VfiCudaTensor *src,
                          const VfiCudaTensor *dst)
{
    VfiGroupLaunch launch = launch_for(dst);

    VFI_LAUNCH(pool, launch.grid, launch.block, stream, *src, *dst, launch.over);
    return cudaGetLastError();
}

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

cudaError_t vfi_cuda_nearest(cudaStream_t stream, const VfiCudaTensor *src,
                             const VfiCudaTensor *dst)
{
    VfiGroupLaunch launch = launch_for(dst);

    VFI_LAUNCH(nearest, launch.grid, launch.block, stream, *src, *dst, launch.over);
    return cudaGetLastError();
}

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

cudaError_t vfi_cuda_upsample_conv_sum(cudaStream_t stream, const VfiCudaTensor *src,
                                       const float *bias, const VfiCudaTensor *dst)
{
    VfiGroupLaunch launch = launch_for(dst);

    VFI_LAUNCH(upsample_conv_sum, launch.grid, launch.block, stream, *src, bias, *dst,
               launch.over);
    return cudaGetLastError();
}

static __device__ __forceinline__ void store_two(const VfiCudaTensor &dst, size_t at,
                                                 float left, float right)
{
    float *to = (float *)dst.data + at;

    if (dst.half) {
        vfi_store_element(dst, at, left);
        vfi_store_element(dst, at + 1, right);
    } else if (vfi_is_aligned(to, sizeof(float2))) {
        *(float2 *)to = make_float2(left, right);
    } else {
        to[0] = left;
        to[1] = right;
    }
}

/* A thread takes 8 channels of a source pixel, which are 2 × 2 pixels of two channels of
 * the result. */
static __global__ void __launch_bounds__(VFI_BLOCK)
    pixel_shuffle(VfiCudaTensor src, VfiCudaTensor dst, VfiGroupGrid over)
{
    unsigned pixel, w = (unsigned)src.w;
    int channel;

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    VfiGroup group = vfi_load_group(src, pixel, channel);
    size_t row = (size_t)dst.w, plane = (size_t)dst.h * row;
    size_t to =
        (size_t)(channel / 4) * plane + 2 * (size_t)(pixel / w) * row + 2 * (pixel % w);
    VFI_UNROLL
    for (int c = 0; c < 2; c++, to += plane) {
        if (channel / 4 + c >= dst.c)
            break;
        store_two(dst, to, group.v[4 * c], group.v[4 * c + 1]);
        store_two(dst, to + row, group.v[4 * c + 2], group.v[4 * c + 3]);
    }
}

cudaError_t vfi_cuda_pixel_shuffle(cudaStream_t stream, const VfiCudaTensor *src,
                                   const VfiCudaTensor *dst)
{
    VfiGroupLaunch launch = vfi_group_launch(vfi_tensor_plane(src), src->c, true);

    VFI_LAUNCH(pixel_shuffle, launch.grid, launch.block, stream, *src, *dst, launch.over);
    return cudaGetLastError();
}
