/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "state_dict_tlbvfi.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

enum {
    LEVELS = 5,
    LATENT = 3,     /* channels of a latent */
    CODES = 8192,   /* of the codebook */
    DENOISER = 32,  /* channels of all its layers */
    EMBEDDING = 128 /* of the diffusion's step */
};

/* Channels of level i, from full size to 1/16; what enters it from above. */
static const int level_out[LEVELS] = {64, 128, 128, 128, 256};
static const int level_in[LEVELS] = {64, 64, 128, 128, 128};

static void add(GArray *entries, StateKind kind, const char *key, const char *suffix,
                int n_dims, const int *shape)
{
    StateEntry entry = {.kind = kind, .n_dims = n_dims};

    g_snprintf(entry.key, sizeof(entry.key), "%s.%s", key, suffix);
    memcpy(entry.shape, shape, (size_t)n_dims * sizeof(*shape));
    g_array_append_val(entries, entry);
}

static void add_vector(GArray *entries, StateKind kind, const char *key,
                       const char *suffix, int n)
{
    add(entries, kind, key, suffix, 1, &n);
}

/* The key that @format makes. */
G_GNUC_PRINTF(1, 0)
static char *format_key(const char *format, va_list arguments)
{
    return g_strdup_vprintf(format, arguments);
}

#define KEY(key)                                                                         \
    va_list arguments;                                                                   \
    va_start(arguments, format);                                                         \
    g_autofree char *key = format_key(format, arguments);                                \
    va_end(arguments)

/* Conv2d, or ConvTranspose2d with its first two dimensions the other way round: then
 * @bias is not @dim0. */
G_GNUC_PRINTF(6, 7)
static void conv(GArray *entries, int dim0, int dim1, int kernel, int bias,
                 const char *format, ...)
{
    KEY(key);
    add(entries, STATE_WEIGHT, key, "weight", 4, (int[]){dim0, dim1, kernel, kernel});
    add_vector(entries, STATE_BIAS, key, "bias", bias);
}

/* Conv3d of @depth frames. */
G_GNUC_PRINTF(6, 7)
static void conv3d(GArray *entries, int out, int in, int depth, int kernel,
                   const char *format, ...)
{
    KEY(key);
    add(entries, STATE_WEIGHT, key, "weight", 5, (int[]){out, in, depth, kernel, kernel});
    add_vector(entries, STATE_BIAS, key, "bias", out);
}

G_GNUC_PRINTF(5, 6)
static void linear(GArray *entries, int out, int in, bool has_bias, const char *format,
                   ...)
{
    KEY(key);
    add(entries, STATE_WEIGHT, key, "weight", 2, (int[]){out, in});
    if (has_bias)
        add_vector(entries, STATE_BIAS, key, "bias", out);
}

/* Of groups or layers. */
G_GNUC_PRINTF(3, 4)
static void norm(GArray *entries, int channels, const char *format, ...)
{
    KEY(key);
    add_vector(entries, STATE_NORM, key, "weight", channels);
    add_vector(entries, STATE_BIAS, key, "bias", channels);
}

G_GNUC_PRINTF(3, 4)
static void batch_norm(GArray *entries, int channels, const char *format, ...)
{
    KEY(key);
    norm(entries, channels, "%s", key);
    add_vector(entries, STATE_BIAS, key, "running_mean", channels);
    add_vector(entries, STATE_VARIANCE, key, "running_var", channels);
}

G_GNUC_PRINTF(3, 4)
static void prelu(GArray *entries, int channels, const char *format, ...)
{
    KEY(key);
    add_vector(entries, STATE_PRELU, key, "weight", channels);
}

/* ---- the denoiser ------------------------------------------------------------------ */

/* Of @in channels, whether it changes the size or not. */
static void denoiser_residual(GArray *entries, const char *key, int in)
{
    norm(entries, in, "%s.in_layers.0", key);
    conv3d(entries, DENOISER, in, 3, 3, "%s.in_layers.2", key);
    linear(entries, 2 * DENOISER, EMBEDDING, true, "%s.emb_layers.1", key);
    norm(entries, DENOISER, "%s.out_layers.0", key);
    conv3d(entries, DENOISER, DENOISER, 3, 3, "%s.out_layers.3", key);
    if (in != DENOISER)
        conv3d(entries, DENOISER, in, 1, 1, "%s.skip_connection", key);
}

