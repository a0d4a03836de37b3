/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pixel shuffle: dst[c, 2y+i, 2x+j] = src[4c+2i+j, y, x], from any layout to planes. */
#include "ops/tensor.cuh"

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

static cudaError_t launch_pixel_shuffle(const VfiCudaLaunch *launch)
{
    const VfiCudaTensor *src = &launch->src[0];
    VfiGroupLaunch groups = vfi_group_launch(vfi_tensor_plane(src), src->c, true);

    VFI_LAUNCH(pixel_shuffle, groups.grid, groups.block, launch->stream, *src,
               launch->dst, groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_pixel_shuffle = {NULL, NULL, launch_pixel_shuffle};
