/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of the CUDA runtime as GErrors. Any thread. */
#pragma once

#include <stdbool.h>

#include <cuda_runtime_api.h>
#include <glib.h>

/* True for success. Else false with VFI_ERROR_NO_MEMORY where memory was short,
 * VFI_ERROR_BACKEND otherwise; the message says that @what failed, and why. After an
 * error that stays (refused_devices.h), the device of the thread's current context is
 * refused. */
bool vfi_cuda_check(cudaError_t result, const char *what, GError **error);
