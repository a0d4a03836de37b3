/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tensors of an open checkpoint and their names. Removing a prefix moves the pointer
 * to the name, so it costs nothing and can be taken back. */
#include "checkpoint/tensor_list.h"

#include "base/alloc.h"

/* Far beyond any network; bounds the work on a hostile file. */
#define MAX_TENSORS (1u << 16)
#define MAX_NAME_BYTES ((size_t)1 << 26)

/* Rounds in which prefixes are removed. */
#define MAX_PREFIXES 8

/* Names that training scripts give to the network that they train. */
static const char *const shared_prefixes[] = {"module.", "flownet.",   "model.",
                                              "net.",    "generator.", "network."};

/* Other parts of the same module that they keep beside it: losses and their networks, the
 * opponent, the optimizer. None of it runs. */
static const char *const companions[] = {
    "loss.",    "losses.",    "epe.",    "lap.",        "sobel.",
    "ss.",      "ssim.",      "vgg.",    "perceptual.", "census.",
    "lpips.",   "criterion.", "metric.", "teacher.",    "discriminator.",
    "caltime.", "optim.",     "optimG.", "optimizer.",
};

/* The wrapper of torch.nn.DataParallel; some files have it on trained layers only. */
static const char data_parallel[] = "module.";

/* torch.compile() puts this before the names of whatever module it is given. */
static const char compiled[] = "_orig_mod.";

void vfi_tensor_list_init(VfiTensorList *list)
{
    *list = (VfiTensorList){.index = {.count = 0}};
    vfi_growing_init(&list->infos, sizeof(VfiTensorInfo), MAX_TENSORS, "tensors");
    vfi_growing_init(&list->places, sizeof(VfiPlace), MAX_TENSORS, "tensors");
    vfi_growing_init(&list->names, 1, MAX_NAME_BYTES, "bytes of tensor names");
    vfi_growing_init(&list->storages, sizeof(VfiStorage), MAX_TENSORS, "storages");
}

void vfi_tensor_list_clear(VfiTensorList *list)
{
    g_clear_pointer(&list->memory, vfi_free);
    vfi_growing_clear(&list->storages);
    vfi_growing_clear(&list->places);
    vfi_growing_clear(&list->names);
    vfi_growing_clear(&list->infos);
    vfi_name_index_clear(&list->index);
}

bool vfi_tensor_list_add_storage(VfiTensorList *list, VfiStorage storage, uint32_t *index,
                                 GError **error)
{
    VfiStorage *added = vfi_growing_add(&list->storages, 1, error);

    if (added == NULL)
        return false;
    *added = storage;
    *index = (uint32_t)(list->storages.count - 1);
    return true;
}

/* Copies @name without the parts that torch.compile() added; returns the length without
 * NUL. */
static size_t copy_name(char *copy, VfiSpan name)
{
    size_t length = 0, at = 0, skipped = strlen(compiled);
    bool is_start = true; /* of a part */

    while (at < name.size) {
        if (is_start && name.size - at > skipped &&
            memcmp(name.data + at, compiled, skipped) == 0) {
            at += skipped;
            continue;
        }
        copy[length] = (char)name.data[at++];
        is_start = copy[length++] == '.';
    }
    copy[length] = '\0';
    return length;
}

bool vfi_tensor_list_add(VfiTensorList *list, VfiSpan name, const VfiTensorInfo *info,
                         VfiPlace place, GError **error)
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
    VfiPlace *added_place = vfi_growing_add(&list->places, 1, error);
    if (added_place == NULL)
        return false;
    char *copy = vfi_growing_add(&list->names, name.size + 1, error);
    if (copy == NULL)
        return false;
    list->names.count -= name.size - copy_name(copy, name);
    *added = *info;
    *added_place = place;
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

static bool is_companion(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(companions); i++)
        if (name[0] == companions[i][0] && g_str_has_prefix(name, companions[i]))
            return true;
    return false;
}

/* Whether all names have @prefix, but for those of companions. */
static bool is_shared(const VfiTensorList *list, const char *prefix)
{
    const VfiTensorInfo *infos = list->infos.items;
    size_t n = 0;

    for (size_t i = 0; i < list->infos.count; i++)
        n += can_strip(infos[i].name, prefix);
    for (size_t i = 0; n > 0 && n < list->infos.count && i < list->infos.count; i++)
        if (!can_strip(infos[i].name, prefix) && !is_companion(infos[i].name))
            return false;
    return n > 0;
}

/* Removes @prefix from the names that have it; returns how many. */
static size_t strip(VfiTensorList *list, const char *prefix)
{
    VfiTensorInfo *infos = list->infos.items;
    size_t stripped = 0;

    for (size_t i = 0; i < list->infos.count; i++) {
        if (can_strip(infos[i].name, prefix)) {
            infos[i].name += strlen(prefix);
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

/* Points at the names in full, less the prefixes that all of the network's share. */
static void reset_names(VfiTensorList *list)
{
    bool again = true;

    set_names(list);
    for (int round = 0; again && round < MAX_PREFIXES; round++) {
        again = false;
        for (size_t i = 0; i < G_N_ELEMENTS(shared_prefixes); i++)
            if (is_shared(list, shared_prefixes[i]))
                again |= strip(list, shared_prefixes[i]) > 0;
    }
}

bool vfi_tensor_list_finish(VfiTensorList *list, GError **error)
{
    reset_names(list);
    size_t stripped = strip(list, data_parallel);
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
