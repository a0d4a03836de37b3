/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What plans for the device look like. */
#pragma once

#include "device/device.h"

/* Depends on how convolutions compute: engines without tensor cores are made for planes,
 * the others for channels last. */
VfiPlanTarget vfi_cuda_target(VfiCudaConvMath math);

/* The backend's function of this name. */
void vfi_cuda_plan_target(VfiDevice *device, VfiPlanTarget *target);
