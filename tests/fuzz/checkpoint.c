/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: any bytes as a checkpoint file. It is opened, every tensor is read and
 * found by its name. What begins as the structure of an ncnn model is that up to the first zero
 * byte, and the weights behind it. Run it with a folder that fuzz-checkpoint-seeds has filled.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vfi/checkpoint.h>

#include "alloc.h"
#include "checkpoint/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_values(const VfiTensorInfo *info)
{
    float *values = vfi_try_alloc(info->n_elements, sizeof *values, "a fuzzer", NULL);

    if (values == NULL)
        abort();
    vfi_tensor_read_f32(info, values);
    vfi_free(values);
}

static void read_tensor(const VfiCheckpoint *checkpoint, const VfiTensorInfo *info)
{
    if (vfi_checkpoint_find(checkpoint, info->name) != info)
        abort();
    read_values(info);
}

static void read_ncnn(VfiSpan param, VfiSpan weights)
{
    g_autoptr(GError) error = NULL;
    VfiTensorList list;

    vfi_tensor_list_init(&list);
    bool read = vfi_read_ncnn(param, weights, &list, &error) &&
                vfi_tensor_list_finish(&list, &error);
    if (read != (error == NULL))
        abort();
    for (size_t i = 0; read && i < list.infos.count; i++)
        read_values((const VfiTensorInfo *)list.infos.items + i);
    vfi_tensor_list_clear(&list);
}

static void read_file(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    char path[64];
    int fd = memfd_create("checkpoint", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    g_autoptr(VfiCheckpoint) checkpoint = vfi_checkpoint_open(path, &error);
    close(fd);
    if ((checkpoint == NULL) != (error != NULL))
        abort();
    for (size_t i = 0; checkpoint != NULL && i < vfi_checkpoint_n_tensors(checkpoint);
         i++)
        read_tensor(checkpoint, vfi_checkpoint_tensor(checkpoint, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char ncnn[] = "7767517";
    const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;

    if (zero == NULL || size < strlen(ncnn) || memcmp(data, ncnn, strlen(ncnn)) != 0) {
        read_file(data, size);
        return 0;
    }
    read_ncnn((VfiSpan){data, (size_t)(zero - data)},
              (VfiSpan){zero + 1, size - (size_t)(zero + 1 - data)});
    return 0;
}
