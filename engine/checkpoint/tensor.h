/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Storage types and the check that stands between a file's claim about a tensor and a
 * VfiTensorInfo: shape, strides and offset are inside the bytes of the storage. */
#pragma once

#include <stdbool.h>

#include <vfi/checkpoint.h>

#include "span.h"

/* Bytes of one element: 1, 2, 4 or 8. */
size_t vfi_dtype_size(VfiDType dtype);

/* Fills shape-derived fields of @info (n_elements, data) from dtype, n_dims, shape and
 * stride, which the caller has set, for a tensor that begins @offset elements into
 * @storage. @file_size bounds how far a stride of 0 may expand a small storage.
 * VFI_ERROR_CORRUPT, with the numbers, if any element would lie outside. */
bool vfi_tensor_place(VfiTensorInfo *info, VfiSpan storage, int64_t offset,
                      size_t file_size, GError **error);

/* Fills info->stride for row-major order; shapes with overflow are left to
 * vfi_tensor_place(). */
void vfi_tensor_set_contiguous(VfiTensorInfo *info);
