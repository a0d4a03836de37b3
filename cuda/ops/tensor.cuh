/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How kernels see tensors (VfiCudaTensor in cuda_op.h).
 *
 * Kernels that take any layout work in groups: the 8 channels of a pixel that begin at a
 * multiple of 8. With channels last a group is one access of 16 bytes (f16) or two (f32).
 * In planes it is 8 accesses, each of which neighbouring threads make side by side for
 * neighbouring pixels. Kernels look at the layout themselves: it is the same for all
 * threads of a launch, and they wait for memory anyway.
 *
 * Heights and widths are below 65536, so that an unsigned counts pixels. */
#pragma once

#include <stdint.h>
#include <string.h>

#include "ops/cuda_op.h"
#include "runtime/launch.h"

/* Threads per block. */
#define VFI_BLOCK 256

/* Channels per group. */
#define VFI_GROUP 8

/* The largest finite f16. */
#define VFI_HALF_MAX 65504.0f

struct VfiGroup {
    float v[VFI_GROUP];
};

static inline size_t vfi_ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static inline size_t vfi_tensor_plane(const VfiCudaTensor *tensor)
{
    return (size_t)tensor->h * (size_t)tensor->w;
}

static inline bool vfi_tensor_is_planar(const VfiCudaTensor *tensor)
{
    return tensor->pixel_stride == 0;
}

/* ---- launches over pixels and groups ----------------------------------------------- */

/* How a launch goes over pixels and groups. With @pixels_first neighbouring threads take
 * neighbouring pixels, as planes want it, and a block has up to 8 groups, so that it
 * reads or writes whole cache lines of a channels-last tensor. Else neighbouring threads
 * take neighbouring groups and then the next pixel, as channels last wants it. */
struct VfiGroupGrid {
    unsigned pixels;
    int channels;
    bool pixels_first;
};

struct VfiGroupLaunch {
    dim3 grid, block;
    VfiGroupGrid over;
};

static inline VfiGroupLaunch vfi_group_launch(size_t pixels, int channels,
                                              bool pixels_first)
{
    size_t groups = vfi_ceil_div((size_t)channels, VFI_GROUP), side = 1;
    VfiGroupLaunch launch;

    launch.over.pixels = (unsigned)pixels;
    launch.over.channels = channels;
    launch.over.pixels_first = pixels_first;
    if (pixels_first) {
        while (side < 8 && side < groups)
            side *= 2;
        launch.block = dim3((unsigned)(VFI_BLOCK / side), (unsigned)side);
        launch.grid = dim3((unsigned)vfi_ceil_div(pixels, VFI_BLOCK / side),
                           (unsigned)vfi_ceil_div(groups, side));
    } else {
        side = groups < 32 ? groups : 32;
        launch.block = dim3((unsigned)side, (unsigned)(VFI_BLOCK / side));
        launch.grid = dim3((unsigned)vfi_ceil_div(pixels, VFI_BLOCK / side),
                           (unsigned)vfi_ceil_div(groups, side));
    }
    return launch;
}

/* A thread per pixel and group of a result. */
static inline VfiGroupLaunch vfi_group_launch_over(const VfiCudaTensor *dst)
{
    return vfi_group_launch(vfi_tensor_plane(dst), dst->c, vfi_tensor_is_planar(dst));
}

/* The thread's pixel and the first channel of its group; false if there is none. */
static __device__ __forceinline__ bool vfi_group_place(const VfiGroupGrid &over,
                                                       unsigned *pixel, int *channel)
{
    unsigned group;

    if (over.pixels_first) {
        *pixel = blockIdx.x * blockDim.x + threadIdx.x;
        group = blockIdx.y * blockDim.y + threadIdx.y;
    } else {
        *pixel = blockIdx.x * blockDim.y + threadIdx.y;
        group = blockIdx.y * blockDim.x + threadIdx.x;
    }
    *channel = (int)(group * VFI_GROUP);
    return *pixel < over.pixels && *channel < over.channels;
}

/* ---- elements ---------------------------------------------------------------------- */

/* Rounded to nearest even. Larger values become the largest finite one; NaN stays NaN. */
static __device__ __forceinline__ __half vfi_narrow(float x)
{
    x = x > VFI_HALF_MAX ? VFI_HALF_MAX : x;
    return __float2half_rn(x < -VFI_HALF_MAX ? -VFI_HALF_MAX : x);
}

