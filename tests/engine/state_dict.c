/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "state_dict.h"

#include <stdbool.h>
#include <string.h>

#include "state_dict_tlbvfi.h"

static void add(GArray *entries, StateKind kind, const char *prefix, const char *suffix,
                int n_dims, const int *shape)
{
    StateEntry entry = {.kind = kind, .n_dims = n_dims};

    g_snprintf(entry.key, sizeof(entry.key), "%s%s", prefix, suffix);
    memcpy(entry.shape, shape, (size_t)n_dims * sizeof(*shape));
    g_array_append_val(entries, entry);
}

/* Conv2d, or ConvTranspose2d with the first two dimensions given in its order. */
static void add_conv(GArray *entries, const char *prefix, int dim0, int dim1, int kernel,
                     int bias)
{
    add(entries, STATE_WEIGHT, prefix, ".weight", 4, (int[]){dim0, dim1, kernel, kernel});
    add(entries, STATE_BIAS, prefix, ".bias", 1, (int[]){bias});
}

/* Sequential(Conv2d 3×3 or ConvTranspose2d 4×4, PReLU or leaky ReLU). */
static void add_conv_act(GArray *entries, const char *prefix, int in, int out, bool prelu)
{
    g_autofree char *conv = g_strdup_printf("%s.0", prefix);
    g_autofree char *slopes = g_strdup_printf("%s.1", prefix);

    add_conv(entries, conv, out, in, 3, out);
    if (prelu)
        add(entries, STATE_PRELU, slopes, ".weight", 1, (int[]){out});
}

static void add_conv_transpose_act(GArray *entries, const char *prefix, int in, int out,
                                   bool prelu)
{
    g_autofree char *conv_transpose = g_strdup_printf("%s.0", prefix);
    g_autofree char *slopes = g_strdup_printf("%s.1", prefix);

    add_conv(entries, conv_transpose, in, out, 4, out);
    if (prelu)
        add(entries, STATE_PRELU, slopes, ".weight", 1, (int[]){out});
}

static void add_conv2(GArray *entries, const char *prefix, int in, int out, bool prelu)
{
    g_autofree char *first = g_strdup_printf("%s.conv1", prefix);
    g_autofree char *second = g_strdup_printf("%s.conv2", prefix);

    add_conv_act(entries, first, in, out, prelu);
    add_conv_act(entries, second, out, out, prelu);
}

/* block<i>.conv0: in → c/2 → c. */
static void add_conv0(GArray *entries, int block, int in, int c, bool prelu)
{
    g_autofree char *first = g_strdup_printf("block%d.conv0.0", block);
    g_autofree char *second = g_strdup_printf("block%d.conv0.1", block);

    add_conv_act(entries, first, in, c / 2, prelu);
    add_conv_act(entries, second, c / 2, c, prelu);
}

/* Context network (3 → 16 … 128) and U-Net (17 in, 3 out). */
static void add_refinement(GArray *entries, bool prelu)
{
    static const int down_in[] = {17, 64, 128, 256}, down_out[] = {32, 64, 128, 256};
    static const int up_in[] = {512, 256, 128, 64}, up_out[] = {128, 64, 32, 16};

    for (int i = 0; i < 4; i++) {
        g_autofree char *context = g_strdup_printf("contextnet.conv%d", i + 1);
        g_autofree char *down = g_strdup_printf("unet.down%d", i);
        g_autofree char *up = g_strdup_printf("unet.up%d", i);
        add_conv2(entries, context, i == 0 ? 3 : 8 << i, 16 << i, prelu);
        add_conv2(entries, down, down_in[i], down_out[i], prelu);
        add_conv_transpose_act(entries, up, up_in[i], up_out[i], prelu);
    }
    add_conv(entries, "unet.conv", 3, 16, 3, 3);
}

/* How a network's layers are spelled: with PReLUs; with leaky ReLUs; with residuals
 * (.beta). */
typedef enum { PRELU, LEAKY, RESIDUAL } Body;

/* encode.0, .1; encode.0, .2, .4, .6; encode.cnn0 … cnn3. */
typedef enum { NO_HEAD, TWO, SEQUENCE, NAMED } Head;

