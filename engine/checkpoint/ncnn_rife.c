/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers of an ncnn model → RIFE's state dict. All networks from 3.9 to 4.26 are of one
 * form:
 *
 *   encoder (from 4.7 on), twice with the same weights, once for each frame:
 *       4.7 – 4.9: 3 → w, w → h transposed
 *       later: 3 → w, w → w, w → w, w → h transposed
 *   blocks: in → c/2, c/2 → c, eight times c → c, c → last transposed
 *
 * where convolutions are followed by PReLU up to 4.1 (last 5), by leaky ReLU in 4.2 to
 * 4.4 (last 5), and are residual layers with a beta later (last 20, 24 or 52). Which
 * constant is a layer's beta is said by the graph, or else by their order; where there
 * are none (4.6), betas are part of the weights, and 1. Channels say which network it is.
 *
 * The layers of a block stand one after the other, because each needs the one before. The
 * two encoders do not need each other: files have them one after the other or
 * interleaved. */
#include "checkpoint/ncnn.h"

#include "checkpoint/tensor.h"

#define MAX_BLOCKS 8
#define N_BODY 8

/* Channels of the last layer. */
#define LAST_PLAIN 5
#define LAST_FEATURES 52 /* hands 8 channels of features to the next block */

static const float one = 1.0f;

typedef struct {
    const VfiNcnnLayer *layers;
    size_t n_layers;
    size_t next;      /* layer that is not a constant */
    size_t next_beta; /* layer that is; where the graph does not say whose */
    size_t n_linked;  /* convolutions whose beta the graph says */
    uint64_t file_size;
    VfiTensorList *list;
} Walk;

/* Shape of a block. */
typedef struct {
    int number;
    int64_t in, in_other; /* input channels, one or the other */
    int64_t last;
    bool has_slopes, is_residual, has_betas;
} Block;

static const VfiNcnnLayer *skip_to(const Walk *walk, size_t *index, bool is_constant)
{
    while (*index < walk->n_layers &&
           (walk->layers[*index].kind == VFI_NCNN_MEMORY) != is_constant)
        ++*index;
    return *index < walk->n_layers ? &walk->layers[*index] : NULL;
}

/* The layer after @ahead others; constants do not count. NULL: there is none. */
static const VfiNcnnLayer *peek(const Walk *walk, size_t ahead)
{
    size_t index = walk->next;
    const VfiNcnnLayer *layer = skip_to(walk, &index, false);

    while (layer != NULL && ahead-- > 0) {
        index++;
        layer = skip_to(walk, &index, false);
    }
    return layer;
}

static const char *kind_to_string(VfiNcnnKind kind)
{
    static const char *const names[] = {
        [VFI_NCNN_CONV] = "convolution",
        [VFI_NCNN_DECONV] = "transposed convolution",
        [VFI_NCNN_PRELU] = "PReLU",
        [VFI_NCNN_MEMORY] = "constant",
    };

    return names[kind];
}

/* "a convolution 96 → 192, stride 2" */
static char *describe(const VfiNcnnLayer *layer)
{
    bool is_conv = layer->kind == VFI_NCNN_CONV || layer->kind == VFI_NCNN_DECONV;
    GString *text = g_string_new(NULL);

    g_string_printf(text, "a %s ", kind_to_string(layer->kind));
    if (is_conv)
        g_string_append_printf(text, "%" G_GINT64_FORMAT " → ", layer->in);
    g_string_append_printf(text, "%" G_GINT64_FORMAT, layer->out);
    if (is_conv)
        g_string_append_printf(text, ", stride %" G_GINT64_FORMAT, layer->stride);
    if (layer->groups > 1)
        g_string_append_printf(text, ", %" G_GINT64_FORMAT " groups", layer->groups);
    if (layer->leaky)
        g_string_append(text, ", with leaky ReLU");
    return g_string_free(text, FALSE);
}

/* Whether @layer is like @expected; only .leaky may be missing, as where activations are
 * layers of their own. */
static bool fits(const VfiNcnnLayer *layer, const VfiNcnnLayer *expected)
{
    return layer->kind == expected->kind && layer->in == expected->in &&
           layer->out == expected->out && layer->stride == expected->stride &&
           layer->groups == expected->groups && (!layer->leaky || expected->leaky);
}

