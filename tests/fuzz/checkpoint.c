/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: any bytes as a checkpoint file. It is opened, every tensor is read and
 * found by its name. Run it with a folder that fuzz-checkpoint-seeds has filled. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vfi/checkpoint.h>

#include "alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_tensor(const VfiCheckpoint *checkpoint, const VfiTensorInfo *info)
{
    float *values = vfi_try_alloc(info->n_elements, sizeof *values, "a fuzzer", NULL);

    if (values == NULL || vfi_checkpoint_find(checkpoint, info->name) != info)
        abort();
    vfi_tensor_read_f32(info, values);
    vfi_free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
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
    return 0;
}