/* Every released network since 3.9 and the paper's two: widths and input channels of the
 * blocks, head with its widths, kind of body and its groups, channels of the last layer,
 * context network and U-Net. */
static const struct {
    const char *family;
    int blocks, width[5], in[2];
    Head head;
    int head_width, head_out;
    Body body;
    int groups, last;
    bool refines;
} networks[] = {
    {"rife_eccv", 3, {240, 150, 90}, {6, 17}, NO_HEAD, 0, 0, PRELU, 1, 5, true},
    {"rife_eccv_m", 3, {240, 150, 90}, {7, 18}, NO_HEAD, 0, 0, PRELU, 1, 5, true},
    {"rife_v3_9", 4, {100, 100, 100, 100}, {7, 18}, NO_HEAD, 0, 0, PRELU, 1, 5, false},
    {"rife_v4_0", 4, {192, 128, 96, 64}, {7, 12}, NO_HEAD, 0, 0, PRELU, 1, 5, true},
    {"rife_v4_2", 4, {192, 128, 96, 64}, {7, 12}, NO_HEAD, 0, 0, LEAKY, 1, 5, true},
    {"rife_v4_5", 4, {192, 128, 96, 64}, {7, 12}, NO_HEAD, 0, 0, RESIDUAL, 1, 20, false},
    {"rife_v4_6", 4, {192, 128, 96, 64}, {7, 12}, NO_HEAD, 0, 0, RESIDUAL, 1, 24, false},
    {"rife_v4_7", 4, {192, 128, 96, 64}, {15, 20}, TWO, 16, 4, RESIDUAL, 1, 24, false},
    {"rife_v4_10",
     4,
     {192, 128, 96, 64},
     {23, 28},
     SEQUENCE,
     32,
     8,
     RESIDUAL,
     1,
     24,
     false},
    {"rife_v4_12_lite",
     4,
     {128, 96, 64, 48},
     {15, 20},
     SEQUENCE,
     32,
     4,
     RESIDUAL,
     1,
     24,
     false},
    {"rife_v4_13", 4, {192, 128, 96, 64}, {23, 28}, NAMED, 32, 8, RESIDUAL, 1, 24, false},
    {"rife_v4_14_lite",
     4,
     {192, 128, 96, 64},
     {23, 28},
     NAMED,
     32,
     8,
     RESIDUAL,
     2,
     24,
     false},
    {"rife_v4_15_lite",
     4,
     {128, 96, 64, 48},
     {15, 20},
     NAMED,
     16,
     4,
     RESIDUAL,
     1,
     24,
     false},
    {"rife_v4_20", 4, {384, 192, 96, 48}, {23, 28}, NAMED, 32, 8, RESIDUAL, 1, 24, false},
    {"rife_v4_21", 4, {256, 192, 96, 48}, {23, 36}, NAMED, 32, 8, RESIDUAL, 1, 52, false},
    {"rife_v4_22_lite",
     4,
     {192, 128, 64, 32},
     {15, 28},
     NAMED,
     16,
     4,
     RESIDUAL,
     1,
     52,
     false},
    {"rife_v4_25",
     5,
     {192, 128, 96, 64, 32},
     {15, 28},
     NAMED,
     16,
     4,
     RESIDUAL,
     1,
     52,
     false},
    {"rife_v4_25_lite",
     5,
     {192, 128, 96, 64, 24},
     {15, 28},
     NAMED,
     16,
     4,
     RESIDUAL,
     1,
     52,
     false},
    {"rife_v4_25_heavy",
     5,
     {384, 256, 192, 128, 64},
     {15, 28},
     NAMED,
     16,
     4,
     RESIDUAL,
     1,
     52,
     false},
    {"rife_v4_26_heavy",
     5,
     {192, 128, 96, 64, 32},
     {39, 52},
     NAMED,
     16,
     16,
     RESIDUAL,
     1,
     52,
     false},
};

