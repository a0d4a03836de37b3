/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Element-wise ops on planar f32. */
#include "kernels.h"
#include "launch.h"

#define BLOCK 256

static __global__ void affine(const float *src, float mul, float add, float *dst, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    if (i < n)
        dst[i] = src[i] * mul + add;
}

cudaError_t vfi_cuda_affine(cudaStream_t stream, const VfiCudaTensor *src, float mul,
                            float add, const VfiCudaTensor *dst)
{
    size_t n = (size_t)src->c * (size_t)src->h * (size_t)src->w;

    VFI_LAUNCH(affine, dim3((unsigned)((n + BLOCK - 1) / BLOCK)), dim3(BLOCK), stream,
               (const float *)src->data, mul, add, (float *)dst->data, n);
    return cudaGetLastError();
}
