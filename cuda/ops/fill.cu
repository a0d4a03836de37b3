/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture of a number that the run is given. It is read from device memory, so that a
 * captured graph fills in that of its run. A thread stores four neighbouring values, in
 * one access if they are aligned. */
#include "ops/tensor.cuh"

#define VALUES 4

static __global__ void __launch_bounds__(VFI_BLOCK)
    fill(const float *input, float mul, float add, float *dst, size_t n)
{
    size_t i = ((size_t)blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
    float x = *input * mul + add;

    if (i + VALUES <= n && vfi_is_aligned(dst, sizeof(float4))) {
        *(float4 *)(dst + i) = make_float4(x, x, x, x);
        return;
    }
    for (size_t end = i + VALUES; i < end && i < n; i++)
        dst[i] = x;
}

static cudaError_t launch_fill(const VfiCudaLaunch *launch)
{
    const VfiFillParams *p = &launch->op->u.fill;
    size_t n = (size_t)launch->dst.c * vfi_tensor_plane(&launch->dst);
    dim3 grid((unsigned)vfi_ceil_div(n, (size_t)VFI_BLOCK * VALUES));

    VFI_LAUNCH(fill, grid, dim3(VFI_BLOCK), launch->stream,
               (const float *)&launch->inputs->value[p->input], p->mul, p->add,
               (float *)launch->dst.data, n);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_fill = {NULL, NULL, launch_fill};
