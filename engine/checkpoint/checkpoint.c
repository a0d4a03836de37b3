/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens a checkpoint file: maps it, tells the containers apart by their first bytes, lets
 * the container's reader list the tensors, and keeps mapping and list together. */
#include <vfi/checkpoint.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vfi/error.h>

#include "printable.h"
#include "readers.h"
#include "tensor.h"
#include "tensor_list.h"

struct VfiCheckpoint {
    gatomicrefcount references;
    char *path;
    GMappedFile *mapping;
    GMappedFile *weights; /* ncnn: the file beside the one in .mapping */
    VfiContainer container;
    VfiTensorList list;
};

static bool io_error(GError **error, int code, const char *action)
{
    g_set_error(error, VFI_ERROR,
                code == ENOENT || code == ENOTDIR ? VFI_ERROR_NOT_FOUND : VFI_ERROR_IO,
                "cannot %s: %s", action, g_strerror(code));
    return false;
}

/* Checks that @fd is a file that can be mapped: a FIFO would block, a directory has no
 * bytes. */
static bool check_file(int fd, GError **error)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return io_error(error, errno, "examine it");
    if (S_ISDIR(status.st_mode)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_IO,
                    "expected a checkpoint file, found a directory");
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_IO,
                    "expected a regular file, found a device, pipe or socket");
        return false;
    }
    return status.st_size > 0 ||
           vfi_corrupt(error, "the file is empty; copy or download it again");
}

static GMappedFile *map_file(const char *path, GError **error)
{
    g_autoptr(GError) reason = NULL;
    GMappedFile *mapping = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        io_error(error, errno, "open the checkpoint");
        return NULL;
    }
    if (check_file(fd, error)) {
        mapping = g_mapped_file_new_from_fd(fd, FALSE, &reason); /* read-only, private */
        if (mapping == NULL)
            g_set_error(error, VFI_ERROR, VFI_ERROR_IO, "cannot map it: %s",
                        reason->message);
    }
    close(fd);
    return mapping;
}

static bool begins_with(VfiSpan file, const char *bytes, size_t size)
{
    return file.size >= size && memcmp(file.data, bytes, size) == 0;
}

/* A file of no known container: says what it looks like. */
static bool refuse(VfiSpan file, GError **error)
{
    static const char lfs[] = "version https://git-lfs";
    VfiSpan start = {file.data, MIN(file.size, 16)};

    if (begins_with(file, lfs, strlen(lfs)))
        return vfi_unsupported(error,
                               "it is a Git LFS pointer, not the file itself; run git "
                               "lfs pull, or download the file");
    if (begins_with(file, "<", 1))
        return vfi_unsupported(error,
                               "it is a web page, not a checkpoint; download the file "
                               "itself");
    if (begins_with(file, "\xdd\x85\x76\0", 4))
        return vfi_unsupported(error,
                               "it is the structure of an ncnn model in its binary form; "
                               "take the text (.param)");
    if (file.size > 262 && memcmp(file.data + 257, "ustar", 5) == 0)
        return vfi_unsupported(error,
                               "it is a tar archive, as torch before 0.1.10 wrote; "
                               "save it again with a newer torch");
    return vfi_unsupported(
        error,
        "it begins with \"%s\", which is none of torch zip, torch legacy, "
        "TorchScript, safetensors and an ncnn model's .param with a .bin beside it",
        vfi_quote(start).text);
}

static bool read_container(VfiCheckpoint *checkpoint, VfiSpan file, GError **error)
{
    if (begins_with(file, "PK\3\4", 4) || begins_with(file, "PK\5\6", 4))
        return vfi_read_torch_zip(file, &checkpoint->list, &checkpoint->container, error);
    if (begins_with(file, "\x80", 1) && !(file.size > 8 && file.data[8] == '{')) {
        checkpoint->container = VFI_CONTAINER_TORCH_LEGACY;
        return vfi_read_torch_legacy(file, &checkpoint->list, error);
    }
    if (file.size > 8 && file.data[8] == '{') {
        checkpoint->container = VFI_CONTAINER_SAFETENSORS;
        return vfi_read_safetensors(file, &checkpoint->list, error);
    }
    return refuse(file, error);
}

static VfiSpan span_of(GMappedFile *mapping)
{
    return (VfiSpan){(const uint8_t *)g_mapped_file_get_contents(mapping),
                     g_mapped_file_get_length(mapping)};
}

/* @path with @extension in place of the one that it ends with. */
static char *with_extension(const char *path, const char *extension)
{
    return g_strdup_printf("%.*s%s", (int)(strrchr(path, '.') - path), path, extension);
}

/* The .param file of the ncnn model that @path is a part or the folder of; NULL: it is none. */
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

static bool read_ncnn(VfiCheckpoint *checkpoint, const char *param, GError **error)
{
    g_autofree char *weights = with_extension(param, ".bin");

    checkpoint->container = VFI_CONTAINER_NCNN;
    checkpoint->mapping = map_file(param, error);
    if (checkpoint->mapping == NULL)
        return false;
    checkpoint->weights = map_file(weights, error);
    if (checkpoint->weights == NULL) {
        g_autofree char *shown = vfi_printable(weights);
        g_prefix_error(error, "the weights of an ncnn model, %s: ", shown);
        return false;
    }
    return vfi_read_ncnn(span_of(checkpoint->mapping), span_of(checkpoint->weights),
                         &checkpoint->list, error);
}

static bool read_single(VfiCheckpoint *checkpoint, GError **error)
{
    checkpoint->mapping = map_file(checkpoint->path, error);
    if (checkpoint->mapping == NULL)
        return false;
    VfiSpan file = span_of(checkpoint->mapping);
    if (file.size == 0) /* shrank since it was examined */
        return vfi_corrupt(error, "the file is empty");
    return read_container(checkpoint, file, error);
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

VfiCheckpoint *vfi_checkpoint_open(const char *path, GError **error)
{
    g_return_val_if_fail(path != NULL, NULL);

    VfiCheckpoint *checkpoint = g_new0(VfiCheckpoint, 1);
    g_atomic_ref_count_init(&checkpoint->references);
    checkpoint->path = g_strdup(path);
    vfi_tensor_list_init(&checkpoint->list);
    if (read_file(checkpoint, error))
        return checkpoint;
    g_autofree char *shown = vfi_printable(path);
    g_prefix_error(error, "%s: ", shown);
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
    g_clear_pointer(&checkpoint->mapping, g_mapped_file_unref);
    g_clear_pointer(&checkpoint->weights, g_mapped_file_unref);
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
