/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Torch's container before 1.6: five pickles one after the other (magic number, protocol,
 * system, object, storage keys), then for each key an element count and the data. Nothing
 * says how long the pickles are: the beginning of the file is read, then more of it until
 * they end. */

#include "base/alloc.h"
#include "checkpoint/readers.h"
#include "checkpoint/tensor.h"
#include "checkpoint/torch.h"

#define PROTOCOL_VERSION 1001

/* 0x1950a86a20f9469cfc6c */
static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9,
                                0x20, 0x6a, 0xa8, 0x50, 0x19};

#define MAX_STORAGES (1u << 17)

/* Bytes that are read at first, the factor by which it is more each time, and at most: a
 * pickle takes some 200 bytes per tensor. */
#define FIRST_WINDOW ((uint64_t)256 << 10)
#define WINDOW_GROWTH 8
#define MAX_WINDOW ((uint64_t)128 << 20)

/* A storage that the object pickle mentions, and where its data turned out to be. */
typedef struct {
    VfiTorchStorage about;
    uint32_t index; /* in the list */
    uint64_t size;
    bool found;
} Storage;

typedef struct {
    const VfiSource *file;
    VfiTensorList *list;
    VfiSpan window;      /* the file's beginning */
    bool ran_out;        /* a pickle reaches beyond it */
    uint64_t position;   /* in the file */
    VfiGrowing storages; /* Storage; one for each mention */
    VfiNameIndex index;  /* by key; the first mention stands for all */
} Stream;

/* Loads the next pickle of the stream and moves past it. */
static bool load_next(Stream *stream, const char *what, VfiPickle *pickle, GError **error)
{
    VfiSpan rest = {stream->window.data + stream->position,
                    stream->window.size - (size_t)stream->position};

    if (!vfi_torch_load(pickle, rest, error)) {
        stream->ran_out = pickle->ran_out;
        g_prefix_error(error, "%s, which begins at byte %" G_GUINT64_FORMAT ": ", what,
                       stream->position);
        return false;
    }
    stream->position += pickle->position;
    return true;
}

static bool check_magic(Stream *stream, GError **error)
{
    VfiPickle pickle;

    if (!load_next(stream, "the magic number", &pickle, error))
        return false;
    const VfiPickleValue *value = vfi_pickle_value(&pickle, pickle.result);
    bool right = value->kind == VFI_PICKLE_BIG_INT && value->length == sizeof magic &&
                 memcmp(value->bytes, magic, sizeof magic) == 0;
    vfi_pickle_clear(&pickle);
    return right ||
           vfi_unsupported(error, "a pickle without torch's magic number: it was not "
                                  "written by torch.save()");
}

static bool check_protocol(Stream *stream, GError **error)
{
    VfiPickle pickle;

    if (!load_next(stream, "the protocol version", &pickle, error))
        return false;
    const VfiPickleValue *value = vfi_pickle_value(&pickle, pickle.result);
    bool right = value->kind == VFI_PICKLE_INT && value->integer == PROTOCOL_VERSION;
    vfi_pickle_clear(&pickle);
    return right || vfi_unsupported(error, "the protocol version of the stream is not %d",
                                    PROTOCOL_VERSION);
}

static bool check_system(Stream *stream, GError **error)
{
    VfiPickle pickle;

    if (!load_next(stream, "the system description", &pickle, error))
        return false;
    VfiPickleRef little = vfi_pickle_dict_find(&pickle, pickle.result, "little_endian");
    bool right = little == VFI_PICKLE_NO_REF ||
                 (vfi_pickle_value(&pickle, little)->kind == VFI_PICKLE_BOOL &&
                  vfi_pickle_value(&pickle, little)->integer == 1);
    vfi_pickle_clear(&pickle);
    return right ||
           vfi_unsupported(error, "the file was written on a big-endian machine; "
                                  "only little-endian files are read");
}

static VfiSpan key_of_storage(const void *items, size_t index)
{
    return ((const Storage *)items)[index].about.key;
}

/* Lists the storages that @pickle mentions. */
static bool list_storages(Stream *stream, const VfiPickle *pickle, GError **error)
{
    for (VfiPickleRef ref = 0; ref < pickle->values.count; ref++) {
        if (vfi_pickle_value(pickle, ref)->kind != VFI_PICKLE_PERSISTENT)
            continue;
        Storage *storage = vfi_growing_add(&stream->storages, 1, error);
        if (storage == NULL)
            return false;
        *storage = (Storage){.found = false};
        if (!vfi_torch_get_storage(pickle, ref, &storage->about, error))
            return false;
    }
    return vfi_name_index_init(&stream->index, stream->storages.items,
                               stream->storages.count, key_of_storage, error);
}

static Storage *find_storage(const Stream *stream, VfiSpan key)
{
    size_t found = vfi_name_index_find(&stream->index, key);

    return found == SIZE_MAX ? NULL : (Storage *)stream->storages.items + found;
}

/* Reads the count of storage @key and passes over its data, which begin at the current
 * position. */
