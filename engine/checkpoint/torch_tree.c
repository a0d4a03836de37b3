/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the tree of a torch pickle to named tensors. The tree may be shared or cyclic, so
 * depth, visits and the length of names are bounded. */
#include "checkpoint/torch.h"

#include <inttypes.h>
#include <stdio.h>

#include "checkpoint/tensor.h"

#define MAX_DEPTH 64
#define MAX_WRAPPERS 3

/* Keys under which training scripts put the state dictionary, the best first. */
static const char *const wrappers[] = {
    "state_dict", "model_state_dict", "model",   "params_ema", "params", "ema",
    "net",        "generator",        "network", "weights"};

typedef struct {
    const VfiPickle *pickle;
    VfiTensorList *list;
    VfiLocateStorage locate;
    void *locate_data;
    uint64_t file_size;
    size_t visits_left;
    unsigned depth;
    size_t path_length;
    char path[VFI_MAX_NAME + 1]; /* not NUL-terminated */
} Walk;

static bool walk(Walk *w, VfiPickleRef ref, GError **error);

static VfiSpan path_span(const Walk *w)
{
    static const char unnamed[] = "tensor"; /* a file that is one tensor */

    if (w->path_length == 0)
        return (VfiSpan){(const uint8_t *)unnamed, strlen(unnamed)};
    return (VfiSpan){(const uint8_t *)w->path, w->path_length};
}

/* Copies the tuple of integers @ref into @out; false unless it is one. */
static bool get_dims(const VfiPickle *pickle, VfiPickleRef ref, int64_t *out,
                     size_t *count)
{
    if (ref == VFI_PICKLE_NO_REF)
        return false;
    const VfiPickleValue *tuple = vfi_pickle_value(pickle, ref);
    if (!vfi_pickle_is_container(tuple))
        return false;
    *count = tuple->length;
    VfiPickleRef cell = tuple->cells.first;
    for (size_t i = 0; i < MIN(*count, VFI_MAX_DIMS); i++) {
        const VfiPickleCell *at = vfi_pickle_cell(pickle, cell);
        const VfiPickleValue *number = vfi_pickle_value(pickle, at->value);
        if (number->kind != VFI_PICKLE_INT)
            return false;
        out[i] = number->integer;
        cell = at->next;
    }
    return true;
}

/* Reads (storage, offset, size, stride, …[, dtype]) into @info, @storage and *offset. */
static bool decode_tensor(const VfiPickle *pickle, VfiPickleRef arguments,
                          VfiTensorInfo *info, VfiTorchStorage *storage, int64_t *offset,
                          GError **error)
{
    VfiPickleRef offset_ref = vfi_pickle_item(pickle, arguments, 1);
    size_t n_dims, n_strides;

    if (!vfi_torch_get_storage(pickle, vfi_pickle_item(pickle, arguments, 0), storage,
                               error))
        return false;
    if (offset_ref == VFI_PICKLE_NO_REF ||
        vfi_pickle_value(pickle, offset_ref)->kind != VFI_PICKLE_INT ||
        !get_dims(pickle, vfi_pickle_item(pickle, arguments, 2), info->shape, &n_dims) ||
        !get_dims(pickle, vfi_pickle_item(pickle, arguments, 3), info->stride,
                  &n_strides) ||
        n_dims != n_strides)
        return vfi_corrupt(error,
                           "its offset, size and stride are not integers, or size and "
                           "stride differ in length");
    if (n_dims > VFI_MAX_DIMS)
        return vfi_unsupported(error, "it has %zu dimensions; at most %d are read",
                               n_dims, VFI_MAX_DIMS);
    info->n_dims = (int)n_dims;
    info->dtype = storage->dtype;
    *offset = vfi_pickle_value(pickle, offset_ref)->integer;
    VfiPickleRef dtype = vfi_pickle_item(pickle, arguments, 6); /* _rebuild_tensor_v3 */
    if (dtype != VFI_PICKLE_NO_REF)
        vfi_torch_get_dtype(pickle, dtype, &info->dtype);
    return true;
}

