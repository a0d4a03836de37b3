/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <vfi/error.h>

static atomic_ullong alloc_calls;
static atomic_ullong alloc_successes_left = G_MAXUINT64;

/* Counts the call and says whether a test wants it to fail. */
static bool allocation_is_denied(void)
{
    atomic_fetch_add_explicit(&alloc_calls, 1, memory_order_relaxed);
    unsigned long long left = atomic_load(&alloc_successes_left);
    while (left != G_MAXUINT64) {
        if (left == 0)
            return true;
        if (atomic_compare_exchange_weak(&alloc_successes_left, &left, left - 1))
            return false;
    }
    return false;
}

void *vfi_try_alloc(size_t count, size_t size, const char *what, GError **error)
{
    size_t bytes, padded;
    void *memory = NULL;
    bool fits =
        vfi_size_mul(count, size, &bytes) && vfi_size_add(bytes, VFI_ALIGNMENT, &padded);

    if (fits && !allocation_is_denied()) {
        padded -= padded % VFI_ALIGNMENT; /* aligned_alloc wants a multiple, never zero */
        memory = aligned_alloc(VFI_ALIGNMENT, padded);
    }
    if (memory == NULL)
        g_set_error(error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
                    "cannot allocate %zu × %zu bytes for %s", count, size, what);
    return memory;
}

void *vfi_try_alloc0(size_t count, size_t size, const char *what, GError **error)
{
    void *memory = vfi_try_alloc(count, size, what, error);

    if (memory != NULL)
        memset(memory, 0, count * size);
    return memory;
}

void vfi_free(void *memory)
{
    free(memory);
}

void vfi_alloc_fail_after(guint64 successes)
{
    atomic_store(&alloc_successes_left, successes);
}

guint64 vfi_alloc_count(void)
{
    return atomic_load_explicit(&alloc_calls, memory_order_relaxed);
}
