/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the values of tensors. */
#pragma once

#include "checkpoint/tensor_list.h"

/* Fills reads[i].out with the elements of reads[i].tensor, one of @list, as contiguous
 * f32. @source: the file that the list's storages are in, NULL if all are in memory;
 * @file_size: of all its files together, which bounds the work. On failure any of the
 * outputs may be filled. */
bool vfi_tensor_list_read(const VfiTensorList *list, const VfiSource *source,
                          uint64_t file_size, const VfiTensorRead *reads, size_t n,
                          GError **error);