/* Takes the next layer, which has to be like @expected. NULL with an error that names the
 * layer. */
static const VfiNcnnLayer *take(Walk *walk, const VfiNcnnLayer *expected, GError **error)
{
    const VfiNcnnLayer *layer = skip_to(walk, &walk->next, false);
    g_autofree char *wanted = describe(expected);

    if (layer == NULL) {
        vfi_unsupported(error,
                        "the ncnn model ends where RIFE would go on with %s, after %zu "
                        "layers with weights",
                        wanted, walk->n_layers);
        return NULL;
    }
    walk->next++;
    if (fits(layer, expected))
        return layer;
    g_autofree char *found = describe(layer);
    vfi_unsupported(
        error,
        "%s of the ncnn model differs from RIFE 3.9 to 4.26: expected %s, found %s",
        vfi_ncnn_layer_name(layer).text, wanted, found);
    return NULL;
}

static VfiNcnnLayer conv_like(int64_t in, int64_t out, int64_t stride, bool leaky)
{
    return (VfiNcnnLayer){.kind = VFI_NCNN_CONV,
                          .in = in,
                          .out = out,
                          .stride = stride,
                          .groups = 1,
                          .leaky = leaky};
}

static VfiNcnnLayer conv_transpose_like(int64_t in, int64_t out)
{
    return (VfiNcnnLayer){
        .kind = VFI_NCNN_DECONV, .in = in, .out = out, .stride = 2, .groups = 1};
}

/* ---- tensors ----------------------------------------------------------------------- */

/* Adds @info, whose shape and strides are set, as @key.@suffix. */
static bool add(Walk *walk, const char *key, const char *suffix, VfiTensorInfo *info,
                VfiSpan storage, GError **error)
{
    char name[96];
    int length = g_snprintf(name, sizeof name, "%s.%s", key, suffix);
    VfiPlace place = {.begin = 0};

    return vfi_tensor_place(info, &place, storage.size, 0, walk->file_size, error) &&
           vfi_tensor_list_add_storage(
               walk->list, (VfiStorage){.bytes = storage.data, .size = storage.size},
               &place.storage, error) &&
           vfi_tensor_list_add(walk->list,
                               (VfiSpan){(const uint8_t *)name, (size_t)length}, info,
                               place, error);
}

static bool add_vector(Walk *walk, const char *key, const char *suffix, VfiDType dtype,
                       VfiSpan storage, int64_t n, GError **error)
{
    VfiTensorInfo info = {.dtype = dtype, .n_dims = 1, .shape = {n}, .stride = {1}};

    return add(walk, key, suffix, &info, storage, error);
}

static bool add_conv(Walk *walk, const VfiNcnnLayer *layer, const char *key,
                     GError **error)
{
    VfiTensorInfo weight = {.dtype = layer->dtype,
                            .n_dims = 4,
                            .shape = {layer->out, layer->in / layer->groups, 3, 3}};

    vfi_tensor_set_contiguous(&weight);
    return add(walk, key, "weight", &weight, layer->weights, error) &&
           add_vector(walk, key, "bias", VFI_DTYPE_F32, layer->bias, layer->out, error);
}

/* torch has the input channel outermost, ncnn the output channel. */
static bool add_conv_transpose(Walk *walk, const VfiNcnnLayer *layer, const char *key,
                               GError **error)
{
    VfiTensorInfo weight = {.dtype = layer->dtype,
                            .n_dims = 4,
                            .shape = {layer->in, layer->out, 4, 4},
                            .stride = {16, 16 * layer->in, 4, 1}};

    return add(walk, key, "weight", &weight, layer->weights, error) &&
           add_vector(walk, key, "bias", VFI_DTYPE_F32, layer->bias, layer->out, error);
}

/* The constant that is the beta of @conv, or NULL. */
static const VfiNcnnLayer *take_beta(Walk *walk, const VfiNcnnLayer *conv)
{
    if (walk->n_linked > 0)
        return conv->beta > 0 ? &walk->layers[conv->beta - 1] : NULL;
    const VfiNcnnLayer *beta = skip_to(walk, &walk->next_beta, true);
    walk->next_beta += beta != NULL;
    return beta;
}

