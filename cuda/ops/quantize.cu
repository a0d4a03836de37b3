/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nearest codes of a codebook: a thread goes through all codes for one pixel of a
 * frame, in order, so that the first of equally near ones is taken. */
#include <math.h>

#include "ops/tensor.cuh"

static __global__ void __launch_bounds__(VFI_BLOCK)
    quantize(const float *src, float *dst, size_t plane, int frames, const float *codes,
             int n_codes)
{
    size_t i = (size_t)blockIdx.x * VFI_BLOCK + threadIdx.x;

    if (i >= plane * (size_t)frames)
        return;
    size_t at = i / plane * VFI_CODE_CHANNELS * plane + i % plane;
    float x0 = src[at], x1 = src[at + plane], x2 = src[at + 2 * plane];
    float least = INFINITY;
    int nearest = 0;
    VFI_UNROLL_BY_8
    for (int code = 0; code < n_codes; code++) {
        const float *e = codes + (ptrdiff_t)code * VFI_CODE_CHANNELS;
        float d0 = x0 - e[0], d1 = x1 - e[1], d2 = x2 - e[2];
        float distance = d0 * d0 + d1 * d1 + d2 * d2;
        if (distance < least) {
            least = distance;
            nearest = code;
        }
    }
    for (int c = 0; c < VFI_CODE_CHANNELS; c++)
        dst[at + (size_t)c * plane] = codes[(ptrdiff_t)nearest * VFI_CODE_CHANNELS + c];
}

static void constants(const VfiOp *op, VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS])
{
    const VfiQuantizeParams *p = &op->u.quantize;

    constants[0] = {p->codes, (size_t)p->n_codes * VFI_CODE_CHANNELS, 0};
}

static cudaError_t launch(const VfiCudaLaunch *launch)
{
    const VfiCudaTensor *dst = &launch->dst;
    size_t plane = vfi_tensor_plane(dst);
    int frames = dst->c / VFI_CODE_CHANNELS;
    size_t blocks = vfi_ceil_div(plane * (size_t)frames, VFI_BLOCK);

    VFI_LAUNCH(quantize, dim3((unsigned)blocks), dim3(VFI_BLOCK), launch->stream,
               (const float *)launch->src[0].data, (float *)dst->data, plane, frames,
               launch->constant[0], launch->op->u.quantize.n_codes);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_quantize = {NULL, constants, launch};
