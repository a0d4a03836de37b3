/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "state_dict.h"

#include <string.h>

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

/* Sequential(Conv2d 3×3 or ConvTranspose2d 4×4, PReLU). */
static void add_conv_prelu(GArray *entries, const char *prefix, int in, int out)
{
    g_autofree char *conv = g_strdup_printf("%s.0", prefix);
    g_autofree char *prelu = g_strdup_printf("%s.1", prefix);

    add_conv(entries, conv, out, in, 3, out);
    add(entries, STATE_PRELU, prelu, ".weight", 1, (int[]){out});
}

static void add_deconv_prelu(GArray *entries, const char *prefix, int in, int out)
{
    g_autofree char *deconv = g_strdup_printf("%s.0", prefix);
    g_autofree char *prelu = g_strdup_printf("%s.1", prefix);

    add_conv(entries, deconv, in, out, 4, out);
    add(entries, STATE_PRELU, prelu, ".weight", 1, (int[]){out});
}

static void add_conv2(GArray *entries, const char *prefix, int in, int out)
{
    g_autofree char *first = g_strdup_printf("%s.conv1", prefix);
    g_autofree char *second = g_strdup_printf("%s.conv2", prefix);

    add_conv_prelu(entries, first, in, out);
    add_conv_prelu(entries, second, out, out);
}

/* block<i>.conv0: in → c/2 → c. */
static void add_conv0(GArray *entries, int block, int in, int c)
{
    g_autofree char *first = g_strdup_printf("block%d.conv0.0", block);
    g_autofree char *second = g_strdup_printf("block%d.conv0.1", block);

    add_conv_prelu(entries, first, in, c / 2);
    add_conv_prelu(entries, second, c / 2, c);
}

/* Context network (3 → 16 … 128) and U-Net (17 in, 3 out). */
static void add_refinement(GArray *entries)
{
    static const int down_in[] = {17, 64, 128, 256}, down_out[] = {32, 64, 128, 256};
    static const int up_in[] = {512, 256, 128, 64}, up_out[] = {128, 64, 32, 16};

    for (int i = 0; i < 4; i++) {
        g_autofree char *context = g_strdup_printf("contextnet.conv%d", i + 1);
        g_autofree char *down = g_strdup_printf("unet.down%d", i);
        g_autofree char *up = g_strdup_printf("unet.up%d", i);
        add_conv2(entries, context, i == 0 ? 3 : 8 << i, 16 << i);
        add_conv2(entries, down, down_in[i], down_out[i]);
        add_deconv_prelu(entries, up, up_in[i], up_out[i]);
    }
    add_conv(entries, "unet.conv", 3, 16, 3, 3);
}

/* RIFE 4.0, 4.1. */
static GArray *rife_v4_0(void)
{
    static const int width[] = {192, 128, 96, 64};
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    for (int block = 0; block < 4; block++) {
        g_autofree char *last = g_strdup_printf("block%d.lastconv", block);
        add_conv0(entries, block, block == 0 ? 7 : 12, width[block]);
        for (int i = 0; i < 8; i++) {
            g_autofree char *conv = g_strdup_printf("block%d.convblock.%d", block, i);
            add_conv_prelu(entries, conv, width[block], width[block]);
        }
        add_conv(entries, last, width[block], 5, 4, 5);
    }
    add_refinement(entries);
    return entries;
}

/* block<i>.conv<head>: two transposed convolutions c → c/2 → out. */
static void add_head(GArray *entries, int block, int head, int c, int out)
{
    g_autofree char *first = g_strdup_printf("block%d.conv%d", block, head);
    g_autofree char *second = g_strdup_printf("block%d.conv%d.2", block, head);

    add_deconv_prelu(entries, first, c, c / 2);
    add_conv(entries, second, c / 2, out, 4, out);
}

/* RIFE 3.2 … 3.8. */
static GArray *rife_v3_6(void)
{
    const int c = 90;
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    for (int block = 0; block < 3; block++) {
        add_conv0(entries, block, 11, c);
        for (int i = 0; i < 8; i++) {
            g_autofree char *conv =
                g_strdup_printf("block%d.convblock%d.%d", block, i / 2, i % 2);
            add_conv_prelu(entries, conv, c, c);
        }
        add_head(entries, block, 1, c, 4);
        add_head(entries, block, 2, c, 1);
    }
    return entries;
}

/* IFRNet: encoder levels of the widths @w, decoders of the widths @d (both 1 … 4), @side side
 * channels, a first layer of @kernel × @kernel. */
static GArray *ifrnet(const int w[4], const int d[4], int side, int kernel)
{
    const int decoder_in[] = {3 * w[0] + 4, 3 * w[1] + 4, 3 * w[2] + 4, 2 * w[3] + 1};
    const int decoder_out[] = {8, 4 + w[0], 4 + w[1], 4 + w[2]};
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    for (int i = 0; i < 4; i++) {
        g_autofree char *first = g_strdup_printf("encoder.pyramid%d.0", i + 1);
        g_autofree char *second = g_strdup_printf("encoder.pyramid%d.1", i + 1);
        add_conv_prelu(entries, first, i == 0 ? 3 : w[i - 1], w[i]);
        add_conv_prelu(entries, second, w[i], w[i]);
    }
    for (int i = 0; i < 4; i++) {
        g_autofree char *first = g_strdup_printf("decoder%d.convblock.0", i + 1);
        g_autofree char *prelu = g_strdup_printf("decoder%d.convblock.1.prelu", i + 1);
        g_autofree char *fifth = g_strdup_printf("decoder%d.convblock.1.conv5", i + 1);
        g_autofree char *last = g_strdup_printf("decoder%d.convblock.2", i + 1);
        add_conv_prelu(entries, first, decoder_in[i], d[i]);
        for (int layer = 1; layer <= 4; layer++) {
            g_autofree char *conv =
                g_strdup_printf("decoder%d.convblock.1.conv%d", i + 1, layer);
            int c = layer % 2 == 1 ? d[i] : side;
            add_conv_prelu(entries, conv, c, c);
        }
        add_conv(entries, fifth, d[i], d[i], 3, d[i]);
        add(entries, STATE_PRELU, prelu, ".weight", 1, (int[]){d[i]});
        add_conv(entries, last, d[i], decoder_out[i], 4, decoder_out[i]);
    }
    StateEntry *first = &g_array_index(entries, StateEntry, 0);
    first->shape[2] = first->shape[3] = kernel;
    return entries;
}

GArray *state_dict_of(const char *family)
{
    if (strcmp(family, "ifrnet_s") == 0)
        return ifrnet((int[]){24, 36, 54, 72}, (int[]){72, 108, 162, 144}, 24, 3);
    if (strcmp(family, "ifrnet") == 0)
        return ifrnet((int[]){32, 48, 72, 96}, (int[]){96, 144, 216, 192}, 32, 3);
    if (strcmp(family, "ifrnet_l") == 0)
        return ifrnet((int[]){64, 96, 144, 192}, (int[]){192, 288, 432, 384}, 64, 7);
    if (strcmp(family, "rife_v4_0") == 0 || strcmp(family, "rife_v4_1") == 0)
        return rife_v4_0();
    if (strcmp(family, "rife_v3_6") == 0)
        return rife_v3_6();
    return NULL;
}

guint64 state_entry_elements(const StateEntry *entry)
{
    guint64 n = 1;

    for (int d = 0; d < entry->n_dims; d++)
        n *= (guint64)entry->shape[d];
    return n;
}
