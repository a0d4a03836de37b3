/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures in flight: what is queued for each, and when it has landed in host memory. */
#pragma once

#include "device/device.h"

bool vfi_cuda_make_pictures(VfiDevice *device, GError **error);
void vfi_cuda_free_pictures(VfiDevice *device);

/* The backend's functions of these names. */
bool vfi_cuda_begin_picture(VfiDevice *device, uint64_t *picture, GError **error);
void vfi_cuda_stamp(VfiDevice *device, VfiTimedStage stage);
bool vfi_cuda_end_picture(VfiDevice *device, GError **error);
bool vfi_cuda_wait_picture(VfiDevice *device, uint64_t number,
                           double milliseconds[VFI_TIMED_COUNT], GError **error);
