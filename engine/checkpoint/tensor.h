/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Storage types and the check that stands between a file's claim about a tensor and a
 * VfiTensorInfo: shape, strides and offset are inside the bytes of the storage. */
#pragma once

#include <stdbool.h>

#include <vfi/checkpoint.h>

#include "checkpoint/span.h"

/* Bytes of one element: 1, 2, 4 or 8. */
size_t vfi_dtype_size(VfiDType dtype);

/* Where a tensor's elements lie. */
typedef struct {
    uint32_t storage; /* index in its list */
    uint64_t begin;   /* bytes from the storage's beginning to the first element */
    uint64_t end;     /* and past the farthest */
} VfiPlace;

/* Fills info->n_elements and @place from dtype, n_dims, shape and stride, which the
 * caller has set, for a tensor that begins @offset elements into those @size bytes of its
 * storage that stand from place->begin on. @file_size bounds how far a stride of 0 may
 * expand a small storage. VFI_ERROR_CORRUPT, with the numbers, if any element would lie
 * outside. */
bool vfi_tensor_place(VfiTensorInfo *info, VfiPlace *place, uint64_t size, int64_t offset,
                      uint64_t file_size, GError **error);

/* A tensor may have this many times more elements than its storage or file has (stride
 * 0): real expanded tensors are small, and a reader of tensors must not be made to
 * allocate terabytes by a few bytes. */
#define VFI_MAX_EXPANSION 16

/* Whether the elements stand in row-major order without gaps. */
bool vfi_tensor_is_contiguous(const VfiTensorInfo *tensor);

/* Converts the elements, the first of which is at @source, to contiguous f32. */
void vfi_tensor_convert(const VfiTensorInfo *tensor, const uint8_t *source, float *out);

/* Fills info->stride for row-major order; shapes with overflow are left to
 * vfi_tensor_place(). */
void vfi_tensor_set_contiguous(VfiTensorInfo *info);
