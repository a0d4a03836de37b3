/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory of a zip archive in memory, and the bytes of its members. Every offset is
 * checked; zip64 is read; encrypted and multi-part archives are refused. */
#pragma once

#include <stdbool.h>

#include "growing.h"
#include "name_index.h"
#include "span.h"

typedef struct {
    VfiSpan name;         /* in the archive, not NUL-terminated */
    uint16_t flags;       /* bit 0: encrypted */
    uint16_t method;      /* 0 stored, 8 deflated */
    uint32_t crc;         /* of the uncompressed bytes */
    uint64_t packed_size; /* bytes in the archive */
    uint64_t size;        /* bytes uncompressed */
    uint64_t header;      /* offset of the local header */
} VfiZipMember;

typedef struct {
    VfiSpan file;
    VfiGrowing members; /* VfiZipMember, in the order of the directory */
    VfiNameIndex index;
    uint64_t inflate_budget; /* bytes that may still be inflated */
} VfiZip;

/* Reads the directory of @file. Two members of one name are an error, because two readers
 * could then see two different files. On failure nothing is left to clear. */
bool vfi_zip_open(VfiZip *zip, VfiSpan file, GError **error);

void vfi_zip_clear(VfiZip *zip);

/* The member called @name, or NULL. */
const VfiZipMember *vfi_zip_find(const VfiZip *zip, VfiSpan name);

/* *bytes = the member's uncompressed bytes: inside the file if it is stored, else in
 * *memory (vfi_free() it; NULL if stored). The checksum is verified for deflated members
 * and, if
 * @verify, for stored ones. */
bool vfi_zip_read(VfiZip *zip, const VfiZipMember *member, bool verify, VfiSpan *bytes,
                  void **memory, GError **error);