static bool read_storage(Stream *stream, VfiSpan key, GError **error)
{
    Storage *storage = find_storage(stream, key);
    uint64_t begin = stream->position, file_size = stream->file->size;
    uint8_t count[8];

    if (storage == NULL || storage->found)
        return vfi_corrupt(error, "the stream has data for storage \"%s\", which %s",
                           vfi_quote(key).text,
                           storage == NULL ? "no tensor uses" : "it had before");
    if (!vfi_source_has(stream->file, begin, sizeof count))
        return vfi_corrupt(
            error, "the file ends at byte %" G_GUINT64_FORMAT ", before storage \"%s\"",
            file_size, vfi_quote(key).text);
    if (!vfi_source_read(stream->file, begin, count, sizeof count, error))
        return false;
    uint64_t n_elements = vfi_read_le64(count), data = begin + sizeof count;
    if (n_elements != storage->about.n_elements)
        return vfi_corrupt(
            error,
            "byte %" G_GUINT64_FORMAT ": storage \"%s\" has %" G_GUINT64_FORMAT
            " elements here, but %" G_GUINT64_FORMAT " in the object",
            begin, vfi_quote(key).text, n_elements, storage->about.n_elements);
    size_t size = vfi_dtype_size(storage->about.dtype);
    if (n_elements > file_size / size ||
        !vfi_source_has(stream->file, data, n_elements * size))
        return vfi_corrupt(
            error,
            "byte %" G_GUINT64_FORMAT ": the %" G_GUINT64_FORMAT
            " elements of storage \"%s\" reach beyond the end of the file at "
            "byte %" G_GUINT64_FORMAT ": it is truncated",
            begin, n_elements, vfi_quote(key).text, file_size);
    storage->found = true;
    storage->size = n_elements * size;
    stream->position = data + storage->size;
    return vfi_tensor_list_add_storage(
        stream->list, vfi_storage_in_file(data, storage->size), &storage->index, error);
}

static bool read_storages(Stream *stream, GError **error)
{
    VfiPickle keys;
    bool done = false;

    if (!load_next(stream, "the list of storages", &keys, error))
        return false;
    const VfiPickleValue *list = vfi_pickle_value(&keys, keys.result);
    if (list->kind != VFI_PICKLE_LIST) {
        vfi_corrupt(error, "the list of storages is not a list");
        goto out;
    }
    VfiPickleRef cell = list->cells.first;
    for (size_t i = 0; i < list->length; i++) {
        const VfiPickleCell *item = vfi_pickle_cell(&keys, cell);
        const VfiPickleValue *key = vfi_pickle_value(&keys, item->value);
        if (key->kind != VFI_PICKLE_TEXT) {
            vfi_corrupt(error, "key %zu in the list of storages is not text", i);
            goto out;
        }
        if (!read_storage(stream, vfi_pickle_bytes(key), error))
            goto out;
        cell = item->next;
    }
    done = true;

out:
    vfi_pickle_clear(&keys);
    return done;
}

/* VfiLocateStorage for legacy streams. */
static bool locate(void *user_data, const VfiTorchStorage *storage, uint32_t *index,
                   uint64_t *size, GError **error)
{
    const Storage *known = find_storage(user_data, storage->key);

    if (known == NULL || !known->found)
        return vfi_corrupt(error, "the stream has no data for its storage \"%s\"",
                           vfi_quote(storage->key).text);
    *index = known->index;
    *size = known->size;
    return true;
}

/* Reads the stream, whose pickles are in the window; if not, ran_out is set. */
static bool read_stream(Stream *stream, GError **error)
{
    VfiPickle object;

    vfi_growing_init(&stream->storages, sizeof(Storage), MAX_STORAGES, "storages");
    if (!check_magic(stream, error) || !check_protocol(stream, error) ||
        !check_system(stream, error) || !load_next(stream, "the object", &object, error))
        return false;
    bool done = list_storages(stream, &object, error) && read_storages(stream, error) &&
                vfi_torch_collect(&object, stream->file->size, locate, stream,
                                  stream->list, error);
    vfi_name_index_clear(&stream->index);
    vfi_growing_clear(&stream->storages);
    vfi_pickle_clear(&object);
    return done;
}

bool vfi_read_torch_legacy(const VfiSource *file, VfiTensorList *list, GError **error)
{
    uint64_t most = MIN(file->size, MAX_WINDOW), size = MIN(most, FIRST_WINDOW);

    for (;; size = MIN(most, size * WINDOW_GROWTH)) {
        Stream stream = {.file = file, .list = list};
        g_autoptr(GError) reason = NULL;
        void *window = vfi_source_load(file, 0, size, "the pickles of a file", error);
        if (window == NULL)
            return false;
        stream.window = (VfiSpan){window, (size_t)size};
        bool done = read_stream(&stream, &reason);
        vfi_free(window);
        if (done)
            return true;
        if (!stream.ran_out || size == most) {
            g_propagate_error(error, g_steal_pointer(&reason));
            return false;
        }
    }
}
