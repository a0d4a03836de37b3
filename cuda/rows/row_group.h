/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row groups (plan.h) on the device: one kernel computes all ops of a group pixel by
 * pixel, so that what only the group sees takes no memory and no bandwidth. */
#pragma once

#include <cuda_runtime_api.h>
#include <glib.h>

#include "plan/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct VfiCudaRowGroup VfiCudaRowGroup;

/* Makes @group of @plan ready, whose ops vfi_row_op_check() has seen; both may end before
 * it does. NULL with VFI_ERROR_UNSUPPORTED if the group is larger than a kernel can hold
 * (plan without row groups then). */
VfiCudaRowGroup *vfi_cuda_row_group_new(const VfiPlan *plan, const VfiRowGroup *group,
                                        GError **error);
void vfi_cuda_row_group_free(VfiCudaRowGroup *group);

/* Queues the group. Memory is the device's: @region by VFI_REGION_…, the results of
 * MAX_ABS by their index in @scalars. */
cudaError_t vfi_cuda_row_group_run(cudaStream_t stream, const VfiCudaRowGroup *group,
                                   char *const *region, const VfiRunInputs *inputs,
                                   float *scalars);

#ifdef __cplusplus
}
#endif
