/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weights/weights.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

struct VfiWeights {
    /* Name (in the value) → VfiWeight, owned. Files choose the names, which could all
     * have one hash. */
    GTree *by_name;
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

static int compare_names(gconstpointer a, gconstpointer b, gpointer user_data)
{
    (void)user_data;
    return strcmp(a, b);
}

/* Adds @tensor to @weights with @data (NULL is allowed) for its values, which it takes
 * over. */
static VfiWeight *add_described(VfiWeights *weights, const VfiTensorInfo *tensor,
                                float *data)
{
    VfiWeight *weight = g_new0(VfiWeight, 1);
    weight->name = g_strdup(tensor->name);
    weight->n_dims = tensor->n_dims;
    for (int i = 0; i < tensor->n_dims; i++)
        weight->shape[i] = tensor->shape[i];
    weight->n_elements = tensor->n_elements;
    weight->data = data;
    g_tree_insert(weights->by_name, (char *)weight->name, weight);
    weights->n_parameters += weight->n_elements;
    return weight;
}

/* Adds @tensor to @weights with memory for its values. */
static VfiWeight *add_tensor(VfiWeights *weights, const VfiTensorInfo *tensor,
                             GError **error)
{
    float *data = vfi_try_alloc(tensor->n_elements, sizeof(float), tensor->name, error);

    return data == NULL ? NULL : add_described(weights, tensor, data);
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

/* Adds the tensors that are wanted and fills @reads with them; *n: how many. */
static bool add_tensors(VfiWeights *weights, const VfiCheckpoint *checkpoint,
                        VfiWeightFilter wanted, void *user_data, VfiTensorRead *reads,
                        size_t *n, GError **error)
{
    *n = 0;
    for (size_t i = 0; i < vfi_checkpoint_n_tensors(checkpoint); i++) {
        const VfiTensorInfo *tensor = vfi_checkpoint_tensor(checkpoint, i);

        if (wanted != NULL && !wanted(tensor->name, user_data))
            continue;
        const VfiWeight *weight = add_tensor(weights, tensor, error);
        if (weight == NULL)
            return false;
        reads[(*n)++] = (VfiTensorRead){tensor, (float *)weight->data};
    }
    return true;
}

static VfiWeights *weights_new(void)
{
    VfiWeights *weights = g_new0(VfiWeights, 1);

    weights->packed = vfi_packed_weights_new();
    weights->by_name = g_tree_new_full(compare_names, NULL, NULL, weight_free);
    return weights;
}

VfiWeights *vfi_weights_describe(const VfiCheckpoint *checkpoint, VfiWeightFilter wanted,
                                 void *user_data)
{
    VfiWeights *weights = weights_new();

    for (size_t i = 0; i < vfi_checkpoint_n_tensors(checkpoint); i++) {
        const VfiTensorInfo *tensor = vfi_checkpoint_tensor(checkpoint, i);
        if (wanted == NULL || wanted(tensor->name, user_data))
            add_described(weights, tensor, NULL);
    }
    return weights;
}

/* All bits of the exponent are set in what is not finite. No early end, so that it
 * vectorises. */
static bool all_finite(const float *data, size_t n)
{
    const uint32_t exponent = 0x7f800000;
    uint32_t found = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &data[i], sizeof bits);
        found |= (bits & exponent) == exponent;
    }
    return found == 0;
}

static gboolean stop_at_nonfinite(gpointer name, gpointer value, gpointer found)
{
    const VfiWeight *weight = value;

    if (all_finite(weight->data, weight->n_elements))
        return FALSE;
    *(const char **)found = name;
    return TRUE;
}

const char *vfi_weights_find_nonfinite(const VfiWeights *weights)
{
    const char *found = NULL;

    g_tree_foreach(weights->by_name, stop_at_nonfinite, &found);
    return found;
}

size_t vfi_weights_count(const VfiWeights *weights)
{
    return (size_t)g_tree_nnodes(weights->by_name);
}

VfiWeights *vfi_weights_load(const VfiCheckpoint *checkpoint, VfiWeightFilter wanted,
                             void *user_data, GError **error)
{
    VfiWeights *weights = weights_new();
    size_t n;

    VfiTensorRead *reads = vfi_try_alloc(vfi_checkpoint_n_tensors(checkpoint),
                                         sizeof *reads, "a list of weights", error);
    bool loaded = reads != NULL &&
                  add_tensors(weights, checkpoint, wanted, user_data, reads, &n, error) &&
                  vfi_checkpoint_read(checkpoint, reads, n, error);
    vfi_free(reads);
    if (!loaded)
        g_clear_pointer(&weights, vfi_weights_free);
    return weights;
}

static gboolean append_weight(gpointer name, gpointer weight, gpointer all)
{
    (void)name;
    g_ptr_array_add(all, weight);
    return FALSE;
}

/* The weights, which stay where they are. */
static GPtrArray *list_all(const VfiWeights *weights)
{
    GPtrArray *all = g_ptr_array_new();

    g_tree_foreach(weights->by_name, append_weight, all);
    return all;
}

