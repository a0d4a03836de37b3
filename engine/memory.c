/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trimming. A device belongs to its session's thread, which is only told. */
#include "memory.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <vfi/memory.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <malloc.h>
#define TRIM() malloc_trim(0)
#else
#define TRIM() 0
#endif

static atomic_uint requests;

unsigned vfi_trim_requests(void)
{
    return atomic_load(&requests);
}

void vfi_trim_host_memory(void)
{
    (void)TRIM();
}

void vfi_soft_clear(void)
{
    atomic_fetch_add(&requests, 1);
    vfi_trim_host_memory();
}

/* A model goes with its last reference, so that there is no idle one to drop. */
void vfi_clear_cache(gboolean full)
{
    (void)full;
    vfi_soft_clear();
}
