/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory/clear.h"

#include <stdatomic.h>

#include <vfi/memory.h>

#include "machine/heap.h"
#include "memory/reclaimers.h"

static atomic_uint requests;

unsigned vfi_trim_requests(void)
{
    return atomic_load(&requests);
}

void vfi_soft_clear(void)
{
    vfi_clear_cache(FALSE);
}

void vfi_clear_cache(gboolean full)
{
    const VfiReclaimRequest everything = {
        .wanted = SIZE_MAX,
        .last = full ? VFI_RECLAIM_LOADED : VFI_RECLAIM_DERIVED,
    };

    vfi_reclaim(&everything);
    atomic_fetch_add(&requests, 1);
    vfi_trim_host_memory();
}