/* The constant of the residual layer @conv as beta of @channels, or ones. */
static bool add_beta(Walk *walk, const Block *block, const VfiNcnnLayer *conv,
                     int64_t channels, const char *key, GError **error)
{
    VfiSpan storage = {(const uint8_t *)&one, sizeof one};
    VfiTensorInfo info = {.dtype = VFI_DTYPE_F32,
                          .n_dims = 4,
                          .shape = {1, channels, 1, 1},
                          .stride = {0, 0, 0, 0}};

    if (block->has_betas) {
        const VfiNcnnLayer *beta = take_beta(walk, conv);
        if (beta == NULL)
            return vfi_unsupported(error,
                                   "the ncnn model has fewer constants than block %d has "
                                   "residual layers: there is none for %s",
                                   block->number, vfi_ncnn_layer_name(conv).text);
        if (beta->out != channels)
            return vfi_unsupported(
                error,
                "%s of the ncnn model holds %" G_GINT64_FORMAT
                " constants, expected %" G_GINT64_FORMAT " of block %d's residual layer",
                vfi_ncnn_layer_name(beta).text, beta->out, channels, block->number);
        info.dtype = beta->dtype;
        info.stride[1] = 1;
        storage = beta->weights;
    }
    return add(walk, key, "beta", &info, storage, error);
}

/* ---- the encoder ------------------------------------------------------------------- */

/* Encoder layer @layer's key; 4.12.lite and 4.13.lite, the only ones of 32 and 4
 * channels, have them in an nn.Sequential as 4.10 does, whose network is also that of
 * 4.13. */
static char *encoder_key(int layer, int n, int64_t width, int64_t out)
{
    if (n == 2)
        return g_strdup_printf("encode.%d", layer);
    return width == 32 && out == 4 ? g_strdup_printf("encode.%d", 2 * layer)
                                   : g_strdup_printf("encode.cnn%d", layer);
}

