/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trimming. A device belongs to its session's thread, which is only told. */
#include "memory.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <vfi/memory.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

static atomic_uint requests;

unsigned vfi_trim_requests(void)
{
    return atomic_load(&requests);
}

void vfi_soft_clear(void)
{
    atomic_fetch_add(&requests, 1);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

/* A model goes with its last reference, so that there is no idle one to drop. */
void vfi_clear_cache(gboolean full)
{
    (void)full;
    vfi_soft_clear();
}
