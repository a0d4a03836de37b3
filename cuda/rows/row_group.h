/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row groups (plan.h) on the device: one kernel computes all ops of a group pixel by
 * pixel, so that what only the group sees takes no memory and no bandwidth. */
#pragma once

#include <glib.h>

#include "ops/kernels.h"
#include "plan/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct VfiCudaRowGroup VfiCudaRowGroup;

/* Makes @group of @plan ready; neither must outlive it. All operands are planar f32, but
 * for results that are a part of channels last, the source of PIXEL_SHUFFLE, which is in
 * any layout, and the first source of other ops, which may be f16 in planes. NULL with
 * VFI_ERROR_UNSUPPORTED if the group is larger than a kernel can hold (plan without row
 * groups then). */
VfiCudaRowGroup *vfi_cuda_row_group_new(const VfiPlan *plan, const VfiRowGroup *group,
                                        GError **error);
void vfi_cuda_row_group_free(VfiCudaRowGroup *group);

/* Queues the group. @region: device memory by VFI_REGION_…; @scalars: results of MAX_ABS
 * by their index, device memory. */
cudaError_t vfi_cuda_row_group_run(cudaStream_t stream, const VfiCudaRowGroup *group,
                                   char *const *region, const VfiRunInputs *inputs,
                                   float *scalars);

#ifdef __cplusplus
}
#endif
