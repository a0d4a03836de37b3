/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of the engine. Every fallible call takes a GError**, sets it in the VFI_ERROR
 * domain and leaves nothing half-built behind. A message says what was expected, what was
 * found, and where (file, tensor, opcode, offset, size). */
#pragma once

#include <glib.h>

#include <vfi/export.h>

G_BEGIN_DECLS

/** Error domain of the engine. Thread-safety: safe. */
#define VFI_ERROR (vfi_error_quark())
VFI_API GQuark vfi_error_quark(void);

/** Codes in the VFI_ERROR domain. */
typedef enum {
    VFI_ERROR_FAILED,           /**< an operation failed; the message says which */
    VFI_ERROR_NOT_FOUND,        /**< no such file, model or tensor */
    VFI_ERROR_IO,               /**< the operating system refused to read */
    VFI_ERROR_CORRUPT,          /**< a file contradicts its own format */
    VFI_ERROR_UNSUPPORTED,      /**< well formed, but not a thing this build handles */
    VFI_ERROR_INVALID_ARGUMENT, /**< the caller's argument is out of range */
    VFI_ERROR_NO_MEMORY,        /**< an allocation whose size depends on data failed */
    VFI_ERROR_CANCELLED,        /**< the job was cancelled or the session flushed */
    VFI_ERROR_BACKEND,          /**< the device refused or disappeared */
} VfiError;

G_END_DECLS
