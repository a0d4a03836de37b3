/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backend's functions for `flow` (backend/backend.h), and one for tests. */
#pragma once

#include "device/device.h"

/* Queues a step on @stream; returns the launch's error. */
cudaError_t vfi_cuda_flow_launch(cudaStream_t stream, const VfiFlowStep *step,
                                 const VfiFlowArguments *arguments);

bool vfi_cuda_flow_step(VfiDevice *device, const VfiFlowStep *step,
                        const VfiFlowArguments *arguments, GError **error);
bool vfi_cuda_synthesize_picture(VfiDevice *device, const VfiVideoInfo *video,
                                 const VfiFrame *frame0, const VfiFrame *frame1,
                                 const VfiMotion *motion, void *scratch,
                                 const VfiFrame *out, int begin, int end,
                                 const atomic_int *cancel, GError **error);
size_t vfi_cuda_synthesis_bytes(VfiDevice *device, const VfiMotion *shape);
