/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds items by name: an index sorted by (name, position). */
#include "checkpoint/name_index.h"

#include "base/alloc.h"

static int compare_names(VfiSpan a, VfiSpan b)
{
    size_t shared = MIN(a.size, b.size);
    int order = shared > 0 ? memcmp(a.data, b.data, shared) : 0;

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_items(const void *a, const void *b, void *user_data)
{
    const VfiNameIndex *index = user_data;
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;
    int order = compare_names(index->name_of(index->items, first),
                              index->name_of(index->items, second));

    return order != 0 ? order : (first > second) - (first < second);
}

bool vfi_name_index_init(VfiNameIndex *index, const void *items, size_t count,
                         VfiNameOf name_of, GError **error)
{
    *index = (VfiNameIndex){.count = count, .items = items, .name_of = name_of};
    if (count > UINT32_MAX)
        return vfi_corrupt(error, "%zu names are more than a checkpoint may have", count);
    index->order = vfi_try_alloc(count, sizeof *index->order, "an index of names", error);
    if (index->order == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        index->order[i] = (uint32_t)i;
    qsort_r(index->order, count, sizeof *index->order, compare_items, index);
    return true;
}

void vfi_name_index_clear(VfiNameIndex *index)
{
    vfi_free(index->order);
    index->order = NULL;
    index->count = 0;
}

size_t vfi_name_index_duplicate(const VfiNameIndex *index)
{
    for (size_t i = 1; i < index->count; i++) {
        VfiSpan before = index->name_of(index->items, index->order[i - 1]);
        if (compare_names(before, index->name_of(index->items, index->order[i])) == 0)
            return index->order[i];
    }
    return SIZE_MAX;
}

size_t vfi_name_index_find(const VfiNameIndex *index, VfiSpan name)
{
    size_t low = 0, high = index->count;

    while (low < high) { /* the first entry that is not before @name */
        size_t middle = low + (high - low) / 2;
        VfiSpan candidate = index->name_of(index->items, index->order[middle]);
        if (compare_names(candidate, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == index->count)
        return SIZE_MAX;
    VfiSpan found = index->name_of(index->items, index->order[low]);
    return compare_names(found, name) == 0 ? index->order[low] : SIZE_MAX;
}
