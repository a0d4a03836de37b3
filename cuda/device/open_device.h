/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding, opening and closing devices: the backend's functions of these names. */
#pragma once

#include "device/device.h"

bool vfi_cuda_probe(GError **error);
VfiDevice *vfi_cuda_open(const VfiDeviceRequest *request, GError **error);
void vfi_cuda_close(VfiDevice *device);
