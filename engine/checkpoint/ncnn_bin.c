/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The .bin file: the weights of layer after layer. A layer's main weights have four bytes
 * before them that say how they are stored, and end at a multiple of four bytes; all
 * others are f32. */
#include "checkpoint/ncnn.h"

#include "checkpoint/tensor.h"

#define TAG_F32 0u
#define TAG_F32_SCALED 0x0002C056u /* stored as f32 all the same */
#define TAG_F16 0x01306B47u
#define TAG_INT8 0x000D4B38u

static bool take_bytes(VfiSpan file, size_t *position, size_t size, const char *what,
                       const VfiNcnnLayer *layer, VfiSpan *bytes, GError **error)
{
    if (!vfi_span_slice(file, *position, size, bytes))
        return vfi_corrupt(error,
                           "%s needs %zu bytes of %s from byte %zu on, but the file of "
                           "weights has %zu: it is truncated, or of another model",
                           vfi_ncnn_layer_name(layer).text, size, what, *position,
                           file.size);
    *position += size;
    return true;
}

static bool take_storage(VfiSpan file, size_t *position, VfiNcnnLayer *layer,
                         GError **error)
{
    VfiSpan flag;

    layer->dtype = VFI_DTYPE_F32;
    if (!layer->flagged)
        return true;
    if (!take_bytes(file, position, 4, "flags", layer, &flag, error))
        return false;
    switch (vfi_read_le32(flag.data)) {
    case TAG_F16:
        layer->dtype = VFI_DTYPE_F16;
        return true;
    case TAG_F32:
    case TAG_F32_SCALED:
        return true;
    case TAG_INT8:
        return vfi_unsupported(error,
                               "%s has int8 weights, which are not read; take the model "
                               "with f32 or f16 weights",
                               vfi_ncnn_layer_name(layer).text);
    default:
        return vfi_unsupported(error,
                               "%s: its weights are flagged 0x%08x, neither f32 nor f16: "
                               "they are quantised, or the file is of another model",
                               vfi_ncnn_layer_name(layer).text, vfi_read_le32(flag.data));
    }
}

/* How many main weights a layer has; its channels are bounded. */
static size_t count_weights(const VfiNcnnLayer *layer)
{
    if (layer->kind == VFI_NCNN_CONV)
        return (size_t)(layer->out * (layer->in / layer->groups) * 9);
    if (layer->kind == VFI_NCNN_DECONV)
        return (size_t)(layer->out * (layer->in / layer->groups) * 16);
    return (size_t)layer->out;
}

uint64_t vfi_ncnn_max_weight_bytes(const VfiGrowing *layers)
{
    const VfiNcnnLayer *items = layers->items;
    uint64_t bytes = 0;

    for (size_t i = 0; i < layers->count; i++) /* of each less than 2^31 */
        bytes += (count_weights(&items[i]) + (size_t)items[i].out + 1) * sizeof(float);
    return bytes;
}

static bool place_layer(VfiSpan file, size_t *position, VfiNcnnLayer *layer,
                        GError **error)
{
    bool has_bias = layer->kind == VFI_NCNN_CONV || layer->kind == VFI_NCNN_DECONV;
    VfiSpan padding;

    if (!take_storage(file, position, layer, error))
        return false;
    size_t size = count_weights(layer) * vfi_dtype_size(layer->dtype);
    return take_bytes(file, position, size, "weights", layer, &layer->weights, error) &&
           take_bytes(file, position, -size & 3, "padding", layer, &padding, error) &&
           (!has_bias || take_bytes(file, position, (size_t)layer->out * sizeof(float),
                                    "biases", layer, &layer->bias, error));
}

bool vfi_ncnn_place_weights(VfiSpan file, VfiGrowing *layers, GError **error)
{
    VfiNcnnLayer *items = layers->items;
    size_t position = 0;

    for (size_t i = 0; i < layers->count; i++)
        if (!place_layer(file, &position, &items[i], error))
            return false;
    return position == file.size ||
           vfi_corrupt(error,
                       "the file of weights has %zu bytes, but the layers need %zu: the "
                       "two files are not of one model",
                       file.size, position);
}