/* Where the bytes are that the tensor may see of @storage, and how many. */
static bool get_bytes(const Walk *w, const VfiTorchStorage *storage, VfiPlace *place,
                      uint64_t *bytes, GError **error)
{
    size_t size = vfi_dtype_size(storage->dtype);
    uint64_t all;

    if (!w->locate(w->locate_data, storage, &place->storage, &all, error))
        return false;
    if (storage->n_elements > all / size)
        return vfi_corrupt(error,
                           "storage \"%s\" has %" PRIu64 " bytes, but %" PRIu64
                           " %s elements are announced: the file is truncated or damaged",
                           vfi_quote(storage->key).text, all, storage->n_elements,
                           vfi_dtype_to_string(storage->dtype));
    uint64_t first = storage->is_view ? storage->view_offset : 0;
    uint64_t count = storage->is_view ? storage->view_elements : storage->n_elements;
    uint64_t elements = all / size;
    if (first > elements || count > elements - first)
        return vfi_corrupt(error, "the view of storage \"%s\" is not inside it",
                           vfi_quote(storage->key).text);
    place->begin = first * size;
    *bytes = count * size;
    return true;
}

static bool add_tensor(Walk *w, VfiPickleRef arguments, GError **error)
{
    VfiTensorInfo info = {.name = NULL};
    VfiTorchStorage storage;
    VfiPlace place;
    uint64_t bytes;
    int64_t offset;

    if (decode_tensor(w->pickle, arguments, &info, &storage, &offset, error) &&
        get_bytes(w, &storage, &place, &bytes, error) &&
        vfi_tensor_place(&info, &place, bytes, offset, w->file_size, error))
        return vfi_tensor_list_add(w->list, path_span(w), &info, place, error);
    g_prefix_error(error, "tensor \"%s\": ", vfi_quote(path_span(w)).text);
    return false;
}

/* Walks @ref with @name appended to the path. */
static bool walk_child(Walk *w, VfiSpan name, VfiPickleRef ref, GError **error)
{
    size_t parent = w->path_length;
    size_t dot = parent > 0 ? 1 : 0;

    if (name.size + dot > VFI_MAX_NAME - parent)
        return vfi_corrupt(error, "the name below \"%s\" is longer than %d bytes",
                           vfi_quote(path_span(w)).text, VFI_MAX_NAME);
    if (dot)
        w->path[w->path_length++] = '.';
    if (name.size > 0)
        memcpy(w->path + w->path_length, name.data, name.size);
    w->path_length += name.size;
    bool walked = walk(w, ref, error);
    w->path_length = parent;
    return walked;
}

/* Elements of lists and tuples are named by their number. */
static bool walk_list(Walk *w, const VfiPickleValue *list, GError **error)
{
    VfiPickleRef cell = list->cells.first;

    for (size_t i = 0; i < list->length; i++) {
        char number[24];
        int length = snprintf(number, sizeof number, "%zu", i);
        const VfiPickleCell *item = vfi_pickle_cell(w->pickle, cell);
        VfiSpan name = {(const uint8_t *)number, (size_t)length};
        if (!walk_child(w, name, item->value, error))
            return false;
        cell = item->next;
    }
    return true;
}

/* Keys that are neither text nor integers name nothing: their values are passed over. */
static bool walk_dict(Walk *w, const VfiPickleValue *dict, GError **error)
{
    VfiPickleRef cell = dict->cells.first;

    for (size_t i = 0; i < dict->length; i += 2) {
        char number[24];
        VfiSpan name;
        const VfiPickleCell *key_cell = vfi_pickle_cell(w->pickle, cell);
        const VfiPickleCell *item = vfi_pickle_cell(w->pickle, key_cell->next);
        const VfiPickleValue *key = vfi_pickle_value(w->pickle, key_cell->value);
        cell = item->next;
        if (key->kind == VFI_PICKLE_TEXT) {
            name = vfi_pickle_bytes(key);
        } else if (key->kind == VFI_PICKLE_INT) {
            int length = snprintf(number, sizeof number, "%" PRId64, key->integer);
            name = (VfiSpan){(const uint8_t *)number, (size_t)length};
        } else {
            continue;
        }
        if (!walk_child(w, name, item->value, error))
            return false;
    }
    return true;
}

static bool walk_inside(Walk *w, const VfiPickleValue *value, GError **error)
{
    switch (value->kind) {
    case VFI_PICKLE_REDUCED:
        return add_tensor(w, value->target, error);
    case VFI_PICKLE_OBJECT:
        return value->target == VFI_PICKLE_NO_REF || walk(w, value->target, error);
    case VFI_PICKLE_DICT:
        return walk_dict(w, value, error);
    case VFI_PICKLE_LIST:
    case VFI_PICKLE_TUPLE:
        return walk_list(w, value, error);
    default:
        return !vfi_torch_is_array(value) ||
               vfi_unsupported(error,
                               "\"%s\" is an array of NumPy and not a tensor; save "
                               "tensors, say torch.from_numpy() of each",
                               vfi_quote(path_span(w)).text);
    }
}

