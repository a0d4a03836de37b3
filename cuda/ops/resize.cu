/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bilinear resize of planar f32, with half-pixel centres and without antialias. A thread
 * computes a pixel of some channels, which share the coordinates. */
#include "ops/tensor.cuh"

extern "C" {
#include "op/descriptor.h"
}

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

static cudaError_t launch_resize(const VfiCudaLaunch *launch)
{
    const VfiCudaTensor *src = &launch->src[0], *dst = &launch->dst;
    Axis across = {src->w, (float)src->w / (float)dst->w};
    Axis down = {src->h, (float)src->h / (float)dst->h};
    dim3 grid((unsigned)vfi_ceil_div(vfi_tensor_plane(dst), VFI_BLOCK),
              (unsigned)vfi_ceil_div((size_t)dst->c, RESIZE_CHANNELS));

    VFI_LAUNCH(resize, grid, dim3(VFI_BLOCK), launch->stream, *src, across, down,
               launch->op->u.resize.mul, *dst);
    return cudaGetLastError();
}

/* Row groups read planes of f16, too (rows/). */
static bool supports_resize(const VfiOp *op, GError **error)
{
    return op->src[0].half
               ? vfi_op_refuse(op, error, "the source must be f32 outside of row groups")
               : true;
}

const VfiCudaOpEntry vfi_cuda_op_resize = {supports_resize, NULL, launch_resize};
