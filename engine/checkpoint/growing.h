/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays whose length a file decides: like GArray, but growth may fail with an error, and
 * there is a largest length. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

typedef struct {
    void *items;
    size_t count;
    size_t capacity;
    size_t item_size;
    size_t limit;     /* largest count */
    const char *what; /* for messages: "pickle objects" */
} VfiGrowing;

void vfi_growing_init(VfiGrowing *array, size_t item_size, size_t limit,
                      const char *what);

/* Frees the items. A zeroed array may be cleared. */
void vfi_growing_clear(VfiGrowing *array);

/* Appends @count uninitialised items and returns the first of them; earlier pointers
 * become invalid. NULL with VFI_ERROR_NO_MEMORY, or VFI_ERROR_CORRUPT beyond the
 * limit. */
void *vfi_growing_add(VfiGrowing *array, size_t count, GError **error);

/* Makes the array at least @count long; what is added is zero bytes. */
bool vfi_growing_extend_zeroed(VfiGrowing *array, size_t count, GError **error);