static bool same_bytes(VfiSpan a, VfiSpan b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* The two encoders: @n layers each, of which .done of either frame were taken. */
typedef struct {
    int n;
    int64_t width, out;
    int done[2];
    const VfiNcnnLayer *first[4]; /* of the frame that is ahead */
} Encoders;

/* How many layers an encoder has, and their channels, by what comes up to the first
 * transposed convolution. @start: the first layer. */
static Encoders find_encoders(const Walk *walk, const VfiNcnnLayer *start)
{
    Encoders encoders = {.n = 2, .width = start->out, .out = 1};
    const VfiNcnnLayer *layer;

    for (size_t i = 0; (layer = peek(walk, i)) != NULL; i++) {
        if (layer->kind == VFI_NCNN_DECONV) {
            encoders.out = layer->out;
            break;
        }
        if (layer->in != 3)
            encoders.n = 4;
    }
    return encoders;
}

static VfiNcnnLayer encoder_layer(const Encoders *encoders, int layer)
{
    if (layer == 0)
        return conv_like(3, encoders->width, 2, encoders->n == 4);
    if (layer == encoders->n - 1)
        return conv_transpose_like(encoders->width, encoders->out);
    return conv_like(encoders->width, encoders->width, 1, true);
}

/* Whether @layer can be the next one of the frame that is behind. */
static bool fits_behind(const Encoders *encoders, const VfiNcnnLayer *layer)
{
    if (encoders->done[1] >= encoders->done[0])
        return false;
    VfiNcnnLayer expected = encoder_layer(encoders, encoders->done[1]);
    return fits(layer, &expected);
}

/* The frame that is ahead has the next layer: it is a new one. */
static bool take_ahead(Walk *walk, Encoders *encoders, GError **error)
{
    int layer = encoders->done[0];
    VfiNcnnLayer expected = encoder_layer(encoders, layer);
    const VfiNcnnLayer *taken = take(walk, &expected, error);

    if (taken == NULL)
        return false;
    encoders->first[layer] = taken;
    encoders->done[0]++;
    g_autofree char *key =
        encoder_key(layer, encoders->n, encoders->width, encoders->out);
    return layer == encoders->n - 1 ? add_conv_transpose(walk, taken, key, error)
                                    : add_conv(walk, taken, key, error);
}

/* Takes one layer of either encoder: of the frame that is behind if it has the weights of
 * the other's. */
static bool take_either(Walk *walk, Encoders *encoders, GError **error)
{
    const VfiNcnnLayer *layer = skip_to(walk, &walk->next, false);
    bool behind = layer != NULL && fits_behind(encoders, layer);
    const VfiNcnnLayer *twin = behind ? encoders->first[encoders->done[1]] : NULL;

    if (behind && same_bytes(layer->weights, twin->weights) &&
        same_bytes(layer->bias, twin->bias)) {
        encoders->done[1]++;
        walk->next++;
        return true;
    }
    if (encoders->done[0] < encoders->n) {
        VfiNcnnLayer expected = encoder_layer(encoders, encoders->done[0]);
        if (!behind || fits(layer, &expected))
            return take_ahead(walk, encoders, error);
    }
    if (!behind) {
        VfiNcnnLayer expected = encoder_layer(encoders, encoders->done[1]);
        return take(walk, &expected, error) != NULL;
    }
    return vfi_unsupported(
        error,
        "%s of the ncnn model should have the weights of layer %zu: both encode "
        "a frame",
        vfi_ncnn_layer_name(layer).text, twin->number);
}

/* Takes both encoders where there are any; *channels: their output per frame. */
static bool take_encoder(Walk *walk, int64_t *channels, GError **error)
{
    const VfiNcnnLayer *start = peek(walk, 0);

    *channels = 0;
    if (start == NULL || start->kind != VFI_NCNN_CONV || start->in != 3)
        return true;
    Encoders encoders = find_encoders(walk, start);
    while (encoders.done[1] < encoders.n)
        if (!take_either(walk, &encoders, error))
            return false;
    *channels = encoders.out;
    return true;
}

/* ---- blocks ------------------------------------------------------------------------ */

/* Takes a convolution and the PReLU after it; keys @prefix.0 and .1. */
static bool take_conv_act(Walk *walk, const Block *block, const VfiNcnnLayer *expected,
                          const char *prefix, GError **error)
{
    g_autofree char *key = g_strconcat(prefix, ".0", NULL);
    g_autofree char *slope_key = g_strconcat(prefix, ".1", NULL);
    const VfiNcnnLayer slope = {.kind = VFI_NCNN_PRELU, .out = expected->out};
    const VfiNcnnLayer *layer = take(walk, expected, error);

    if (layer == NULL || !add_conv(walk, layer, key, error))
        return false;
    if (!block->has_slopes)
        return true;
    layer = take(walk, &slope, error);
    return layer != NULL && add_vector(walk, slope_key, "weight", layer->dtype,
                                       layer->weights, layer->out, error);
}

/* One of the eight layers in a block's middle. */
static bool take_body(Walk *walk, const Block *block, int64_t channels, int layer,
                      GError **error)
{
    g_autofree char *prefix =
        g_strdup_printf("block%d.convblock.%d", block->number, layer);
    VfiNcnnLayer expected = conv_like(channels, channels, 1, !block->is_residual);
    const VfiNcnnLayer *next = peek(walk, 0);

    if (!block->is_residual)
        return take_conv_act(walk, block, &expected, prefix, error);
    if (next != NULL && next->groups == 2) /* 4.14.lite */
        expected.groups = 2;
    g_autofree char *key = g_strconcat(prefix, ".conv", NULL);
    const VfiNcnnLayer *taken = take(walk, &expected, error);
    return taken != NULL && add_conv(walk, taken, key, error) &&
           add_beta(walk, block, taken, channels, prefix, error);
}

/* The output of a block's first layer is half as wide as the block. */
static bool take_block(Walk *walk, const Block *block, GError **error)
{
    const VfiNcnnLayer *first = peek(walk, 0);
    int64_t half = first != NULL ? first->out : 1;
    bool other = first != NULL && first->in == block->in_other;
    VfiNcnnLayer in =
        conv_like(other ? block->in_other : block->in, half, 2, !block->has_slopes);
    VfiNcnnLayer down = conv_like(half, 2 * half, 2, !block->has_slopes);
    VfiNcnnLayer out = conv_transpose_like(2 * half, block->last);
    g_autofree char *first_key = g_strdup_printf("block%d.conv0.0", block->number);
    g_autofree char *second_key = g_strdup_printf("block%d.conv0.1", block->number);
    g_autofree char *last_key = g_strdup_printf(
        block->is_residual ? "block%d.lastconv.0" : "block%d.lastconv", block->number);

    if (!take_conv_act(walk, block, &in, first_key, error) ||
        !take_conv_act(walk, block, &down, second_key, error))
        return false;
    for (int layer = 0; layer < N_BODY; layer++)
        if (!take_body(walk, block, 2 * half, layer, error))
            return false;
    const VfiNcnnLayer *taken = take(walk, &out, error);
    return taken != NULL && add_conv_transpose(walk, taken, last_key, error);
}

/* Properties of all blocks, by the layers of the first. @encoded: channels of each
 * frame's features. */
static bool find_form(const Walk *walk, int64_t encoded, Block *block, GError **error)
{
    const VfiNcnnLayer *second = peek(walk, 1), *layer;
    size_t no_beta = 0;

    *block = (Block){.in = 7 + 2 * encoded, .in_other = -1};
    block->has_slopes = second != NULL && second->kind == VFI_NCNN_PRELU;
    for (size_t i = 0; (layer = peek(walk, i)) != NULL; i++)
        if (layer->kind == VFI_NCNN_DECONV)
            break;
    if (layer == NULL)
        return vfi_unsupported(error,
                               "the ncnn model has no transposed convolution, with "
                               "which blocks of RIFE end");
    block->last = layer->out;
    block->is_residual = block->last > LAST_PLAIN;
    block->has_betas = block->is_residual && skip_to(walk, &no_beta, true) != NULL;
    if (block->last == LAST_PLAIN || block->last == 20 || block->last == 24 ||
        block->last == LAST_FEATURES)
        return true;
    g_autofree char *found = describe(layer);
    return vfi_unsupported(error,
                           "%s of the ncnn model ends no block of RIFE 3.9 to 4.26: "
                           "expected 5, 20, 24 or 52 channels, found %s",
                           vfi_ncnn_layer_name(layer).text, found);
}

/* Whether any convolution has the constant at @index for its beta. */
static bool is_beta(const Walk *walk, size_t index)
{
    for (size_t i = 0; i < walk->n_layers; i++)
        if (walk->layers[i].beta == index + 1)
            return true;
    return false;
}

/* A constant that is no layer's beta, or NULL. */
static const VfiNcnnLayer *find_unused(Walk *walk)
{
    if (walk->n_linked == 0)
        return skip_to(walk, &walk->next_beta, true);
    for (size_t i = 0; i < walk->n_layers; i++)
        if (walk->layers[i].kind == VFI_NCNN_MEMORY && !is_beta(walk, i))
            return &walk->layers[i];
    return NULL;
}

static size_t count_linked(const VfiNcnnLayer *layers, size_t n)
{
    size_t n_linked = 0;

    for (size_t i = 0; i < n; i++)
        n_linked += layers[i].beta > 0;
    return n_linked;
}

bool vfi_ncnn_add_rife(const VfiGrowing *layers, uint64_t file_size, VfiTensorList *list,
                       GError **error)
{
    Walk walk = {.layers = layers->items,
                 .n_layers = layers->count,
                 .n_linked = count_linked(layers->items, layers->count),
                 .file_size = file_size,
                 .list = list};
    int64_t encoded;
    Block block;

    if (!take_encoder(&walk, &encoded, error) ||
        !find_form(&walk, encoded, &block, error))
        return false;
    for (; skip_to(&walk, &walk.next, false) != NULL; block.number++) {
        if (block.number == MAX_BLOCKS)
            return vfi_unsupported(error, "the ncnn model has more than %d blocks",
                                   MAX_BLOCKS);
        if (!take_block(&walk, &block, error))
            return false;
        /* Later blocks see mask and flow, too; in 3.9 also the frames as they are. */
        block.in = 12 + 2 * encoded + (block.last == LAST_FEATURES ? 8 : 0);
        block.in_other = encoded == 0 ? 18 : -1;
    }
    const VfiNcnnLayer *left = find_unused(&walk);
    return left == NULL || vfi_unsupported(error,
                                           "%s of the ncnn model is a constant "
                                           "that RIFE has no use for",
                                           vfi_ncnn_layer_name(left).text);
}
