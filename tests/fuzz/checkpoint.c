/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: any bytes as a checkpoint file. It is opened, every tensor is read
 * and found by its name. What begins as the structure of an ncnn model is that up to the
 * first zero byte, and the weights behind it. Run it with a folder that
 * fuzz-checkpoint-seeds has filled.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "checkpoint/read.h"
#include "checkpoint/readers.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As much as a fuzzer wants to read of one file. */
#define MAX_ELEMENTS ((size_t)1 << 24)

/* Of tensors in memory. */
static void read_values(const VfiTensorList *list, uint64_t file_size)
{
    const VfiTensorInfo *infos = list->infos.items;

    for (size_t i = 0; i < list->infos.count; i++) {
        g_autoptr(GError) error = NULL;
        size_t n = infos[i].n_elements;
        float *values =
            n > MAX_ELEMENTS ? NULL : vfi_try_alloc(n, sizeof *values, "", NULL);
        const VfiTensorRead one = {&infos[i], values};
        if (values != NULL && vfi_tensor_list_read(list, NULL, file_size, &one, 1,
                                                   &error) != (error == NULL))
            abort();
        vfi_free(values);
    }
}

static void read_ncnn(FuzzFile param_file, FuzzFile weights_file)
{
    g_autoptr(GError) error = NULL;
    VfiSource *param = vfi_source_open(param_file.path, NULL, NULL);
    VfiSource *weights = vfi_source_open(weights_file.path, NULL, NULL);
    VfiTensorList list;

    vfi_tensor_list_init(&list);
    if (param != NULL && weights != NULL) {
        bool read = vfi_read_ncnn(param, weights, &list, &error) &&
                    vfi_tensor_list_finish(&list, &error);
        if (read != (error == NULL))
            abort();
        if (read)
            read_values(&list, param->size + weights->size);
    }
    vfi_tensor_list_clear(&list);
    vfi_source_close(param);
    vfi_source_close(weights);
}

static void read_file(FuzzFile file)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiCheckpoint) checkpoint = vfi_checkpoint_open(file.path, &error);
    size_t n = checkpoint != NULL ? vfi_checkpoint_n_tensors(checkpoint) : 0;

    if ((checkpoint == NULL) != (error != NULL))
        abort();
    g_autofree VfiTensorRead *reads = g_new(VfiTensorRead, n);
    size_t elements = 0, wanted = 0;
    for (size_t i = 0; i < n; i++) {
        const VfiTensorInfo *tensor = vfi_checkpoint_tensor(checkpoint, i);
        if (vfi_checkpoint_find(checkpoint, tensor->name) != tensor)
            abort();
        if (tensor->n_elements > MAX_ELEMENTS - elements)
            continue;
        elements += tensor->n_elements;
        reads[wanted++] = (VfiTensorRead){tensor, NULL};
    }
    float *values = vfi_try_alloc(elements, sizeof *values, "", NULL);
    if (values == NULL)
        abort();
    for (size_t i = 0, at = 0; i < wanted; at += reads[i++].tensor->n_elements)
        reads[i].out = values + at;
    if (n > 0 &&
        vfi_checkpoint_read(checkpoint, reads, wanted, &error) != (error == NULL))
        abort();
    vfi_free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VfiSpan param, weights;

    if (!fuzz_is_ncnn((VfiSpan){data, size}, &param, &weights)) {
        FuzzFile file = fuzz_file_new((VfiSpan){data, size});
        read_file(file);
        fuzz_file_close(file);
        return 0;
    }
    FuzzFile structure = fuzz_file_new(param), values = fuzz_file_new(weights);
    read_ncnn(structure, values);
    fuzz_file_close(structure);
    fuzz_file_close(values);
    return 0;
}