static bool walk(Walk *w, VfiPickleRef ref, GError **error)
{
    if (w->depth == MAX_DEPTH)
        return vfi_corrupt(
            error, "\"%s\" is nested more than %d levels deep, or contains itself",
            vfi_quote(path_span(w)).text, MAX_DEPTH);
    if (w->visits_left == 0)
        return vfi_corrupt(error,
                           "its objects contain each other so often that the number "
                           "of names explodes");
    w->visits_left--;
    w->depth++;
    bool walked = walk_inside(w, vfi_pickle_value(w->pickle, ref), error);
    w->depth--;
    return walked;
}

/* Whether @ref is a tensor with at least one dimension. */
static bool is_array(const VfiPickle *pickle, VfiPickleRef ref)
{
    const VfiPickleValue *value = vfi_pickle_value(pickle, ref);
    int64_t shape[VFI_MAX_DIMS];
    size_t n_dims = 0;

    return value->kind == VFI_PICKLE_REDUCED &&
           get_dims(pickle, vfi_pickle_item(pickle, value->target, 2), shape, &n_dims) &&
           n_dims > 0;
}

/* Summary of a dictionary, which is looked through once, however often it is met. */
typedef struct {
    bool holds_arrays;
    VfiPickleRef wrapped[G_N_ELEMENTS(wrappers)]; /* by wrapper, NO_REF: has none */
} Content;

/* Notes that @key of the dictionary is @value; of two of one name the first counts. */
static void note_item(const VfiPickle *pickle, VfiPickleRef key, VfiPickleRef value,
                      Content *content)
{
    const VfiPickleValue *text = vfi_pickle_value(pickle, key);

    content->holds_arrays |= is_array(pickle, value);
    if (text->kind != VFI_PICKLE_TEXT)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(wrappers); i++)
        if (content->wrapped[i] == VFI_PICKLE_NO_REF &&
            vfi_span_equals(vfi_pickle_bytes(text), wrappers[i]))
            content->wrapped[i] = value;
}

/* @seen: VfiPickleRef → Content. */
static const Content *look_into(const VfiPickle *pickle, GHashTable *seen,
                                VfiPickleRef ref)
{
    const VfiPickleValue *dict = vfi_pickle_value(pickle, ref);
    Content *content = g_hash_table_lookup(seen, GUINT_TO_POINTER(ref));

    if (content != NULL)
        return content;
    content = g_new0(Content, 1);
    memset(content->wrapped, 0xff, sizeof content->wrapped); /* NO_REF */
    g_hash_table_insert(seen, GUINT_TO_POINTER(ref), content);
    VfiPickleRef cell = dict->cells.first;
    for (size_t i = 0; dict->kind == VFI_PICKLE_DICT && i < dict->length; i += 2) {
        const VfiPickleCell *key = vfi_pickle_cell(pickle, cell);
        const VfiPickleCell *item = vfi_pickle_cell(pickle, key->next);
        note_item(pickle, key->value, item->value, content);
        cell = item->next;
    }
    return content;
}

static VfiPickleRef unwrap_levels(const VfiPickle *pickle, GHashTable *seen,
                                  VfiPickleRef root, int levels)
{
    const Content *content = look_into(pickle, seen, root);

    if (levels == 0 || content->holds_arrays)
        return root;
    for (size_t i = 0; i < G_N_ELEMENTS(wrappers); i++) {
        if (content->wrapped[i] == VFI_PICKLE_NO_REF)
            continue;
        VfiPickleRef inner = unwrap_levels(pickle, seen, content->wrapped[i], levels - 1);
        if (look_into(pickle, seen, inner)->holds_arrays)
            return inner;
    }
    return root;
}

/* The state dictionary inside @root, or @root itself. */
static VfiPickleRef unwrap(const VfiPickle *pickle, VfiPickleRef root)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(NULL, NULL, NULL, g_free);

    return unwrap_levels(pickle, seen, root, MAX_WRAPPERS);
}

bool vfi_torch_collect(const VfiPickle *pickle, uint64_t file_size,
                       VfiLocateStorage locate, void *user_data, VfiTensorList *list,
                       GError **error)
{
    Walk w = {
        .pickle = pickle,
        .list = list,
        .locate = locate,
        .locate_data = user_data,
        .file_size = file_size,
        /* Modules may share parts, but not without end. */
        .visits_left = 4096 + 2 * pickle->values.count,
    };

    return walk(&w, unwrap(pickle, pickle->result), error);
}
