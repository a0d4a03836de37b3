/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Means of 2 × 2 pixels. A thread takes 8 channels of a pixel. */
#include "ops/tensor.cuh"

static __global__ void __launch_bounds__(VFI_BLOCK)
    avg_pool(VfiCudaTensor src, VfiCudaTensor dst, VfiGroupGrid over)
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

static cudaError_t launch_avg_pool(const VfiCudaLaunch *launch)
{
    VfiGroupLaunch groups = vfi_group_launch_over(&launch->dst);

    VFI_LAUNCH(avg_pool, groups.grid, groups.block, launch->stream, launch->src[0],
               launch->dst, groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_avg_pool = {NULL, NULL, launch_avg_pool};