static void denoiser_attention(GArray *entries, const char *key)
{
    static const struct {
        const char *layer;
        int out;
    } projections[] = {{"qkv", 3 * DENOISER}, {"proj_out", DENOISER}};

    norm(entries, DENOISER, "%s.norm", key);
    for (size_t i = 0; i < G_N_ELEMENTS(projections); i++) {
        g_autofree char *layer = g_strdup_printf("%s.%s", key, projections[i].layer);
        int out = projections[i].out;
        add(entries, STATE_WEIGHT, layer, "weight", 3, (int[]){out, DENOISER, 1});
        add_vector(entries, STATE_BIAS, layer, "bias", out);
    }
}

/* Blocks @part.0 …; r: residual, j: residual of joined channels, a: attention. */
static void denoiser_blocks(GArray *entries, const char *part, const char *const *blocks,
                            size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int layer = 0; blocks[i][layer] != '\0'; layer++) {
            g_autofree char *key =
                g_strdup_printf("denoise_fn.%s.%zu.%d", part, i, layer);
            char kind = blocks[i][layer];
            if (kind == 'a')
                denoiser_attention(entries, key);
            else
                denoiser_residual(entries, key, kind == 'j' ? 2 * DENOISER : DENOISER);
        }
    }
}

static void denoiser(GArray *entries)
{
    static const char *const in[] = {"", "r", "r", "ra", "r", "ra"};
    static const char *const out[] = {"ja", "jar", "ja", "jar", "j", "j"};

    linear(entries, EMBEDDING, DENOISER, true, "denoise_fn.time_embed.0");
    linear(entries, EMBEDDING, EMBEDDING, true, "denoise_fn.time_embed.2");
    conv3d(entries, DENOISER, 2 * LATENT, 3, 3, "denoise_fn.input_blocks.0.0");
    denoiser_blocks(entries, "input_blocks", in, G_N_ELEMENTS(in));
    denoiser_residual(entries, "denoise_fn.middle_block.0", DENOISER);
    denoiser_attention(entries, "denoise_fn.middle_block.1");
    denoiser_residual(entries, "denoise_fn.middle_block.2", DENOISER);
    denoiser_blocks(entries, "output_blocks", out, G_N_ELEMENTS(out));
    norm(entries, DENOISER, "denoise_fn.out.0");
    conv3d(entries, LATENT, DENOISER, 3, 3, "denoise_fn.out.2");
}

/* ---- what encoder and decoder share ------------------------------------------------ */

/* A shortcut that only has a value to carry where the channels change. */
static void residual(GArray *entries, int out, int in, const char *key)
{
    norm(entries, in, "%s.norm1", key);
    conv(entries, out, in, 3, out, "%s.conv1", key);
    norm(entries, out, "%s.norm2", key);
    conv(entries, out, out, 3, out, "%s.conv2", key);
    if (in != out)
        conv(entries, out, in, 1, out, "%s.nin_shortcut", key);
}

/* Two convolutions over the frames; a shortcut over @shortcut_depth of them. */
static void frames_residual(GArray *entries, int shortcut_depth, const char *key)
{
    const int c = level_out[LEVELS - 1];

    for (int i = 1; i <= 2; i++) {
        norm(entries, c, "%s.norm%d", key, i);
        conv3d(entries, c, c, 3, 3, "%s.conv%d", key, i);
    }
    add(entries, STATE_WEIGHT, key, "nin_shortcut.weight", 5,
        (int[]){c, c, shortcut_depth, 1, 1});
    add_vector(entries, STATE_BIAS, key, "nin_shortcut.bias", c);
}

static void middle(GArray *entries, const char *part, int last_shortcut_depth)
{
    static const char *const projections[] = {"q", "k", "v", "proj_out"};
    const int c = level_out[LEVELS - 1];
    g_autofree char *first = g_strdup_printf("vqgan.%s.mid.block_1", part);
    g_autofree char *last = g_strdup_printf("vqgan.%s.mid.block_2", part);

    frames_residual(entries, 1, first);
    norm(entries, c, "vqgan.%s.mid.attn_1.norm", part);
    for (size_t i = 0; i < G_N_ELEMENTS(projections); i++)
        conv3d(entries, c, c, 1, 1, "vqgan.%s.mid.attn_1.%s", part, projections[i]);
    frames_residual(entries, last_shortcut_depth, last);
}

/* Attention in blocks and in a grid, each with layers pixel by pixel behind it. */
static void window_attention(GArray *entries, int c, const char *key)
{
    static const char *const projections[] = {"to_q", "to_k", "to_v", "to_out.0"};
    static const char *const kinds[] = {"block", "grid"};

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *bias =
            g_strdup_printf("%s.attn_%s.fn.rel_pos_bias", key, kinds[i]);
        norm(entries, c, "%s.attn_%s.norm", key, kinds[i]);
        for (size_t k = 0; k < G_N_ELEMENTS(projections); k++)
            linear(entries, c, c, false, "%s.attn_%s.fn.%s", key, kinds[i],
                   projections[k]);
        add(entries, STATE_WEIGHT, bias, "weight", 2, (int[]){15 * 15, 1});
        norm(entries, c, "%s.ff_%s.norm", key, kinds[i]);
        linear(entries, 4 * c, c, true, "%s.ff_%s.fn.net.0", key, kinds[i]);
        linear(entries, c, 4 * c, true, "%s.ff_%s.fn.net.3", key, kinds[i]);
    }
}

