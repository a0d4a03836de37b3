/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A number of the run as cosines and sines. It is read from device memory, so that a
 * captured graph embeds that of its run. Angles are double, of which a fraction of a turn
 * is left. */
#include "op/noise.h"

#include "ops/tensor.cuh"

#define TURN 6.283185307179586

static __global__ void __launch_bounds__(VFI_BLOCK)
    step_embedding(const float *input, double rate, int half, float *dst)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);

    if (i >= half)
        return;
    double turns = (double)*input * exp(rate * i) / TURN;
    double fraction = turns - floor(turns);
    /* Of 32 bits 24 count: half of those left is added, to round. */
    uint32_t bits = (uint32_t)(uint64_t)(fraction * 4294967296.0 + 128.0);
    vfi_noise_direction(bits, &dst[i], &dst[half + i]);
}

static cudaError_t launch_step_embedding(const VfiCudaLaunch *launch)
{
    const VfiStepEmbeddingParams *p = &launch->op->u.step_embedding;
    int half = p->channels / 2;
    dim3 grid((unsigned)vfi_ceil_div((size_t)half, VFI_BLOCK));

    VFI_LAUNCH(step_embedding, grid, dim3(VFI_BLOCK), launch->stream,
               (const float *)&launch->inputs->value[p->input],
               -log((double)p->base) / half, half, (float *)launch->dst.data);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_step_embedding = {NULL, NULL, launch_step_embedding};
