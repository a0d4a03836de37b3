/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices that this process must not use any more. After some errors (a kernel that
 * failed, a GPU that fell off the bus) NVIDIA guarantees nothing to the process, so the
 * device is refused from then on. Any thread. */
#pragma once

#include <stdbool.h>

#include <cuda_runtime_api.h>
#include <glib.h>

/* Whether @result is such an error. */
bool vfi_cuda_is_final(cudaError_t result);

/* Refuses the device for the rest of the process, because @what failed with @result
 * there. The first reason stays. */
void vfi_cuda_refuse_device(int ordinal, cudaError_t result, const char *what);

/* False with VFI_ERROR_BACKEND and the reason if the device is refused. */
bool vfi_cuda_device_is_usable(int ordinal, GError **error);