void vfi_weights_rename(VfiWeights *weights, char *(*rename)(const char *name))
{
    g_autoptr(GPtrArray) all = list_all(weights);

    for (guint i = 0; i < all->len; i++) {
        VfiWeight *weight = g_ptr_array_index(all, i);
        char *name = rename(weight->name);
        if (name == NULL)
            continue;
        if (g_tree_lookup(weights->by_name, name) != NULL) {
            weights->n_parameters -= weight->n_elements;
            g_tree_remove(weights->by_name, weight->name);
            g_free(name);
            continue;
        }
        g_tree_steal(weights->by_name, weight->name);
        g_free((char *)weight->name);
        weight->name = name;
        g_tree_insert(weights->by_name, name, weight);
    }
}

/* P.@conv.@suffix for the tensor P.@scale. */
static VfiWeight *find_sibling(const VfiWeights *weights, const VfiWeight *scale,
                               size_t prefix_length, const char *conv, const char *suffix)
{
    g_autofree char *name =
        g_strdup_printf("%.*s.%s.%s", (int)prefix_length, scale->name, conv, suffix);

    return g_tree_lookup(weights->by_name, name);
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
    return weight != NULL && weight->data != NULL && weight->n_dims > 0 &&
           weight->n_elements > 0 && weight->shape[0] == (int64_t)scale->n_elements;
}

void vfi_weights_fold_scale(VfiWeights *weights, const char *scale, const char *conv)
{
    g_autofree char *suffix = g_strdup_printf(".%s", scale);
    g_autoptr(GPtrArray) all = list_all(weights);

    for (guint i = 0; i < all->len; i++) {
        const VfiWeight *factors = g_ptr_array_index(all, i);
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

/* The parts of a batch normalisation and the convolution before it, all with as many
 * channels; false where there are not. */
typedef struct {
    VfiWeight *conv_weight, *conv_bias;
    const VfiWeight *weight, *bias, *mean, *variance;
} FoldedNorm;

static bool find_norm(const VfiWeights *weights, const VfiWeight *variance,
                      FoldedNorm *norm)
{
    size_t length = strlen(variance->name) - strlen(".running_var");
    g_autofree char *layer = g_strndup(variance->name, length);
    char *dot = strrchr(layer, '.'), *end = NULL;
    guint64 index = dot == NULL ? 0 : g_ascii_strtoull(dot + 1, &end, 10);

    if (index == 0 || *end != '\0')
        return false;
    g_autofree char *conv = g_strdup_printf("%" G_GUINT64_FORMAT, index - 1);
    g_autofree char *same = g_strdup(dot + 1);
    size_t prefix = (size_t)(dot - layer);
    *norm = (FoldedNorm){
        .conv_weight = find_sibling(weights, variance, prefix, conv, "weight"),
        .conv_bias = find_sibling(weights, variance, prefix, conv, "bias"),
        .weight = find_sibling(weights, variance, prefix, same, "weight"),
        .bias = find_sibling(weights, variance, prefix, same, "bias"),
        .mean = find_sibling(weights, variance, prefix, same, "running_mean"),
        .variance = variance,
    };
    return has_channels(norm->conv_weight, variance) &&
           has_channels(norm->conv_bias, variance) &&
           has_channels(norm->weight, variance) && has_channels(norm->bias, variance) &&
           has_channels(norm->mean, variance);
}

static void fold_norm(const FoldedNorm *norm, double epsilon)
{
    size_t channels = norm->variance->n_elements;
    size_t per_channel = norm->conv_weight->n_elements / channels;
    float *weight = (float *)norm->conv_weight->data;
    float *bias = (float *)norm->conv_bias->data;

    for (size_t c = 0; c < channels; c++) {
        double factor = (double)norm->weight->data[c] /
                        sqrt((double)norm->variance->data[c] + epsilon);
        for (size_t i = 0; i < per_channel; i++)
            weight[c * per_channel + i] =
                (float)((double)weight[c * per_channel + i] * factor);
        bias[c] = (float)(((double)bias[c] - (double)norm->mean->data[c]) * factor +
                          (double)norm->bias->data[c]);
    }
}

void vfi_weights_fold_batch_norm(VfiWeights *weights, double epsilon)
{
    g_autoptr(GPtrArray) all = list_all(weights);
    FoldedNorm norm;

    for (guint i = 0; i < all->len; i++) {
        const VfiWeight *variance = g_ptr_array_index(all, i);
        if (g_str_has_suffix(variance->name, ".running_var") &&
            find_norm(weights, variance, &norm))
            fold_norm(&norm, epsilon);
    }
}

void vfi_weights_free(VfiWeights *weights)
{
    if (weights == NULL)
        return;
    vfi_packed_weights_free(weights->packed);
    g_tree_unref(weights->by_name);
    g_free(weights);
}

const VfiWeight *vfi_weights_find(const VfiWeights *weights, const char *name)
{
    return g_tree_lookup(weights->by_name, name);
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
