/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs of bytes that tensors lie in: a part of the file as it stands, a member of a zip
 * archive, or memory. Reading one streams it: no more of it is kept than is wanted. */
#pragma once

#include <stdbool.h>

#include "checkpoint/source.h"

typedef struct {
    const uint8_t *bytes; /* of the list that the storage is in; NULL: in the file */
    uint64_t size;        /* bytes, uncompressed */
    uint64_t offset;      /* in the file */
    uint64_t packed_size; /* bytes in the file */
    bool deflated;
    bool has_crc; /* of all @size bytes */
    uint32_t crc;
} VfiStorage;

/* @size bytes of the file from @offset on. */
VfiStorage vfi_storage_in_file(uint64_t offset, uint64_t size);

/* Copies the bytes from @begin to @end, which are inside, to @out. A storage that has a
 * checksum is read to its end for it. */
bool vfi_storage_read(const VfiStorage *storage, const VfiSource *source, uint64_t begin,
                      uint64_t end, void *out, GError **error);

/* Bytes that deflated storages of a file of @file_size bytes may have together: weights
 * deflate by a tenth, those of an untrained network to next to nothing. Whatever a file
 * says, work stays in proportion to it. */
uint64_t vfi_storage_inflate_limit(uint64_t file_size);
