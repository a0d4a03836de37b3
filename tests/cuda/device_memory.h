/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device memory for tests of kernels, which run in the default stream. */
#pragma once

#include <string.h>

#include <check.h>
#include <glib.h>

#include <cuda_runtime_api.h>

#include "alloc.h"

static inline char *device_new(const void *host, size_t bytes)
{
    char *memory = vfi_try_alloc(1, bytes, "test memory", NULL);

    memcpy(memory, host, bytes);
    return memory;
}

/* Once all that was queued has run. */
static inline char *device_read(const void *memory, size_t bytes)
{
    char *host = g_malloc(bytes);

    memcpy(host, memory, bytes);
    return host;
}

static inline void device_free(void *memory)
{
    vfi_free(memory);
}
