/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pressure guard: code that is about to take much memory asks here first. Where
 * memory is short, what is not in use is given up for it; if that is not enough, the
 * answer is an error, before anything is allocated. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "backend/backend.h"

typedef struct {
    const char *what;              /* needs the memory, for the error's text */
    const char *remedy;            /* that would make it need less, for the same */
    uint64_t host_bytes;           /* that will be taken of the machine's memory */
    uint64_t device_bytes;         /* and of the device's, where that has its own */
    uint64_t headroom;             /* bytes that stay free; 0 is automatic */
    const VfiBackend *backend;     /* NULL: the host only */
    VfiDevice *device;             /* of .backend */
    const VfiPackedWeights *spare; /* will be used, is not given up; or NULL */
} VfiMemoryRequest;

/* Makes sure that there is as much memory, if need be by having reclaimers give some up
 * (memory/reclaimers.h), and holds the host's part in the caller's name: a promise that
 * others' requests see, since memory counts as used only once it is written to. False
 * with VFI_ERROR_NO_MEMORY that says need, free, limit and remedies. */
bool vfi_memory_claim(const VfiMemoryRequest *request, GError **error);

/* Ends the promise of @bytes: they have been written to, or are not needed. */
void vfi_memory_unclaim(uint64_t bytes);
