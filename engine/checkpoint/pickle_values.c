/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint/pickle_values.h"

bool vfi_pickle_new(VfiPickle *pickle, VfiPickleValue value, VfiPickleRef *ref,
                    GError **error)
{
    VfiPickleValue *added = vfi_growing_add(&pickle->values, 1, error);

    if (added == NULL)
        return false;
    *added = value;
    *ref = (VfiPickleRef)(pickle->values.count - 1);
    return true;
}

bool vfi_pickle_append(VfiPickle *pickle, VfiPickleRef container, VfiPickleRef value,
                       GError **error)
{
    VfiPickleCell *cell = vfi_growing_add(&pickle->cells, 1, error);

    if (cell == NULL)
        return false;
    *cell = (VfiPickleCell){.value = value, .next = VFI_PICKLE_NO_REF};
    VfiPickleRef ref = (VfiPickleRef)(pickle->cells.count - 1);
    VfiPickleValue *holder = (VfiPickleValue *)pickle->values.items + container;
    if (holder->length == 0)
        holder->cells.first = ref;
    else
        ((VfiPickleCell *)pickle->cells.items)[holder->cells.last].next = ref;
    holder->cells.last = ref;
    holder->length++;
    return true;
}

void vfi_pickle_clear(VfiPickle *pickle)
{
    vfi_growing_clear(&pickle->values);
    vfi_growing_clear(&pickle->cells);
    vfi_growing_clear(&pickle->stack);
    vfi_growing_clear(&pickle->marks);
    vfi_growing_clear(&pickle->memo);
}

bool vfi_pickle_is_container(const VfiPickleValue *value)
{
    return value->kind == VFI_PICKLE_TUPLE || value->kind == VFI_PICKLE_LIST ||
           value->kind == VFI_PICKLE_SET || value->kind == VFI_PICKLE_DICT;
}

VfiPickleRef vfi_pickle_item(const VfiPickle *pickle, VfiPickleRef ref, size_t index)
{
    const VfiPickleValue *value = vfi_pickle_value(pickle, ref);

    if (!vfi_pickle_is_container(value) || index >= value->length)
        return VFI_PICKLE_NO_REF;
    VfiPickleRef cell = value->cells.first;
    while (index-- > 0)
        cell = vfi_pickle_cell(pickle, cell)->next;
    return vfi_pickle_cell(pickle, cell)->value;
}

VfiPickleRef vfi_pickle_dict_find(const VfiPickle *pickle, VfiPickleRef dict,
                                  const char *key)
{
    const VfiPickleValue *value = vfi_pickle_value(pickle, dict);

    if (value->kind != VFI_PICKLE_DICT)
        return VFI_PICKLE_NO_REF;
    VfiPickleRef cell = value->cells.first;
    for (size_t i = 0; i < value->length; i += 2) {
        const VfiPickleCell *name = vfi_pickle_cell(pickle, cell);
        const VfiPickleCell *item = vfi_pickle_cell(pickle, name->next);
        const VfiPickleValue *text = vfi_pickle_value(pickle, name->value);
        if (text->kind == VFI_PICKLE_TEXT && vfi_span_equals(vfi_pickle_bytes(text), key))
            return item->value;
        cell = item->next;
    }
    return VFI_PICKLE_NO_REF;
}
