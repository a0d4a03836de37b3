/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays whose length a file decides. Growth doubles, so appending stays linear. */
#include "checkpoint/growing.h"

#include <string.h>

#include "base/alloc.h"
#include "checkpoint/span.h"

void vfi_growing_init(VfiGrowing *array, size_t item_size, size_t limit, const char *what)
{
    *array = (VfiGrowing){.item_size = item_size, .limit = limit, .what = what};
}

void vfi_growing_clear(VfiGrowing *array)
{
    vfi_free(array->items);
    array->items = NULL;
    array->count = array->capacity = 0;
}

static bool grow(VfiGrowing *array, size_t needed, GError **error)
{
    size_t doubled =
        array->capacity > array->limit / 2 ? array->limit : MAX(array->capacity * 2, 64);
    size_t capacity = MIN(MAX(needed, doubled), array->limit);
    void *items = vfi_try_alloc(capacity, array->item_size, array->what, error);

    if (items == NULL)
        return false;
    if (array->count > 0)
        memcpy(items, array->items, array->count * array->item_size);
    vfi_free(array->items);
    array->items = items;
    array->capacity = capacity;
    return true;
}

void *vfi_growing_add(VfiGrowing *array, size_t count, GError **error)
{
    size_t needed;

    if (!vfi_size_add(array->count, count, &needed) || needed > array->limit) {
        vfi_corrupt(error, "more than %zu %s", array->limit, array->what);
        return NULL;
    }
    if ((array->items == NULL || needed > array->capacity) && !grow(array, needed, error))
        return NULL;
    void *added = (char *)array->items + array->count * array->item_size;
    array->count = needed;
    return added;
}

bool vfi_growing_extend_zeroed(VfiGrowing *array, size_t count, GError **error)
{
    if (count <= array->count)
        return true;
    size_t added = count - array->count;
    void *items = vfi_growing_add(array, added, error);
    if (items != NULL)
        memset(items, 0, added * array->item_size);
    return items != NULL;
}