static __device__ __forceinline__ float vfi_widen_bits(uint32_t bits)
{
    return __half2float(__ushort_as_half((unsigned short)(bits & 0xffffu)));
}

static __device__ __forceinline__ uint32_t vfi_narrow_two(float low, float high)
{
    return (uint32_t)__half_as_ushort(vfi_narrow(low)) |
           (uint32_t)__half_as_ushort(vfi_narrow(high)) << 16;
}

static __device__ __forceinline__ bool vfi_is_aligned(const void *memory, unsigned bytes)
{
    return ((uintptr_t)memory & (bytes - 1)) == 0;
}

/* ---- groups ------------------------------------------------------------------------ */

static __device__ __forceinline__ VfiGroup vfi_group_of(float4 low, float4 high)
{
    VfiGroup group = {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};

    return group;
}

static __device__ __forceinline__ VfiGroup vfi_load_planes(const VfiCudaTensor &tensor,
                                                           unsigned pixel, int channel)
{
    size_t plane = (size_t)tensor.h * (size_t)tensor.w;
    size_t at = (size_t)channel * plane + pixel;
    VfiGroup group;

    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++, at += plane) {
        group.v[k] = 0.0f;
        if (channel + k < tensor.c)
            group.v[k] = tensor.half ? __half2float(((const __half *)tensor.data)[at])
                                     : ((const float *)tensor.data)[at];
    }
    return group;
}

/* Whether groups of a channels-last tensor are aligned. Parts of pixels may begin at any
 * channel; those that do not begin at a multiple of 8 are accessed by elements. */
static __device__ __forceinline__ bool vfi_has_groups(const VfiCudaTensor &tensor)
{
    return vfi_is_aligned(tensor.data, tensor.half ? 16 : 32);
}

static __device__ __forceinline__ VfiGroup vfi_load_elements(const VfiCudaTensor &tensor,
                                                             size_t at, int channel)
{
    VfiGroup group;

    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++) {
        group.v[k] = 0.0f;
        if (channel + k < tensor.c)
            group.v[k] = tensor.half ? __half2float(((const __half *)tensor.data)[at + k])
                                     : ((const float *)tensor.data)[at + k];
    }
    return group;
}

/* Channels @channel … @channel + 7 of a pixel, @channel a multiple of 8. After the last
 * channel they are zeros, or what follows a part of a pixel. */
static __device__ __forceinline__ VfiGroup vfi_load_group(const VfiCudaTensor &tensor,
                                                          unsigned pixel, int channel)
{
    if (tensor.pixel_stride == 0)
        return vfi_load_planes(tensor, pixel, channel);

    size_t at = (size_t)pixel * (size_t)tensor.pixel_stride + (size_t)channel;
    if (!vfi_has_groups(tensor))
        return vfi_load_elements(tensor, at, channel);
    if (!tensor.half) {
        const float4 *from = (const float4 *)((const float *)tensor.data + at);
        return vfi_group_of(from[0], from[1]);
    }
    uint4 bits = *(const uint4 *)((const __half *)tensor.data + at);
    VfiGroup group = {{vfi_widen_bits(bits.x), vfi_widen_bits(bits.x >> 16),
                       vfi_widen_bits(bits.y), vfi_widen_bits(bits.y >> 16),
                       vfi_widen_bits(bits.z), vfi_widen_bits(bits.z >> 16),
                       vfi_widen_bits(bits.w), vfi_widen_bits(bits.w >> 16)}};
    return group;
}

static __device__ __forceinline__ void vfi_store_planes(const VfiCudaTensor &tensor,
                                                        unsigned pixel, int channel,
                                                        const VfiGroup &group)
{
    size_t plane = (size_t)tensor.h * (size_t)tensor.w;
    size_t at = (size_t)channel * plane + pixel;

    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++, at += plane) {
        if (channel + k >= tensor.c)
            continue;
        if (tensor.half)
            ((__half *)tensor.data)[at] = vfi_narrow(group.v[k]);
        else
            ((float *)tensor.data)[at] = group.v[k];
    }
}