static void add_head(GArray *entries, Head head, int width, int out)
{
    static const char *const formats[] = {
        [TWO] = "encode.%d", [SEQUENCE] = "encode.%d", [NAMED] = "encode.cnn%d"};
    int n = head == NO_HEAD ? 0 : head == TWO ? 2 : 4;

    for (int i = 0; i < n; i++) {
        g_autofree char *key =
            g_strdup_printf(formats[head], head == SEQUENCE ? 2 * i : i);
        if (i == n - 1)
            add_conv(entries, key, width, out, 4, out);
        else
            add_conv(entries, key, width, i == 0 ? 3 : width, 3, width);
    }
}

/* block<i>.convblock.<j>. */
static void add_body_layer(GArray *entries, int block, int layer, Body body, int groups,
                           int c)
{
    g_autofree char *key = g_strdup_printf("block%d.convblock.%d", block, layer);
    g_autofree char *conv = g_strdup_printf("%s.conv", key);

    if (body == RESIDUAL) {
        add(entries, STATE_BETA, key, ".beta", 4, (int[]){1, c, 1, 1});
        add_conv(entries, conv, c, c / groups, 3, c);
    } else {
        add_conv_act(entries, key, c, c, body == PRELU);
    }
}

static GArray *network_entries(size_t index)
{
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));
    bool prelu = networks[index].body == PRELU;

    add_head(entries, networks[index].head, networks[index].head_width,
             networks[index].head_out);
    for (int block = 0; block < networks[index].blocks; block++) {
        int c = networks[index].width[block], last = networks[index].last;
        g_autofree char *key = g_strdup_printf(
            networks[index].body == RESIDUAL ? "block%d.lastconv.0" : "block%d.lastconv",
            block);
        add_conv0(entries, block, networks[index].in[block > 0], c, prelu);
        for (int i = 0; i < 8; i++)
            add_body_layer(entries, block, i, networks[index].body,
                           networks[index].groups, c);
        add_conv(entries, key, c, last, 4, last);
    }
    if (networks[index].refines)
        add_refinement(entries, prelu);
    return entries;
}

/* block<i>.conv<head>: two transposed convolutions c → c/2 → out. */
static void add_v3_head(GArray *entries, int block, int head, int c, int out)
{
    g_autofree char *first = g_strdup_printf("block%d.conv%d", block, head);
    g_autofree char *second = g_strdup_printf("block%d.conv%d.2", block, head);

    add_conv_transpose_act(entries, first, c, c / 2, true);
    add_conv(entries, second, c / 2, out, 4, out);
}

/* RIFE 3.2 … 3.8. */
static GArray *rife_v3_6(void)
{
    const int c = 90;
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    for (int block = 0; block < 3; block++) {
        add_conv0(entries, block, 11, c, true);
        for (int i = 0; i < 8; i++) {
            g_autofree char *conv =
                g_strdup_printf("block%d.convblock%d.%d", block, i / 2, i % 2);
            add_conv_act(entries, conv, c, c, true);
        }
        add_v3_head(entries, block, 1, c, 4);
        add_v3_head(entries, block, 2, c, 1);
    }
    return entries;
}

/* IFRNet: encoder levels of the widths @w, decoders of the widths @d (both 1 … 4), @side
 * side channels, a first layer of @kernel × @kernel. */
