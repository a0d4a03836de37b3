/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/plan_target.h"

#include "rows/row_op.h"

VfiPlanTarget vfi_cuda_target(VfiCudaConvMath math)
{
    VfiPlanTarget target = math == VFI_CUDA_CONV_F32
                               ? vfi_plan_target_planar()
                               : vfi_plan_target_channels_last(math == VFI_CUDA_CONV_F16);

    target.row_op = vfi_row_op_exists;
    return target;
}

void vfi_cuda_plan_target(VfiDevice *device, VfiPlanTarget *target)
{
    *target = vfi_cuda_target(device->math);
}