static __device__ __forceinline__ void vfi_store_element(const VfiCudaTensor &tensor,
                                                         size_t at, float value)
{
    if (tensor.half)
        ((__half *)tensor.data)[at] = vfi_narrow(value);
    else
        ((float *)tensor.data)[at] = value;
}

/* Element by element, then the padding: pixels begin at multiples of 8 elements in
 * memory. */
static __device__ __forceinline__ void vfi_store_elements(const VfiCudaTensor &tensor,
                                                          size_t at, int channel,
                                                          const VfiGroup &group)
{
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        if (channel + k < tensor.c)
            vfi_store_element(tensor, at + k, group.v[k]);
    if (tensor.followed || channel + VFI_GROUP < tensor.c)
        return;
    at += (size_t)(tensor.c - channel);
    size_t first = (uintptr_t)tensor.data / (tensor.half ? 2 : 4);
    for (; (first + at) % VFI_GROUP != 0; at++)
        vfi_store_element(tensor, at, 0.0f);
}

/* Stores such a group, and the zeros that pad a channels-last tensor's last channels. */
static __device__ __forceinline__ void
vfi_store_group(const VfiCudaTensor &tensor, unsigned pixel, int channel, VfiGroup group)
{
    if (tensor.pixel_stride == 0) {
        vfi_store_planes(tensor, pixel, channel, group);
        return;
    }
    size_t at = (size_t)pixel * (size_t)tensor.pixel_stride + (size_t)channel;
    if (!vfi_has_groups(tensor) || (tensor.followed && channel + VFI_GROUP > tensor.c)) {
        vfi_store_elements(tensor, at, channel, group);
        return;
    }
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        group.v[k] = channel + k < tensor.c ? group.v[k] : 0.0f;

    const float *v = group.v;
    if (tensor.half) {
        *(uint4 *)((__half *)tensor.data + at) =
            make_uint4(vfi_narrow_two(v[0], v[1]), vfi_narrow_two(v[2], v[3]),
                       vfi_narrow_two(v[4], v[5]), vfi_narrow_two(v[6], v[7]));
    } else {
        float4 *to = (float4 *)((float *)tensor.data + at);
        to[0] = make_float4(v[0], v[1], v[2], v[3]);
        to[1] = make_float4(v[4], v[5], v[6], v[7]);
    }
}

/* Constants per channel; @otherwise after the last channel and without @values. */
static __device__ __forceinline__ VfiGroup vfi_load_each(const float *values, int channel,
                                                         int channels, float otherwise)
{
    VfiGroup group;

    if (values != NULL && channel + VFI_GROUP <= channels &&
        vfi_is_aligned(values + channel, sizeof(float4))) {
        const float4 *from = (const float4 *)(values + channel);
        return vfi_group_of(from[0], from[1]);
    }
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        group.v[k] =
            values != NULL && channel + k < channels ? values[channel + k] : otherwise;
    return group;
}

/* ---- activations ------------------------------------------------------------------- */

/* 1 / (1 + exp(-x)); never 0, as on the CPU. */
static __device__ __forceinline__ float vfi_sigmoid(float x)
{
    float limited = x < -87.0f ? -87.0f : x > 87.0f ? 87.0f : x;

    return 1.0f / (1.0f + expf(-limited));
}

/* @slope is 1 for activations without one. */
static __device__ __forceinline__ float vfi_activated(float x, bool is_sigmoid,
                                                      float slope)
{
    return is_sigmoid ? vfi_sigmoid(x) : x < 0.0f ? x * slope : x;
}

/* x / (1 + exp(-x)); zero where that is less than it can be, as on the CPU. */
static __device__ __forceinline__ float vfi_silu(float x)
{
    return x < -87.0f ? 0.0f : x / (1.0f + expf(-x));
}

/* x * Φ(x); zero where Φ is less than it can be. */
static __device__ __forceinline__ float vfi_gelu(float x)
{
    return x < -13.0f ? 0.0f : x * (0.5f * erfcf(x * -0.707106781f));
}

/* The slope of activations that have one for all channels. */
static inline float vfi_common_slope(VfiActivationKind kind, float leak)
{
    return kind == VFI_ACTIVATION_LEAKY ? leak : 1.0f;
}