/* ---- the encoder ------------------------------------------------------------------- */

static void frequency_block(GArray *entries, int index, int out, int in)
{
    static const char prefix[] = "vqgan.encoder.frequency_extractor.Blocks";

    norm(entries, in, "%s.%d.norm1", prefix, index);
    conv(entries, out, in, 5, out, "%s.%d.conv1", prefix, index);
    norm(entries, out, "%s.%d.norm2", prefix, index);
    conv(entries, out, out, 5, out, "%s.%d.conv2", prefix, index);
    conv(entries, out, in, 5, out, "%s.%d.shortcut", prefix, index);
}

static void encoder(GArray *entries)
{
    const int deepest = level_out[LEVELS - 1], width = 64;

    conv(entries, level_in[0], 3, 3, level_in[0], "vqgan.encoder.conv_in");
    for (int i = 0; i < LEVELS; i++) {
        int c = level_out[i];
        g_autofree char *block = g_strdup_printf("vqgan.encoder.down.%d.block.0", i);
        residual(entries, c, level_in[i], block);
        conv(entries, c, c, 3, c, "vqgan.encoder.down.%d.downsample.conv", i);
    }
    window_attention(entries, deepest, "vqgan.encoder.down.4.attn.0");
    middle(entries, "encoder", 1);
    conv(entries, width, 21, 3, width, "vqgan.encoder.frequency_extractor.conv_in");
    frequency_block(entries, 0, width, width);
    frequency_block(entries, 1, deepest, width);
    norm(entries, deepest, "vqgan.encoder.norm_out");
    conv3d(entries, LATENT, deepest, 3, 3, "vqgan.encoder.conv_out");
}

/* ---- the decoder ------------------------------------------------------------------- */

static void flow_network(GArray *entries)
{
    static const int width[] = {240, 150, 90};

    for (int i = 0; i < 3; i++) {
        int c = width[i];
        g_autofree char *key = g_strdup_printf("vqgan.decoder.flownet.block%d", i);
        conv(entries, c / 2, i == 0 ? 6 : 10, 3, c / 2, "%s.conv0.0.0", key);
        prelu(entries, c / 2, "%s.conv0.0.1", key);
        conv(entries, c, c / 2, 3, c, "%s.conv0.1.0", key);
        prelu(entries, c, "%s.conv0.1.1", key);
        for (int layer = 0; layer < 8; layer++) {
            conv(entries, c, c, 3, c, "%s.convblock.%d.0", key, layer);
            prelu(entries, c, "%s.convblock.%d.1", key, layer);
        }
        conv(entries, c, 4, 4, 4, "%s.conv1", key);
    }
}

/* One convolution of Sequential(Conv2d, PReLU, Conv2d, …). */
typedef struct {
    const char *part;
    int index, out, in, kernel;
    bool has_prelu;
} RefinementLayer;

