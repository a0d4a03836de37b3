/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens a checkpoint file: tells the containers apart by their first bytes, lets the
 * container's reader list the tensors, and keeps file and list together. */
#include "checkpoint/open.h"

#include <vfi/error.h>

#include "base/printable.h"
#include "checkpoint/foreign.h"
#include "checkpoint/ncnn.h"
#include "checkpoint/read.h"
#include "checkpoint/readers.h"
#include "checkpoint/tensor.h"
#include "checkpoint/tensor_list.h"

struct VfiCheckpoint {
    gatomicrefcount references;
    char *path;
    VfiReadHooks hooks;
    VfiSource *source;  /* of the tensors' values; NULL: they are in memory */
    uint64_t file_size; /* of all files together */
    VfiContainer container;
    VfiTensorList list;
};

/* Bytes at a file's beginning that tell what it is. */
#define HEAD_SIZE 1024

static bool begins_with(VfiSpan file, const char *bytes, size_t size)
{
    return file.size >= size && memcmp(file.data, bytes, size) == 0;
}

static bool read_container(VfiCheckpoint *checkpoint, VfiSpan head, GError **error)
{
    const VfiSource *file = checkpoint->source;

    if (begins_with(head, "PK\3\4", 4) || begins_with(head, "PK\5\6", 4))
        return vfi_read_torch_zip(file, &checkpoint->list, &checkpoint->container, error);
    if (begins_with(head, "\x80", 1) && !(head.size > 8 && head.data[8] == '{')) {
        checkpoint->container = VFI_CONTAINER_TORCH_LEGACY;
        return vfi_read_torch_legacy(file, &checkpoint->list, error);
    }
    if (head.size > 8 && head.data[8] == '{') {
        checkpoint->container = VFI_CONTAINER_SAFETENSORS;
        return vfi_read_safetensors(file, &checkpoint->list, error);
    }
    return vfi_refuse_foreign(file, head, checkpoint->path, error);
}

/* @path with @extension in place of the one that it ends with. */
static char *with_extension(const char *path, const char *extension)
{
    return g_strdup_printf("%.*s%s", (int)(strrchr(path, '.') - path), path, extension);
}

/* The .param file of the ncnn model that @path is a part or the folder of; NULL: it is
 * none. */
static char *ncnn_param_of(const char *path)
{
    g_autofree char *param = NULL;

    if (g_str_has_suffix(path, ".param"))
        return g_strdup(path);
    if (g_str_has_suffix(path, ".bin"))
        param = with_extension(path, ".param");
    else if (g_file_test(path, G_FILE_TEST_IS_DIR))
        param = g_build_filename(path, "flownet.param", NULL);
    return param != NULL && g_file_test(param, G_FILE_TEST_IS_REGULAR)
               ? g_steal_pointer(&param)
               : NULL;
}

/* Reads the first bytes of @file into @bytes. */
static bool read_head(const VfiSource *file, uint8_t bytes[HEAD_SIZE], VfiSpan *head,
                      GError **error)
{
    *head = (VfiSpan){bytes, (size_t)MIN(file->size, HEAD_SIZE)};
    return vfi_source_read(file, 0, bytes, head->size, error);
}

/* In place of a pair of ncnn files there may be Git LFS pointers or web pages: then
 * *error says that of the first that is one. */
static bool name_stand_in(const VfiSource *file, const char *path, GError **error)
{
    uint8_t bytes[HEAD_SIZE];
    VfiSpan head;

    if (!read_head(file, bytes, &head, NULL) ||
        !vfi_is_stand_in(head, head.size == file->size))
        return false;
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *shown = vfi_printable(name);
    g_clear_error(error);
    vfi_refuse_foreign(file, head, path, error);
    g_prefix_error(error, "%s: ", shown);
    return true;
}

/* Prefixes *error with the kind of a model that is not read, by the names of its
 * files. */
static void name_other(const char *param, GError **error)
{
    const char *other = vfi_ncnn_other_by_path(param);

    if (other != NULL && !g_str_has_prefix((*error)->message, other) &&
        (g_error_matches(*error, VFI_ERROR, VFI_ERROR_UNSUPPORTED) ||
         g_error_matches(*error, VFI_ERROR, VFI_ERROR_CORRUPT)))
        g_prefix_error(error, "%s: ", other);
}

/* Both files are read as a whole, and closed again. *error is always set where reading
 * fails. */
static bool read_ncnn(VfiCheckpoint *checkpoint, const char *param, GError **error)
{
    g_autofree char *weights = with_extension(param, ".bin");
    VfiSource *structure = vfi_source_open(param, &checkpoint->hooks, error);
    VfiSource *values = NULL;
    bool read = false;

    checkpoint->container = VFI_CONTAINER_NCNN;
    if (structure == NULL)
        return false;
    values = vfi_source_open(weights, &checkpoint->hooks, error);
    if (values == NULL) {
        g_autofree char *shown = vfi_printable(weights);
        g_prefix_error(error, "the weights of an ncnn model, %s: ", shown);
        goto out;
    }
    checkpoint->file_size = structure->size + values->size;
    read = vfi_read_ncnn(structure, values, &checkpoint->list, error);
    if (!read && !name_stand_in(structure, param, error) &&
        !name_stand_in(values, weights, error))
        name_other(param, error);
    read = vfi_source_verify(structure, read, error);
    read = vfi_source_verify(values, read, error);

out:
    vfi_source_close(structure);
    vfi_source_close(values);
    return read;
}

