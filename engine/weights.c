/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weights.h"

#include <string.h>

#include "alloc.h"

struct VfiWeights {
    GHashTable *by_name; /* name (in the value) → VfiWeight, owned */
    size_t n_parameters;
    VfiPackedWeights *packed;
};

static void weight_free(void *data)
{
    VfiWeight *weight = data;

    g_free((char *)weight->name);
    vfi_free((float *)weight->data);
    g_free(weight);
}

/* Converts one tensor and adds it to @weights. */
static bool load_tensor(VfiWeights *weights, const VfiTensorInfo *tensor, GError **error)
{
    float *data = vfi_try_alloc(tensor->n_elements, sizeof(float), tensor->name, error);
    if (data == NULL)
        return false;
    vfi_tensor_read_f32(tensor, data);

    VfiWeight *weight = g_new0(VfiWeight, 1);
    weight->name = g_strdup(tensor->name);
    weight->n_dims = tensor->n_dims;
    for (int i = 0; i < tensor->n_dims; i++)
        weight->shape[i] = tensor->shape[i];
    weight->n_elements = tensor->n_elements;
    weight->data = data;
    g_hash_table_insert(weights->by_name, (char *)weight->name, weight);
    weights->n_parameters += weight->n_elements;
    return true;
}

uint64_t vfi_weights_need(const VfiCheckpoint *checkpoint, VfiWeightFilter wanted,
                          void *user_data)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < vfi_checkpoint_n_tensors(checkpoint); i++) {
        const VfiTensorInfo *tensor = vfi_checkpoint_tensor(checkpoint, i);
        size_t more;
        if (wanted != NULL && !wanted(tensor->name, user_data))
            continue;
        if (!vfi_size_mul(tensor->n_elements, sizeof(float), &more) ||
            __builtin_add_overflow(bytes, more, &bytes))
            return UINT64_MAX;
    }
    return bytes;
}

VfiWeights *vfi_weights_load(const VfiCheckpoint *checkpoint, VfiWeightFilter wanted,
                             void *user_data, GError **error)
{
    VfiWeights *weights = g_new0(VfiWeights, 1);

    weights->packed = vfi_packed_weights_new();
    weights->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, weight_free);
    for (size_t i = 0; i < vfi_checkpoint_n_tensors(checkpoint); i++) {
        const VfiTensorInfo *tensor = vfi_checkpoint_tensor(checkpoint, i);

        if (wanted != NULL && !wanted(tensor->name, user_data))
            continue;
        if (!load_tensor(weights, tensor, error)) {
            vfi_weights_free(weights);
            return NULL;
        }
    }
    return weights;
}

void vfi_weights_rename(VfiWeights *weights, char *(*rename)(const char *name))
{
    g_autoptr(GList) names = g_hash_table_get_keys(weights->by_name);

    for (GList *link = names; link != NULL; link = link->next) {
        char *name = rename(link->data);
        if (name == NULL)
            continue;
        VfiWeight *weight = g_hash_table_lookup(weights->by_name, link->data);
        if (g_hash_table_contains(weights->by_name, name)) {
            weights->n_parameters -= weight->n_elements;
            g_hash_table_remove(weights->by_name, link->data);
            g_free(name);
            continue;
        }
        g_hash_table_steal(weights->by_name, link->data);
        g_free((char *)weight->name);
        weight->name = name;
        g_hash_table_insert(weights->by_name, name, weight);
    }
}

/* P.@conv.@suffix for the tensor P.@scale. */
static VfiWeight *find_sibling(const VfiWeights *weights, const VfiWeight *scale,
                               size_t prefix_length, const char *conv, const char *suffix)
{
    g_autofree char *name =
        g_strdup_printf("%.*s.%s.%s", (int)prefix_length, scale->name, conv, suffix);

    return g_hash_table_lookup(weights->by_name, name);
}

/* Multiplies each of scale's channels of @weight; they are its first dimension. */
static void multiply_channels(VfiWeight *weight, const VfiWeight *scale)
{
    float *data = (float *)weight->data;
    size_t per_channel = weight->n_elements / scale->n_elements;

    for (size_t c = 0; c < scale->n_elements; c++)
        for (size_t i = 0; i < per_channel; i++)
            *data++ *= scale->data[c];
}

static bool has_channels(const VfiWeight *weight, const VfiWeight *scale)
{
    return weight != NULL && weight->n_dims > 0 && weight->n_elements > 0 &&
           weight->shape[0] == (int64_t)scale->n_elements;
}

void vfi_weights_fold_scale(VfiWeights *weights, const char *scale, const char *conv)
{
    g_autofree char *suffix = g_strdup_printf(".%s", scale);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, weights->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const VfiWeight *factors = value;
        if (!g_str_has_suffix(factors->name, suffix))
            continue;
        size_t prefix = strlen(factors->name) - strlen(suffix);
        VfiWeight *weight = find_sibling(weights, factors, prefix, conv, "weight");
        VfiWeight *bias = find_sibling(weights, factors, prefix, conv, "bias");
        if (!has_channels(weight, factors) || !has_channels(bias, factors))
            continue;
        multiply_channels(weight, factors);
        multiply_channels(bias, factors);
    }
}

void vfi_weights_free(VfiWeights *weights)
{
    if (weights == NULL)
        return;
    vfi_packed_weights_free(weights->packed);
    g_hash_table_unref(weights->by_name);
    g_free(weights);
}

const VfiWeight *vfi_weights_find(const VfiWeights *weights, const char *name)
{
    return g_hash_table_lookup(weights->by_name, name);
}

VfiPackedWeights *vfi_weights_packed(const VfiWeights *weights)
{
    return weights->packed;
}

size_t vfi_weights_n_parameters(const VfiWeights *weights)
{
    return weights->n_parameters;
}

size_t vfi_weights_bytes(const VfiWeights *weights)
{
    return weights->n_parameters * sizeof(float);
}

char *vfi_shape_to_string(const int64_t *shape, int n_dims)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < n_dims; i++)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i == 0 ? "" : "x", shape[i]);
    if (n_dims == 0)
        g_string_append(text, "scalar");
    return g_string_free(text, FALSE);
}
