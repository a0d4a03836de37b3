/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/set_inputs.h"

#include "runtime/launch.h"

static __global__ void set_inputs(VfiRunInputs *inputs, VfiRunInputs values)
{
    *inputs = values;
}

cudaError_t vfi_cuda_set_inputs(cudaStream_t stream, VfiRunInputs *inputs,
                                const VfiRunInputs *values)
{
    VFI_LAUNCH(set_inputs, dim3(1), dim3(1), stream, inputs, *values);
    return cudaGetLastError();
}
