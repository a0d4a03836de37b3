/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making programs of plans: the backend's functions of these names. */
#pragma once

#include "program/program.h"

VfiProgram *vfi_cuda_compile(VfiDevice *device, const VfiPlan *plan, GError **error);
bool vfi_cuda_measure(VfiDevice *device, const VfiPlan *plan, VfiProgramNeed *need,
                      GError **error);
