/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Safetensors: an 8-byte header length, a JSON header {"name": {"dtype", "shape",
 * "data_offsets"}, …}, then the data, to which the offsets are relative. */

#include "base/alloc.h"
#include "checkpoint/json.h"
#include "checkpoint/readers.h"
#include "checkpoint/tensor.h"

/* The format's own limit. */
#define MAX_HEADER 100000000

static const struct {
    const char *name;
    VfiDType dtype;
} dtype_names[] = {
    {"F32", VFI_DTYPE_F32},   {"F16", VFI_DTYPE_F16}, {"BF16", VFI_DTYPE_BF16},
    {"F64", VFI_DTYPE_F64},   {"I8", VFI_DTYPE_I8},   {"U8", VFI_DTYPE_U8},
    {"I16", VFI_DTYPE_I16},   {"I32", VFI_DTYPE_I32}, {"I64", VFI_DTYPE_I64},
    {"BOOL", VFI_DTYPE_BOOL},
};

typedef struct {
    VfiTensorInfo info;
    int64_t begin, end; /* in the data */
    bool has_dtype, has_shape, has_offsets;
} Entry;

static bool take_dtype(VfiJson *json, Entry *entry, GError **error)
{
    uint8_t text[16];
    size_t size;

    if (!vfi_json_take_string(json, text, sizeof text, &size, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(dtype_names); i++) {
        if (vfi_span_equals((VfiSpan){text, size}, dtype_names[i].name)) {
            entry->info.dtype = dtype_names[i].dtype;
            entry->has_dtype = true;
            return true;
        }
    }
    return vfi_unsupported(error,
                           "element type \"%s\" is not read; convert it to F32 or F16",
                           vfi_quote((VfiSpan){text, size}).text);
}

static bool take_shape(VfiJson *json, Entry *entry, GError **error)
{
    bool first = true, more;

    entry->info.n_dims = 0;
    if (!vfi_json_take(json, '[', error))
        return false;
    for (;;) {
        if (!vfi_json_next_item(json, ']', &first, &more, error))
            return false;
        if (!more)
            break;
        if (entry->info.n_dims == VFI_MAX_DIMS)
            return vfi_unsupported(error, "it has more than %d dimensions", VFI_MAX_DIMS);
        if (!vfi_json_take_count(json, &entry->info.shape[entry->info.n_dims++], error))
            return false;
    }
    entry->has_shape = true;
    return true;
}

static bool take_offsets(VfiJson *json, Entry *entry, GError **error)
{
    entry->has_offsets = true;
    return vfi_json_take(json, '[', error) &&
           vfi_json_take_count(json, &entry->begin, error) &&
           vfi_json_take(json, ',', error) &&
           vfi_json_take_count(json, &entry->end, error) &&
           vfi_json_take(json, ']', error);
}

/* Takes {"dtype": …, "shape": …, "data_offsets": …}; other keys are passed over. */
static bool take_entry(VfiJson *json, Entry *entry, GError **error)
{
    bool first = true, more, taken;

    if (!vfi_json_take(json, '{', error))
        return false;
    for (;;) {
        uint8_t text[64];
        size_t size;
        if (!vfi_json_next_item(json, '}', &first, &more, error))
            return false;
        if (!more)
            break;
        if (!vfi_json_take_string(json, text, sizeof text, &size, error) ||
            !vfi_json_take(json, ':', error))
            return false;
        VfiSpan key = {text, size};
        if (vfi_span_equals(key, "dtype"))
            taken = take_dtype(json, entry, error);
        else if (vfi_span_equals(key, "shape"))
            taken = take_shape(json, entry, error);
        else if (vfi_span_equals(key, "data_offsets"))
            taken = take_offsets(json, entry, error);
        else
            taken = vfi_json_skip(json, error);
        if (!taken)
            return false;
    }
    return (entry->has_dtype && entry->has_shape && entry->has_offsets) ||
           vfi_corrupt(error, "it lacks one of dtype, shape and data_offsets");
}

/* The file after the header. */
typedef struct {
    uint64_t offset, size;
    uint64_t file_size;
} Data;

/* Gives @entry its bytes in @data. */
static bool place_entry(Entry *entry, const Data *data, VfiTensorList *list,
                        VfiPlace *place, GError **error)
{
    uint64_t begin = (uint64_t)entry->begin, size = (uint64_t)entry->end - begin;

    if (entry->end < entry->begin || (uint64_t)entry->end > data->size)
        return vfi_corrupt(error,
                           "its bytes %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                           " are outside the %" G_GUINT64_FORMAT
                           " bytes of data: the file is truncated or damaged",
                           entry->begin, entry->end, data->size);
    vfi_tensor_set_contiguous(&entry->info);
    *place = (VfiPlace){.begin = 0};
    if (!vfi_tensor_place(&entry->info, place, size, 0, data->file_size, error))
        return false;
    if (entry->info.n_elements * vfi_dtype_size(entry->info.dtype) != size)
        return vfi_corrupt(
            error, "its shape needs %zu bytes, but it has %" G_GUINT64_FORMAT,
            entry->info.n_elements * vfi_dtype_size(entry->info.dtype), size);
    return vfi_tensor_list_add_storage(
        list, vfi_storage_in_file(data->offset + begin, size), &place->storage, error);
}

static bool take_tensor(VfiJson *json, const Data *data, VfiTensorList *list,
                        GError **error)
{
    uint8_t text[VFI_MAX_NAME];
    VfiSpan name = {.data = text};
    Entry entry = {.begin = 0};
    VfiPlace place;

    if (!vfi_json_take_string(json, text, sizeof text, &name.size, error) ||
        !vfi_json_take(json, ':', error))
        return false;
    if (vfi_span_equals(name, "__metadata__"))
        return vfi_json_skip(json, error);
    if (take_entry(json, &entry, error) && place_entry(&entry, data, list, &place, error))
        return vfi_tensor_list_add(list, name, &entry.info, place, error);
    g_prefix_error(error, "tensor \"%s\": ", vfi_quote(name).text);
    return false;
}

static bool take_header(VfiJson *json, const Data *data, VfiTensorList *list,
                        GError **error)
{
    bool first = true, more;

    if (!vfi_json_take(json, '{', error))
        return false;
    for (;;) {
        if (!vfi_json_next_item(json, '}', &first, &more, error))
            return false;
        if (!more)
            break;
        if (!take_tensor(json, data, list, error))
            return false;
    }
    return vfi_json_at_end(json) ||
           vfi_corrupt(error, "byte %zu of the JSON header: text after its end",
                       json->position);
}

bool vfi_read_safetensors(const VfiSource *file, VfiTensorList *list, GError **error)
{
    uint8_t length[8];

    if (file->size < sizeof length)
        return vfi_corrupt(
            error, "%" G_GUINT64_FORMAT " bytes are too few for a safetensors file",
            file->size);
    if (!vfi_source_read(file, 0, length, sizeof length, error))
        return false;
    uint64_t header_size = vfi_read_le64(length);
    if (header_size > MAX_HEADER || !vfi_source_has(file, sizeof length, header_size))
        return vfi_corrupt(error,
                           "the safetensors header of %" G_GUINT64_FORMAT
                           " bytes does not fit the file of %" G_GUINT64_FORMAT
                           ": it is truncated or damaged",
                           header_size, file->size);
    void *header = vfi_source_load(file, sizeof length, header_size,
                                   "the header of a safetensors file", error);
    if (header == NULL)
        return false;
    uint64_t offset = sizeof length + header_size;
    const Data data = {offset, file->size - offset, file->size};
    VfiJson json = {.text = {header, (size_t)header_size}};
    bool done = take_header(&json, &data, list, error);
    vfi_free(header);
    return done;
}
