/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames to the device and pictures back, each through pinned memory, so that the copies
 * run beside the computing. */
#pragma once

#include "device/device.h"

/* The backend's functions of these names. */
bool vfi_cuda_upload(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *frame,
                     const VfiFrame *planes, uint64_t last_use, GError **error);
bool vfi_cuda_download(VfiDevice *device, const VfiVideoInfo *video,
                       const VfiFrame *planes, const VfiFrame *out, GError **error);

/* Copies a downloaded picture from pinned memory to the host's frame. */
void vfi_cuda_unload(const VfiCudaPicture *picture);
void vfi_cuda_free_staging(VfiCudaStaging *staging);
