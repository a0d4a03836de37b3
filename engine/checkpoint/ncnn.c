/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint/ncnn.h"

#include <vfi/error.h>

#include "base/alloc.h"
#include "checkpoint/readers.h"

#define MAX_WEIGHTED_LAYERS 4096

/* Far beyond the text of any network of RIFE. */
#define MAX_PARAM ((uint64_t)8 << 20)

/* Gives @layers their weights, which @list owns from now on. */
static bool read_weights(const VfiSource *file, VfiGrowing *layers, VfiTensorList *list,
                         GError **error)
{
    uint64_t most = vfi_ncnn_max_weight_bytes(layers);

    if (file->size > most)
        return vfi_corrupt(error,
                           "the file of weights has %" G_GUINT64_FORMAT
                           " bytes, but the layers need %" G_GUINT64_FORMAT
                           " at most: the two files are not of one model",
                           file->size, most);
    list->memory = vfi_source_load(file, 0, file->size, "an ncnn model's weights", error);
    return list->memory != NULL &&
           vfi_ncnn_place_weights((VfiSpan){list->memory, (size_t)file->size}, layers,
                                  error);
}

bool vfi_read_ncnn(const VfiSource *param, const VfiSource *weights, VfiTensorList *list,
                   GError **error)
{
    VfiGrowing layers;

    if (param->size > MAX_PARAM)
        return vfi_unsupported(error,
                               "the structure of an ncnn model has some ten thousand "
                               "bytes, this one has %" G_GUINT64_FORMAT,
                               param->size);
    void *text =
        vfi_source_load(param, 0, param->size, "an ncnn model's structure", error);
    if (text == NULL)
        return false;
    vfi_growing_init(&layers, sizeof(VfiNcnnLayer), MAX_WEIGHTED_LAYERS,
                     "layers with weights");
    bool read =
        vfi_ncnn_read_param((VfiSpan){text, (size_t)param->size}, &layers, error) &&
        read_weights(weights, &layers, list, error) &&
        vfi_ncnn_add_rife(&layers, weights->size, list, error);
    const char *other =
        read ? NULL
             : vfi_ncnn_other_by_layers((VfiSpan){text, (size_t)param->size}, &layers);
    if (other != NULL && error != NULL &&
        g_error_matches(*error, VFI_ERROR, VFI_ERROR_UNSUPPORTED))
        g_prefix_error(error, "%s: ", other);
    vfi_growing_clear(&layers);
    vfi_free(text);
    return read;
}
