/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory whose size depends on a file, a model or a frame: it may be refused, with an
 * error. Small bookkeeping uses GLib instead. All sizes are checked for overflow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

/* Alignment of everything vfi_try_alloc() returns: a cache line, and one AVX-512
 * vector. */
#define VFI_ALIGNMENT 64

/* Returns @count * @size bytes, VFI_ALIGNMENT aligned, uninitialised; NULL with
 * VFI_ERROR_NO_MEMORY naming @what and the size. Zero bytes give a valid pointer. */
void *vfi_try_alloc(size_t count, size_t size, const char *what, GError **error);

/* Same, zeroed. */
void *vfi_try_alloc0(size_t count, size_t size, const char *what, GError **error);

/* Releases memory of the two above. NULL is allowed. */
void vfi_free(void *memory);

/* @bytes rounded up to a multiple of @alignment. */
static inline size_t vfi_align_up(size_t bytes, size_t alignment)
{
    return (bytes + alignment - 1) / alignment * alignment;
}

/* *result = a * b or a + b; false on overflow, *result untouched. */
static inline bool vfi_size_mul(size_t a, size_t b, size_t *result)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *result = product;
    return true;
}

static inline bool vfi_size_add(size_t a, size_t b, size_t *result)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *result = sum;
    return true;
}

/* For tests: the next allocations fail after @successes more; G_MAXUINT64 turns it
 * off. */
void vfi_alloc_fail_after(guint64 successes);

/* For tests: calls of vfi_try_alloc() and vfi_try_alloc0() since the process began. */
guint64 vfi_alloc_count(void);
