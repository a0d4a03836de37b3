/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory of a zip archive, and where the bytes of its members are. Every offset is
 * checked; zip64 is read; encrypted and multi-part archives are refused. */
#pragma once

#include <stdbool.h>

#include "checkpoint/growing.h"
#include "checkpoint/name_index.h"
#include "checkpoint/source.h"
#include "checkpoint/span.h"
#include "checkpoint/storage.h"

typedef struct {
    VfiSpan name;         /* in the directory, not NUL-terminated */
    uint16_t flags;       /* bit 0: encrypted */
    uint16_t method;      /* 0 stored, 8 deflated */
    uint32_t crc;         /* of the uncompressed bytes */
    uint64_t packed_size; /* bytes in the archive */
    uint64_t size;        /* bytes uncompressed */
    uint64_t header;      /* offset of the local header */
} VfiZipMember;

typedef struct {
    const VfiSource *file;
    void *directory;    /* as it stands in the file */
    VfiGrowing members; /* VfiZipMember, in the order of the directory */
    VfiNameIndex index;
} VfiZip;

/* Reads the directory of @file, which outlives @zip. Two members of one name are an
 * error, because two readers could then see two different files, and so are members that
 * together have more bytes than the file. On failure nothing is left to clear. */
bool vfi_zip_open(VfiZip *zip, const VfiSource *file, GError **error);

void vfi_zip_clear(VfiZip *zip);

/* The member called @name, or NULL. */
const VfiZipMember *vfi_zip_find(const VfiZip *zip, VfiSpan name);

/* *storage = where the bytes of @member are, with their checksum. */
bool vfi_zip_locate(const VfiZip *zip, const VfiZipMember *member, VfiStorage *storage,
                    GError **error);

/* *bytes = the member's uncompressed bytes, whose checksum is right; vfi_free()
 * bytes->data. For what is read as a whole, like a pickle. */
bool vfi_zip_read(const VfiZip *zip, const VfiZipMember *member, VfiSpan *bytes,
                  GError **error);
