/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture without its padding. How much of it is padding is read from device memory, so
 * that a captured graph knows that of its run. A thread takes one element. */
#include "op/keep_inside.h"

#include "ops/tensor.cuh"

static __global__ void __launch_bounds__(VFI_BLOCK)
    keep_inside(const VfiRunInputs *inputs, VfiKeepInsideParams params, const float *src,
                VfiCudaTensor dst, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t w = (size_t)dst.w, h = (size_t)dst.h;

    if (i >= n)
        return;
    bool inside =
        (int)(i % w) < vfi_kept_inside(inputs->value[VFI_RUN_INPUT_IMAGE_WIDTH],
                                       params.scale, dst.w) &&
        (int)(i / w % h) < vfi_kept_inside(inputs->value[VFI_RUN_INPUT_IMAGE_HEIGHT],
                                           params.scale, dst.h);
    ((float *)dst.data)[i] = inside ? src[i] : params.outside;
}

static cudaError_t launch_keep_inside(const VfiCudaLaunch *launch)
{
    size_t n = (size_t)launch->dst.c * vfi_tensor_plane(&launch->dst);
    dim3 grid((unsigned)vfi_ceil_div(n, VFI_BLOCK));

    VFI_LAUNCH(keep_inside, grid, dim3(VFI_BLOCK), launch->stream, launch->inputs,
               launch->op->u.keep_inside, (const float *)launch->src[0].data, launch->dst,
               n);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_keep_inside = {NULL, NULL, launch_keep_inside};
