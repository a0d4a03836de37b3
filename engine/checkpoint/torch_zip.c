/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Torch zip archives: FOLDER/data.pkl is the tree, FOLDER/data/KEY the storages.
 * TorchScript archives are the same with classes in place of dictionaries. */

#include "base/alloc.h"
#include "checkpoint/foreign.h"
#include "checkpoint/readers.h"
#include "checkpoint/torch.h"
#include "checkpoint/zip.h"

/* Longest member name that is looked up: folder, "data/", storage key. */
#define MAX_MEMBER_NAME 512

typedef struct {
    VfiZip zip;
    VfiSpan folder; /* with its slash; empty if there is none */
    VfiTensorList *list;
    uint32_t *storages; /* by member: 1 + its index among the list's, 0: not yet there */
} Archive;

/* The member FOLDER/@name, or NULL. */
static const VfiZipMember *find_member(const Archive *archive, const char *prefix,
                                       VfiSpan name)
{
    uint8_t path[MAX_MEMBER_NAME];
    size_t folder = archive->folder.size, middle = strlen(prefix);

    if (folder > sizeof path - middle || name.size > sizeof path - middle - folder)
        return NULL;
    memcpy(path, archive->folder.data, folder);
    memcpy(path + folder, prefix, middle);
    if (name.size > 0)
        memcpy(path + folder + middle, name.data, name.size);
    return vfi_zip_find(&archive->zip, (VfiSpan){path, folder + middle + name.size});
}

static bool has_member(const Archive *archive, const char *name)
{
    return find_member(archive, name, (VfiSpan){NULL, 0}) != NULL;
}

static VfiSpan member_name(const void *members, size_t index)
{
    return ((const VfiZipMember *)members)[index].name;
}

/* Finds the one member "data.pkl" or "FOLDER/data.pkl" and with it the folder. */
static const VfiZipMember *find_pickle(Archive *archive, GError **error)
{
    static const char name[] = "data.pkl";
    const VfiZipMember *members = archive->zip.members.items, *found = NULL;

    for (size_t i = 0; i < archive->zip.members.count; i++) {
        VfiSpan path = members[i].name, tail;
        if (path.size < strlen(name) ||
            !vfi_span_slice(path, path.size - strlen(name), strlen(name), &tail) ||
            !vfi_span_equals(tail, name))
            continue;
        VfiSpan folder = {path.data, path.size - strlen(name)};
        if (folder.size > MAX_MEMBER_NAME / 2 ||
            (folder.size > 0 &&
             memchr(folder.data, '/', folder.size) != folder.data + folder.size - 1))
            continue;
        if (found != NULL) {
            vfi_corrupt(error, "the zip archive has two members \"%s\"", name);
            return NULL;
        }
        found = &members[i];
        archive->folder = folder;
    }
    if (found == NULL)
        vfi_refuse_archive("a zip archive", members, archive->zip.members.count,
                           member_name, error);
    return found;
}

/* VfiLocateStorage for zip archives: the member data/KEY, which is located once. */
static bool locate(void *user_data, const VfiTorchStorage *storage, uint32_t *index,
                   uint64_t *size, GError **error)
{
    Archive *archive = user_data;
    const VfiZipMember *member = find_member(archive, "data/", storage->key);

    if (member == NULL)
        return vfi_corrupt(error,
                           "the archive has no member \"data/%s\" with its storage",
                           vfi_quote(storage->key).text);
    uint32_t *known =
        &archive->storages[member - (const VfiZipMember *)archive->zip.members.items];
    *size = member->size;
    if (*known == 0) {
        VfiStorage place;
        if (!vfi_zip_locate(&archive->zip, member, &place, error) ||
            !vfi_tensor_list_add_storage(archive->list, place, index, error))
            return false;
        *known = *index + 1;
    }
    *index = *known - 1;
    return true;
}

static bool check_byte_order(Archive *archive, GError **error)
{
    const VfiZipMember *member = find_member(archive, "byteorder", (VfiSpan){NULL, 0});
    VfiSpan order;

    if (member == NULL)
        return true; /* before torch 2.1; always little-endian in practice */
    if (!vfi_zip_read(&archive->zip, member, &order, error))
        return false;
    bool little = vfi_span_equals(order, "little");
    VfiQuote quote = vfi_quote(order);
    vfi_free((void *)order.data);
    return little ||
           vfi_unsupported(error,
                           "member \"byteorder\" says \"%s\"; only little-endian "
                           "files are read",
                           quote.text);
}

static bool read_pickle(Archive *archive, GError **error)
{
    const VfiZipMember *member = find_pickle(archive, error);
    VfiPickle pickle;
    VfiSpan bytes;
    bool done = false;

    if (member == NULL || !check_byte_order(archive, error) ||
        !vfi_zip_read(&archive->zip, member, &bytes, error))
        return false;
    if (vfi_torch_load(&pickle, bytes, error)) {
        done = vfi_torch_collect(&pickle, archive->zip.file->size, locate, archive,
                                 archive->list, error);
        vfi_pickle_clear(&pickle);
    }
    if (!done)
        g_prefix_error(error, "member \"%s\": ", vfi_quote(member->name).text);
    vfi_free((void *)bytes.data);
    return done;
}

bool vfi_read_torch_zip(const VfiSource *file, VfiTensorList *list,
                        VfiContainer *container, GError **error)
{
    Archive archive = {.list = list};
    bool done = false;

    *container = VFI_CONTAINER_TORCH_ZIP;
    if (!vfi_zip_open(&archive.zip, file, error))
        return false;
    archive.storages = vfi_try_alloc0(archive.zip.members.count, sizeof *archive.storages,
                                      "a table of zip members", error);
    if (archive.storages != NULL)
        done = read_pickle(&archive, error);
    if (done && has_member(&archive, "constants.pkl"))
        *container = VFI_CONTAINER_TORCHSCRIPT;
    vfi_free(archive.storages);
    vfi_zip_clear(&archive.zip);
    return done;
}
