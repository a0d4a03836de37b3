/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <vfi/error.h>
#include <vfi/memory.h>

#include "base/printable.h"

static atomic_ullong alloc_calls;
static atomic_ullong alloc_successes_left = G_MAXUINT64;
static atomic_size_t bytes_taken, max_taken; /* as large as the C library made them */

/* Counts the call; true if a test wants it to fail. */
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

static void count_taken(size_t bytes)
{
    size_t now = atomic_fetch_add(&bytes_taken, bytes) + bytes;
    size_t most = atomic_load(&max_taken);

    while (now > most && !atomic_compare_exchange_weak(&max_taken, &most, now))
        ;
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
        if (memory != NULL)
            count_taken(malloc_usable_size(memory));
    }
    if (memory == NULL) {
        g_autofree char *shown = vfi_printable(what);
        g_set_error(error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
                    "cannot allocate %zu × %zu bytes for %s", count, size, shown);
    }
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
    if (memory != NULL)
        atomic_fetch_sub(&bytes_taken, malloc_usable_size(memory));
    free(memory);
}

void vfi_alloc_fail_after(guint64 successes)
{
    atomic_store(&alloc_successes_left, successes);
}

void vfi_get_memory_use(uint64_t *now, uint64_t *peak)
{
    *now = atomic_load(&bytes_taken);
    *peak = atomic_load(&max_taken);
}

guint64 vfi_alloc_count(void)
{
    return atomic_load_explicit(&alloc_calls, memory_order_relaxed);
}
