/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ncnn.h"

#include "readers.h"

#define MAX_WEIGHTED_LAYERS 4096

bool vfi_read_ncnn(VfiSpan param, VfiSpan weights, VfiTensorList *list, GError **error)
{
    VfiGrowing layers;

    vfi_growing_init(&layers, sizeof(VfiNcnnLayer), MAX_WEIGHTED_LAYERS,
                     "layers with weights");
    bool read = vfi_ncnn_read_param(param, &layers, error) &&
                vfi_ncnn_place_weights(weights, &layers, error) &&
                vfi_ncnn_add_rife(&layers, weights.size, list, error);
    vfi_growing_clear(&layers);
    return read;
}
