/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tensors of an open checkpoint and their names. Removing a prefix moves the pointer
 * to the name, so it costs nothing and can be taken back. */
#include "tensor_list.h"

#include "alloc.h"

/* Far beyond any network; bounds the work on a hostile file. */
#define MAX_TENSORS (1u << 20)
#define MAX_NAME_BYTES ((size_t)1 << 28)

static const char *const shared_prefixes[] = {"module.", "flownet.", "model."};

/* The wrapper of torch.nn.DataParallel; some files have it on trained layers only. */
static const char data_parallel[] = "module.";

void vfi_tensor_list_init(VfiTensorList *list)
{
    *list = (VfiTensorList){.index = {.count = 0}};
    vfi_growing_init(&list->infos, sizeof(VfiTensorInfo), MAX_TENSORS, "tensors");
    vfi_growing_init(&list->names, 1, MAX_NAME_BYTES, "bytes of tensor names");
    vfi_growing_init(&list->inflated, sizeof(void *), MAX_TENSORS, "inflated members");
}

void vfi_tensor_list_clear(VfiTensorList *list)
{
    void **inflated = list->inflated.items;

    for (size_t i = 0; i < list->inflated.count; i++)
        vfi_free(inflated[i]);
    vfi_growing_clear(&list->inflated);
    vfi_growing_clear(&list->names);
    vfi_growing_clear(&list->infos);
    vfi_name_index_clear(&list->index);
}

bool vfi_tensor_list_own(VfiTensorList *list, void *memory, GError **error)
{
    void **slot = vfi_growing_add(&list->inflated, 1, error);

    if (slot == NULL)
        vfi_free(memory);
    else
        *slot = memory;
    return slot != NULL;
}

bool vfi_tensor_list_add(VfiTensorList *list, VfiSpan name, const VfiTensorInfo *info,
                         GError **error)
{
    if (name.size > VFI_MAX_NAME)
        return vfi_corrupt(error,
                           "the tensor name \"%s\" has %zu bytes; at most %d are read",
                           vfi_quote(name).text, name.size, VFI_MAX_NAME);
    if (!g_utf8_validate_len((const char *)name.data, name.size, NULL))
        return vfi_corrupt(error, "the tensor name \"%s\" is not UTF-8 text",
                           vfi_quote(name).text);
    VfiTensorInfo *added = vfi_growing_add(&list->infos, 1, error);
    if (added == NULL)
        return false;
    char *copy = vfi_growing_add(&list->names, name.size + 1, error);
    if (copy == NULL)
        return false;
    if (name.size > 0)
        memcpy(copy, name.data, name.size);
    copy[name.size] = '\0';
    *added = *info;
    return true;
}

static VfiSpan name_of_info(const void *items, size_t index)
{
    const char *name = ((const VfiTensorInfo *)items)[index].name;

    return (VfiSpan){(const uint8_t *)name, strlen(name)};
}

/* The bytes of names stand still from now on: point at them. */
static void set_names(VfiTensorList *list)
{
    VfiTensorInfo *infos = list->infos.items;
    const char *name = list->names.items;

    for (size_t i = 0; i < list->infos.count; i++) {
        infos[i].name = name;
        name += strlen(name) + 1;
    }
}

/* Whether something remains of @name without @prefix. */
static bool can_strip(const char *name, const char *prefix)
{
    return g_str_has_prefix(name, prefix) && name[strlen(prefix)] != '\0';
}

/* Removes @prefix if all names have it. */
static bool strip_shared(VfiTensorList *list, const char *prefix)
{
    VfiTensorInfo *infos = list->infos.items;

    for (size_t i = 0; i < list->infos.count; i++)
        if (!can_strip(infos[i].name, prefix))
            return false;
    for (size_t i = 0; i < list->infos.count; i++)
        infos[i].name += strlen(prefix);
    return list->infos.count > 0;
}

/* Removes the DataParallel prefix from the names that have it; returns how many. */
static size_t strip_some(VfiTensorList *list)
{
    VfiTensorInfo *infos = list->infos.items;
    size_t stripped = 0;

    for (size_t i = 0; i < list->infos.count; i++) {
        if (can_strip(infos[i].name, data_parallel)) {
            infos[i].name += strlen(data_parallel);
            stripped++;
        }
    }
    return stripped;
}

static bool index_names(VfiTensorList *list, GError **error)
{
    vfi_name_index_clear(&list->index);
    return vfi_name_index_init(&list->index, list->infos.items, list->infos.count,
                               name_of_info, error);
}

/* Points at the names in full, less what all of them begin with. */
static void reset_names(VfiTensorList *list)
{
    bool again = true;

    set_names(list);
    while (again) {
        again = false;
        for (size_t i = 0; i < G_N_ELEMENTS(shared_prefixes); i++)
            again |= strip_shared(list, shared_prefixes[i]);
    }
}

bool vfi_tensor_list_finish(VfiTensorList *list, GError **error)
{
    reset_names(list);
    size_t stripped = strip_some(list);
    if (!index_names(list, error))
        return false;
    size_t duplicate = vfi_name_index_duplicate(&list->index);
    if (duplicate != SIZE_MAX && stripped > 0) { /* two networks in one file: keep both */
        reset_names(list);
        if (!index_names(list, error))
            return false;
        duplicate = vfi_name_index_duplicate(&list->index);
    }
    if (duplicate != SIZE_MAX) {
        VfiSpan name = name_of_info(list->infos.items, duplicate);
        return vfi_corrupt(error, "two tensors are named \"%s\"", vfi_quote(name).text);
    }
    return true;
}