static GArray *ifrnet(const int w[4], const int d[4], int side, int kernel)
{
    const int decoder_in[] = {3 * w[0] + 4, 3 * w[1] + 4, 3 * w[2] + 4, 2 * w[3] + 1};
    const int decoder_out[] = {8, 4 + w[0], 4 + w[1], 4 + w[2]};
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    for (int i = 0; i < 4; i++) {
        g_autofree char *first = g_strdup_printf("encoder.pyramid%d.0", i + 1);
        g_autofree char *second = g_strdup_printf("encoder.pyramid%d.1", i + 1);
        add_conv_act(entries, first, i == 0 ? 3 : w[i - 1], w[i], true);
        add_conv_act(entries, second, w[i], w[i], true);
    }
    for (int i = 0; i < 4; i++) {
        g_autofree char *first = g_strdup_printf("decoder%d.convblock.0", i + 1);
        g_autofree char *prelu = g_strdup_printf("decoder%d.convblock.1.prelu", i + 1);
        g_autofree char *fifth = g_strdup_printf("decoder%d.convblock.1.conv5", i + 1);
        g_autofree char *last = g_strdup_printf("decoder%d.convblock.2", i + 1);
        add_conv_act(entries, first, decoder_in[i], d[i], true);
        for (int layer = 1; layer <= 4; layer++) {
            g_autofree char *conv =
                g_strdup_printf("decoder%d.convblock.1.conv%d", i + 1, layer);
            int c = layer % 2 == 1 ? d[i] : side;
            add_conv_act(entries, conv, c, c, true);
        }
        add_conv(entries, fifth, d[i], d[i], 3, d[i]);
        add(entries, STATE_PRELU, prelu, ".weight", 1, (int[]){d[i]});
        add_conv(entries, last, d[i], decoder_out[i], 4, decoder_out[i]);
    }
    StateEntry *first = &g_array_index(entries, StateEntry, 0);
    first->shape[2] = first->shape[3] = kernel;
    return entries;
}

/* Sequential(Conv2d, LeakyReLU). */
static void add_conv_lrelu(GArray *entries, const char *prefix, int in, int out,
                           int kernel)
{
    g_autofree char *conv = g_strdup_printf("%s.0", prefix);

    add_conv(entries, conv, out, in, kernel, out);
}

/* One flow predictor: three 3×3 convolutions and two 1×1. */
static void add_flow_predictor(GArray *entries, const char *prefix, int in, int c)
{
    for (int i = 0; i < 5; i++) {
        g_autofree char *conv = g_strdup_printf("%s._convs.%d", prefix, i);
        int out = i < 3 ? c : i == 3 ? c / 2 : 2;
        add_conv_lrelu(entries, conv, in, out, i < 3 ? 3 : 1);
        in = out;
    }
}

/* FILM with @f filters in its first layer; flow predictors from @flow (level 0) to 8 ×
 * it. */
static GArray *film(int f, int flow)
{
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 2; k++) {
            g_autofree char *conv =
                g_strdup_printf("extract.extract_sublevels.convs.%d.%d", i, k);
            int in = k == 1 ? f << i : i == 0 ? 3 : f << (i - 1);
            add_conv_lrelu(entries, conv, in, f << i, 3);
        }
    }
    add_flow_predictor(entries, "predict_flow._predictor", 2 * 15 * f, 8 * flow);
    for (int i = 0; i < 3; i++) {
        g_autofree char *prefix = g_strdup_printf("predict_flow._predictors.%d", i);
        add_flow_predictor(entries, prefix, 2 * ((8 >> i) - 1) * f, flow << (2 - i));
    }
    add_conv(entries, "fuse.output_conv", 3, f, 1, 3);
    for (int i = 0; i < 4; i++) {
        g_autofree char *prefix = g_strdup_printf("fuse.convs.%d", i);
        g_autofree char *first = g_strdup_printf("%s.0", prefix);
        g_autofree char *second = g_strdup_printf("%s.1", prefix);
        g_autofree char *third = g_strdup_printf("%s.2", prefix);
        int aligned = 2 * (3 + ((16 >> i) - 1) * f) + 4, out = (8 >> i) * f;
        add_conv_lrelu(entries, first, i == 0 ? aligned : 2 * out, out, 2);
        add_conv_lrelu(entries, second, aligned + out, out, 3);
        add_conv_lrelu(entries, third, out, out, 3);
    }
    return entries;
}

/* ---- the small networks of tests/families/ ----------------------------------------- */

/* A 3×3 convolution @prefix.@layer or, for @out = 0, slopes of a PReLU. */
typedef struct {
    const char *layer;
    int in, out;
} SmallLayer;

static void add_small_layers(GArray *entries, const char *prefix,
                             const SmallLayer *layers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *key = g_strconcat(prefix, layers[i].layer, NULL);
        if (layers[i].out > 0)
            add_conv(entries, key, layers[i].out, layers[i].in, 3, layers[i].out);
        else
            add(entries, STATE_PRELU, key, ".weight", 1, (int[]){layers[i].in});
    }
}