static bool read_single(VfiCheckpoint *checkpoint, GError **error)
{
    uint8_t bytes[HEAD_SIZE];
    VfiSpan head;

    checkpoint->source = vfi_source_open(checkpoint->path, &checkpoint->hooks, error);
    if (checkpoint->source == NULL)
        return false;
    checkpoint->file_size = checkpoint->source->size;
    bool read = read_head(checkpoint->source, bytes, &head, error) &&
                read_container(checkpoint, head, error);
    return vfi_source_verify(checkpoint->source, read, error);
}

static bool read_file(VfiCheckpoint *checkpoint, GError **error)
{
    g_autofree char *param = ncnn_param_of(checkpoint->path);

    if (!(param != NULL ? read_ncnn(checkpoint, param, error)
                        : read_single(checkpoint, error)))
        return false;
    if (checkpoint->list.infos.count == 0)
        return vfi_unsupported(error, "the file holds no tensors");
    return vfi_tensor_list_finish(&checkpoint->list, error);
}

static void prefix_path(const VfiCheckpoint *checkpoint, GError **error)
{
    g_autofree char *shown = vfi_printable(checkpoint->path);

    g_prefix_error(error, "%s: ", shown);
}

VfiCheckpoint *vfi_checkpoint_open_with(const char *path, const VfiReadHooks *hooks,
                                        GError **error)
{
    g_autoptr(GError) reason = NULL;
    VfiCheckpoint *checkpoint = g_new0(VfiCheckpoint, 1);
    g_atomic_ref_count_init(&checkpoint->references);
    checkpoint->path = g_strdup(path);
    if (hooks != NULL)
        checkpoint->hooks = *hooks;
    vfi_tensor_list_init(&checkpoint->list);
    if (read_file(checkpoint, &reason))
        return checkpoint;
    prefix_path(checkpoint, &reason);
    g_propagate_error(error, g_steal_pointer(&reason));
    vfi_checkpoint_unref(checkpoint);
    return NULL;
}

VfiCheckpoint *vfi_checkpoint_ref(VfiCheckpoint *checkpoint)
{
    g_atomic_int_inc(&checkpoint->references);
    return checkpoint;
}

void vfi_checkpoint_unref(VfiCheckpoint *checkpoint)
{
    if (checkpoint == NULL || !g_atomic_int_dec_and_test(&checkpoint->references))
        return;
    vfi_tensor_list_clear(&checkpoint->list);
    vfi_source_close(checkpoint->source);
    g_free(checkpoint->path);
    g_free(checkpoint);
}

const char *vfi_checkpoint_path(const VfiCheckpoint *checkpoint)
{
    return checkpoint->path;
}

VfiContainer vfi_checkpoint_container(const VfiCheckpoint *checkpoint)
{
    return checkpoint->container;
}

const char *vfi_container_to_string(VfiContainer container)
{
    static const char *const names[] = {
        [VFI_CONTAINER_TORCH_ZIP] = "torch zip",
        [VFI_CONTAINER_TORCH_LEGACY] = "torch legacy",
        [VFI_CONTAINER_TORCHSCRIPT] = "TorchScript",
        [VFI_CONTAINER_SAFETENSORS] = "safetensors",
        [VFI_CONTAINER_NCNN] = "ncnn",
    };

    return (size_t)container < G_N_ELEMENTS(names) ? names[container] : "unknown";
}

size_t vfi_checkpoint_n_tensors(const VfiCheckpoint *checkpoint)
{
    return checkpoint->list.infos.count;
}

const VfiTensorInfo *vfi_checkpoint_tensor(const VfiCheckpoint *checkpoint, size_t index)
{
    g_return_val_if_fail(index < checkpoint->list.infos.count, NULL);

    return (const VfiTensorInfo *)checkpoint->list.infos.items + index;
}

const VfiTensorInfo *vfi_checkpoint_find(const VfiCheckpoint *checkpoint,
                                         const char *name)
{
    VfiSpan wanted = {(const uint8_t *)name, strlen(name)};
    size_t found = vfi_name_index_find(&checkpoint->list.index, wanted);

    return found == SIZE_MAX
               ? NULL
               : (const VfiTensorInfo *)checkpoint->list.infos.items + found;
}

gboolean vfi_checkpoint_read(const VfiCheckpoint *checkpoint, const VfiTensorRead *reads,
                             size_t n, GError **error)
{
    g_autoptr(GError) reason = NULL;
    bool read = vfi_tensor_list_read(&checkpoint->list, checkpoint->source,
                                     checkpoint->file_size, reads, n, &reason);

    if (checkpoint->source != NULL)
        read = vfi_source_verify(checkpoint->source, read, &reason);
    if (read)
        return TRUE;
    prefix_path(checkpoint, &reason);
    g_propagate_error(error, g_steal_pointer(&reason));
    return FALSE;
}

gboolean vfi_checkpoint_read_f32(const VfiCheckpoint *checkpoint,
                                 const VfiTensorInfo *tensor, float *out, GError **error)
{
    const VfiTensorRead one = {tensor, out};

    return vfi_checkpoint_read(checkpoint, &one, 1, error);
}
