/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets the values that change from run to run. */
#include "ops/kernels.h"
#include "runtime/launch.h"

static __global__ void set_values(VfiCudaRunValues *values, float time, float image_mean)
{
    values->time = time;
    values->image_mean = image_mean;
}

cudaError_t vfi_cuda_set_values(cudaStream_t stream, VfiCudaRunValues *values, float time,
                                float image_mean)
{
    VFI_LAUNCH(set_values, dim3(1), dim3(1), stream, values, time, image_mean);
    return cudaGetLastError();
}