/* Features and flows have @c channels. */
static void refinement_block(GArray *entries, int index, int c)
{
    const RefinementLayer layers[] = {
        {"occl_convs", 0, c, 2 * c, 1, true}, {"occl_convs", 2, c, c, 1, true},
        {"occl_convs", 4, 1, c, 1, false},    {"corr_convs", 0, c, 9, 1, true},
        {"corr_convs", 2, c, c, 1, true},     {"flow_convs", 0, c, 2, 3, true},
        {"flow_convs", 2, c, c, 3, true},     {"motion_convs", 0, c, 2 * c, 3, true},
        {"gru", 0, c, 3 * c + 2, 3, true},    {"gru", 2, c, c, 3, true},
        {"flow_head", 0, c, c, 3, true},      {"flow_head", 2, 2, c, 3, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++) {
        const RefinementLayer *layer = &layers[i];
        g_autofree char *key =
            g_strdup_printf("vqgan.decoder.refinenet.rf_block%d.%s", index, layer->part);
        conv(entries, layer->out, layer->in, layer->kernel, layer->out, "%s.%d", key,
             layer->index);
        if (layer->has_prelu)
            prelu(entries, layer->out, "%s.%d", key, layer->index + 1);
    }
}

/* Attention of @c channels to a context of @context of them. */
static void cross_attention(GArray *entries, int level, int c, int context)
{
    const int wide = 4 * c;
    g_autofree char *key = g_strdup_printf("vqgan.decoder.up.%d.cross_attn", level);

    conv(entries, wide, context, 1, wide, "%s.proj_in.0", key);
    batch_norm(entries, wide, "%s.proj_in.1", key);
    conv(entries, wide, 1, 3, wide, "%s.proj_in.3", key);
    batch_norm(entries, wide, "%s.proj_in.4", key);
    linear(entries, wide / 4, wide, false, "%s.proj_in.6.gate.1", key);
    linear(entries, wide, wide / 4, false, "%s.proj_in.6.gate.3", key);
    conv(entries, c, wide, 1, c, "%s.proj_in.7", key);
    batch_norm(entries, c, "%s.proj_in.8", key);
    window_attention(entries, c, key);
}

/* What enters level @i from below. */
static int below(int i)
{
    return level_out[MIN(i + 1, LEVELS - 1)];
}

static void decoder(GArray *entries)
{
    const int deepest = level_out[LEVELS - 1], c = level_out[0];

    flow_network(entries);
    for (int i = 1; i <= 4; i++)
        refinement_block(entries, i, i <= 2 ? 64 : 128);
    conv3d(entries, deepest, LATENT, 3, 3, "vqgan.decoder.conv_in");
    middle(entries, "decoder", 3);
    for (int i = 0; i < LEVELS; i++) {
        int out = level_out[i];
        g_autofree char *block = g_strdup_printf("vqgan.decoder.up.%d.block.0", i);
        residual(entries, out, below(i), block);
        /* Features of both frames; down to 1/8 warped ones, too. */
        cross_attention(entries, i, out, (i <= 2 ? 4 : 2) * out);
        conv(entries, out, out, 3, out, "vqgan.decoder.up.%d.upsample.conv", i);
    }
    window_attention(entries, deepest, "vqgan.decoder.up.4.attn.0");
    norm(entries, c, "vqgan.decoder.norm_out");
    conv(entries, c, c, 3, c, "vqgan.decoder.conv_out");
    conv(entries, 64, c, 3, 64, "vqgan.decoder.moduleout.0");
    norm(entries, 64, "vqgan.decoder.moduleout.1");
    conv(entries, 32, 64, 3, 32, "vqgan.decoder.moduleout.3");
    norm(entries, 32, "vqgan.decoder.moduleout.4");
    conv(entries, 4, 32, 3, 4, "vqgan.decoder.moduleout.6");
}

GArray *state_dict_tlbvfi(void)
{
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    denoiser(entries);
    encoder(entries);
    decoder(entries);
    add(entries, STATE_WEIGHT, "vqgan.quantize.embedding", "weight", 2,
        (int[]){CODES, LATENT});
    conv(entries, LATENT, LATENT, 1, LATENT, "vqgan.quant_conv");
    conv(entries, LATENT, LATENT, 1, LATENT, "vqgan.post_quant_conv");
    return entries;
}

/* ---- what no value goes through ---------------------------------------------------- */

static void unused_of_level(GArray *entries, int level)
{
    static const int counters[] = {1, 4, 8};
    const int c = level_out[level];
    g_autofree char *key = g_strdup_printf("vqgan.decoder.up.%d.cross_attn", level);

    if (level_in[level] == c)
        conv(entries, c, c, 1, c, "vqgan.encoder.down.%d.block.0.nin_shortcut", level);
    if (below(level) == c)
        conv(entries, c, c, 1, c, "vqgan.decoder.up.%d.block.0.nin_shortcut", level);
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++) {
        g_autofree char *counter = g_strdup_printf("%s.proj_in.%d", key, counters[i]);
        add(entries, STATE_BIAS, counter, "num_batches_tracked", 0, &(int){0});
    }
    linear(entries, c / 2, 2 * c, false, "%s.out_conv.0.gate.1", key);
    linear(entries, 2 * c, c / 2, false, "%s.out_conv.0.gate.3", key);
    conv(entries, c, 2 * c, 3, c, "%s.out_conv.1", key);
}

GArray *state_dict_tlbvfi_unused(void)
{
    static const char *const schedule[] = {"m_t",
                                           "m_tminus",
                                           "variance_t",
                                           "variance_tminus",
                                           "variance_t_tminus",
                                           "posterior_variance_t"};
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    for (size_t i = 0; i < G_N_ELEMENTS(schedule); i++) {
        StateEntry entry = {.kind = STATE_BIAS, .n_dims = 1, .shape = {1000}};
        g_strlcpy(entry.key, schedule[i], sizeof(entry.key));
        g_array_append_val(entries, entry);
    }
    for (int level = 0; level < LEVELS; level++)
        unused_of_level(entries, level);
    return entries;
}
