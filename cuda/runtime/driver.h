/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The few functions of the CUDA driver that the runtime has no equivalent of: those on
 * contexts. The runtime works in the thread's current context. */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* A CUcontext. */
typedef void *VfiCudaHandle;

/* Whether there is a driver; else false with VFI_ERROR_BACKEND that says what is missing.
 * The functions below want it to have been true. */
bool vfi_cuda_driver_load(GError **error);

/* The device's primary context, retained until it is released as often. */
bool vfi_cuda_driver_retain_primary(int ordinal, VfiCudaHandle *context, GError **error);
void vfi_cuda_driver_release_primary(int ordinal);

/* The device that @context is on. */
bool vfi_cuda_driver_device_of(VfiCudaHandle context, int *ordinal, GError **error);

/* Makes @context, of device @ordinal, the thread's current one until
 * vfi_cuda_driver_pop(). */
bool vfi_cuda_driver_push(VfiCudaHandle context, int ordinal, GError **error);
void vfi_cuda_driver_pop(void);

/* The device of the thread's current context; -1 where there is none. */
int vfi_cuda_driver_current_device(void);