/* Both directions have the values of @prefix "behind.". */
static GArray *three_frames(const char *prefix)
{
    static const SmallLayer layers[] = {
        {"down.0", 10, 8},  {"down.1", 8, 16},   {"down.2", 16, 0},
        {"body.0", 16, 16}, {"body.1", 16, 0},   {"body.2", 16, 16},
        {"coarse", 8, 5},   {"refine.0", 11, 8}, {"refine.1", 8, 5},
    };
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));
    g_autofree char *up = g_strconcat(prefix, "up", NULL);

    add_small_layers(entries, prefix, layers, G_N_ELEMENTS(layers));
    add_conv(entries, up, 16, 8, 4, 8);
    for (guint i = 0; i < entries->len; i++) {
        StateEntry *entry = &g_array_index(entries, StateEntry, i);
        g_snprintf(entry->seed, sizeof(entry->seed), "behind.%s",
                   entry->key + strlen(prefix));
    }
    return entries;
}

static GArray *four_frames(void)
{
    static const SmallLayer layers[] = {
        {"encode.0", 3, 8}, {"encode.1", 8, 0}, {"encode.2", 8, 12}, {"pair.0", 51, 16},
        {"pair.1", 16, 0},  {"pair.2", 16, 16}, {"pair.3", 16, 4},   {"time.0", 41, 16},
        {"time.1", 16, 0},  {"time.3", 20, 8},  {"time.4", 8, 4},
    };
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    add_small_layers(entries, "", layers, G_N_ELEMENTS(layers));
    add_conv(entries, "time.2", 16, 8, 4, 8);
    return entries;
}

static GArray *sampler(void)
{
    static const SmallLayer layers[] = {
        {"encode.0", 3, 8},   {"encode.1", 8, 0},    {"encode.2", 8, 12},
        {"encode.3", 12, 4},  {"context", 24, 12},   {"denoise.0", 17, 16},
        {"denoise.1", 16, 0}, {"denoise.2", 16, 16}, {"denoise.3", 16, 16},
        {"denoise.4", 16, 4}, {"decode.2", 14, 3},
    };
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    add_small_layers(entries, "", layers, G_N_ELEMENTS(layers));
    add_conv(entries, "decode.0", 4, 12, 4, 12);
    add_conv(entries, "decode.1", 12, 8, 4, 8);
    return entries;
}

GArray *state_dict_of(const char *family)
{
    if (strcmp(family, "three_frames") == 0)
        return three_frames("behind.");
    if (strcmp(family, "three_frames_ahead") == 0)
        return three_frames("ahead.");
    if (strcmp(family, "four_frames") == 0)
        return four_frames();
    if (strcmp(family, "sampler") == 0)
        return sampler();
    if (strcmp(family, "ifrnet_s") == 0)
        return ifrnet((int[]){24, 36, 54, 72}, (int[]){72, 108, 162, 144}, 24, 3);
    if (strcmp(family, "ifrnet") == 0)
        return ifrnet((int[]){32, 48, 72, 96}, (int[]){96, 144, 216, 192}, 32, 3);
    if (strcmp(family, "ifrnet_l") == 0)
        return ifrnet((int[]){64, 96, 144, 192}, (int[]){192, 288, 432, 384}, 64, 7);
    if (strcmp(family, "film") == 0)
        return film(64, 32);
    if (strcmp(family, "film_tiny") == 0)
        return film(8, 4);
    if (strcmp(family, "film_none") == 0)
        return film(0, 0);
    if (strcmp(family, "film_min") == 0)
        return film(1, 2);
    if (strcmp(family, "rife_v3_6") == 0)
        return rife_v3_6();
    if (strcmp(family, "tlbvfi") == 0)
        return state_dict_tlbvfi();
    for (size_t i = 0; i < G_N_ELEMENTS(networks); i++)
        if (strcmp(family, networks[i].family) == 0)
            return network_entries(i);
    return NULL;
}
