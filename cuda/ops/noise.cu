/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers (op/noise.h). Which ones is read from device memory, so that a captured
 * graph gives those of its run. A thread computes 8 channels of a pixel. */
#include "op/noise.h"

#include "ops/tensor.cuh"

static __global__ void __launch_bounds__(VFI_BLOCK)
    noise(const VfiNoiseInputs *inputs, VfiNoiseParams params, VfiCudaTensor dst,
          VfiGroupGrid over)
{
    unsigned pixel, w = (unsigned)dst.w;
    int channel;
    VfiGroup group = {{0.0f}};

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k += VFI_NOISE_CHANNELS)
        if (channel + k < dst.c)
            vfi_noise_at(inputs, &params, channel + k, (int)(pixel / w), (int)(pixel % w),
                         group.v + k);
    vfi_store_group(dst, pixel, channel, group);
}

static cudaError_t launch_noise(const VfiCudaLaunch *launch)
{
    VfiGroupLaunch groups = vfi_group_launch_over(&launch->dst);

    VFI_LAUNCH(noise, groups.grid, groups.block, launch->stream, &launch->inputs->noise,
               launch->op->u.noise, launch->dst, groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_noise = {NULL, NULL, launch_noise};
