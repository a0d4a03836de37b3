/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NVIDIA promises nothing to a process after errors that stay (a kernel that failed, a GPU that
 * fell off the bus): the device that such an error comes up on is refused from then on. Any
 * thread. */
#pragma once

#include <stdbool.h>

#include <cuda_runtime_api.h>
#include <glib.h>

/* Whether nothing can be done on the device any more after such an error. */
bool vfi_cuda_is_final(cudaError_t result);

/* For the rest of the process; the first reason stays. */
void vfi_cuda_refuse_device(int ordinal, cudaError_t result, const char *what);

/* False with VFI_ERROR_BACKEND and the reason once the device was refused. */
bool vfi_cuda_device_is_usable(int ordinal, GError **error);
