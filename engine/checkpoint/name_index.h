/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds items by name in a table whose names come from a file. A sorted index, so that no
 * choice of names by a hostile file makes it slow. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "checkpoint/span.h"

/* The name of item @index of @items. */
typedef VfiSpan (*VfiNameOf)(const void *items, size_t index);

typedef struct {
    uint32_t *order; /* item indices by name; NULL while empty */
    size_t count;
    const void *items;
    VfiNameOf name_of;
} VfiNameIndex;

/* Indexes @count items. @items must stay where it is. False with VFI_ERROR_NO_MEMORY. */
bool vfi_name_index_init(VfiNameIndex *index, const void *items, size_t count,
                         VfiNameOf name_of, GError **error);

void vfi_name_index_clear(VfiNameIndex *index);

/* The second of two items with one name, or SIZE_MAX if all names differ. */
size_t vfi_name_index_duplicate(const VfiNameIndex *index);

/* The item of that name (the first of several), or SIZE_MAX. O(log n). */
size_t vfi_name_index_find(const VfiNameIndex *index, VfiSpan name);
