/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ncnn_file.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "deterministic_weights.h"

typedef struct {
    NcnnFile *file;
    const NcnnNetwork *network;
    bool f16;
    bool is_copy; /* what is written is there already */
    int n_layers;
} Writer;

guint16 ncnn_f16_bits(float value)
{
    guint32 bits;

    memcpy(&bits, &value, sizeof bits);
    int exponent = (int)(bits >> 23 & 0xff) - 127 + 15;
    guint16 sign = (guint16)(bits >> 16 & 0x8000);
    return exponent <= 0 ? sign : (guint16)(sign | exponent << 10 | (bits >> 13 & 0x3ff));
}

float ncnn_f16_value(float value)
{
    guint32 bits;

    memcpy(&bits, &value, sizeof bits);
    bits &= (bits >> 23 & 0xff) <= 112 ? 0x80000000u : 0xffffe000u;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A layer between blobs that @blobs says: their numbers, then their names. */
static void layer_between(Writer *writer, const char *type, const char *blobs,
                          const char *keys)
{
    g_string_append_printf(writer->file->param, "%-24s layer_%d %s %s\n", type,
                           writer->n_layers, blobs, keys);
    writer->n_layers++;
}

/* The same from the blob of the layer before to one of its own. */
G_GNUC_PRINTF(3, 4)
static void layer(Writer *writer, const char *type, const char *format, ...)
{
    g_autofree char *blobs =
        g_strdup_printf("1 1 %d %d", writer->n_layers, writer->n_layers + 1);
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *keys = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    layer_between(writer, type, blobs, keys);
}

static void put_u32(Writer *writer, guint32 word)
{
    word = GUINT32_TO_LE(word);
    g_byte_array_append(writer->file->bin, (const guint8 *)&word, sizeof word);
}

/* Appends @n floats, or what f16 leaves of them. */
static void put_values(Writer *writer, const float *values, guint64 n, bool f16)
{
    g_autofree guint16 *halves = f16 ? g_new(guint16, n) : NULL;

    for (guint64 i = 0; f16 && i < n; i++)
        halves[i] = GUINT16_TO_LE(ncnn_f16_bits(values[i]));
    g_byte_array_append(writer->file->bin,
                        f16 ? (const guint8 *)halves : (const guint8 *)values,
                        (guint)(n * (f16 ? sizeof *halves : sizeof *values)));
}

static StateEntry entry_of(const char *key, const char *suffix, StateKind kind,
                           int n_dims, const int *shape)
{
    StateEntry entry = {.kind = kind, .n_dims = n_dims};

    g_snprintf(entry.key, sizeof entry.key, "%s.%s", key, suffix);
    memcpy(entry.shape, shape, (size_t)n_dims * sizeof *shape);
    return entry;
}

/* All elements of @entry as they are. */
static void put_entry(Writer *writer, const StateEntry *entry, bool f16)
{
    g_autofree float *values = deterministic_values(entry);

    put_values(writer, values, state_entry_elements(entry), f16);
}

/* Main weights: their storage, the values, up to a multiple of four bytes. */
static void put_weights(Writer *writer, const StateEntry *entry)
{
    static const guint8 zeros[4] = {0};

    put_u32(writer, writer->f16 ? 0x01306B47 : 0);
    put_entry(writer, entry, writer->f16);
    g_byte_array_append(writer->file->bin, zeros, -writer->file->bin->len & 3);
}

/* The same with the output channel outermost instead of the input channel. */
static void put_transposed(Writer *writer, const StateEntry *entry)
{
    g_autofree float *values = deterministic_values(entry);
    int in = entry->shape[0], out = entry->shape[1];

    put_u32(writer, writer->f16 ? 0x01306B47 : 0);
    for (int o = 0; o < out; o++)
        for (int i = 0; i < in; i++)
            put_values(writer, &values[(i * out + o) * 16], 16, writer->f16);
}

/* @is_new: the tensors are to be found by their names; else this is a copy of them. */
static void put_bias(Writer *writer, const char *key, int out, const StateEntry *weight,
                     bool is_new)
{
    StateEntry bias = entry_of(key, "bias", STATE_BIAS, 1, &out);

    put_entry(writer, &bias, false);
    if (!is_new || writer->is_copy)
        return;
    g_array_append_val(writer->file->entries, *weight);
    g_array_append_val(writer->file->entries, bias);
}

static void conv(Writer *writer, const char *key, int in, int out, int stride, int groups,
                 bool leaky, bool is_new)
{
    StateEntry weight =
        entry_of(key, "weight", STATE_WEIGHT, 4, (int[]){out, in / groups, 3, 3});
    g_autofree char *group_text = g_strdup_printf(" 7=%d", groups);

    layer(writer, groups > 1 ? "ConvolutionDepthWise" : "Convolution",
          "0=%d 1=3 3=%d 4=1 5=1 6=%d%s%s", out, stride, out * in / groups * 9,
          groups > 1 ? group_text : "", leaky ? " 9=2 -23310=1,2.000000e-01" : "");
    put_weights(writer, &weight);
    put_bias(writer, key, out, &weight, is_new);
}

static void conv_transpose(Writer *writer, const char *key, int in, int out, bool is_new)
{
    StateEntry weight = entry_of(key, "weight", STATE_WEIGHT, 4, (int[]){in, out, 4, 4});

    layer(writer, "Deconvolution",
          "0=%d 1=4 11=4 12=1 13=2 14=1 18=0 19=0 2=1 3=2 4=1 "
          "5=1 6=%d",
          out, out * in * 16);
    put_transposed(writer, &weight);
    put_bias(writer, key, out, &weight, is_new);
}

static void prelu(Writer *writer, const char *key, int n)
{
    StateEntry slope = entry_of(key, "weight", STATE_PRELU, 1, &n);

    layer(writer, "PReLU", "0=%d", n);
    put_entry(writer, &slope, false);
    if (!writer->is_copy)
        g_array_append_val(writer->file->entries, slope);
}

static StateEntry beta_entry(int block, int body, int width, StateKind kind)
{
    g_autofree char *key = g_strdup_printf("block%d.convblock.%d", block, body);

    return entry_of(key, "beta", kind, 4, (int[]){1, width, 1, 1});
}

static void beta(Writer *writer, int block, int body)
{
    int width = writer->network->width[block];
    StateEntry entry = beta_entry(block, body, width, STATE_BETA);

    if (writer->network->beta == NCNN_BETA_LINKED) {
        g_autofree char *blobs = g_strdup_printf("0 1 beta_%d_%d", block, body);
        g_autofree char *split = g_strdup_printf("1 2 beta_%d_%d one_%d_%d other_%d_%d",
                                                 block, body, block, body, block, body);
        g_autofree char *keys = g_strdup_printf("0=1 1=1 2=%d", width);
        layer_between(writer, "MemoryData", blobs, keys);
        layer_between(writer, "Split", split, "");
    } else {
        layer(writer, "MemoryData", "0=1 1=1 2=%d", width);
    }
    put_entry(writer, &entry, false);
    g_array_append_val(writer->file->entries, entry);
}

static void head_layer(Writer *writer, int i, bool is_new)
{
    const NcnnNetwork *network = writer->network;
    int n = network->n_head, width = network->head_width;
    g_autofree char *number = g_strdup_printf("%d", i * network->head_step);
    g_autofree char *key = g_strconcat(network->head_key, number, NULL);

    if (i == n - 1)
        conv_transpose(writer, key, width, network->head_out, is_new);
    else
        conv(writer, key, i == 0 ? 3 : width, width, i == 0 ? 2 : 1, 1, n > 2, is_new);
}

/* Once for each frame. */
static void head(Writer *writer)
{
    int n = writer->network->n_head, done[2] = {0};
    NcnnHeads heads = writer->network->heads;

    if (heads == NCNN_HEADS_AUTO)
        heads = n == 2 ? NCNN_HEADS_LAYERS : NCNN_HEADS_FRAMES;
    for (int i = 0; i < 2 * n; i++) {
        int ahead = heads == NCNN_HEADS_FRAMES ? n : heads == NCNN_HEADS_MIXED ? 2 : 1;
        int frame = done[0] < n && done[0] - done[1] < ahead ? 0 : 1;
        head_layer(writer, done[frame]++, frame == 0);
    }
}

/* One of the eight layers in a block's middle; the next one's beta comes before it. */
static void body_layer(Writer *writer, int block, int i)
{
    const NcnnNetwork *network = writer->network;
    int c = network->width[block];
    bool is_residual = network->beta != NCNN_NO_BETA;
    g_autofree char *prefix = g_strdup_printf("block%d.convblock.%d", block, i);
    g_autofree char *key = g_strconcat(prefix, is_residual ? ".conv" : ".0", NULL);
    g_autofree char *slope = g_strconcat(prefix, ".1", NULL);

    conv(writer, key, c, c, 1, network->groups, !is_residual && !network->has_slopes,
         true);
    if (network->has_slopes)
        prelu(writer, slope, c);
    if (!is_residual)
        return;
    if (network->beta == NCNN_BETA_LINKED) {
        g_autofree char *blobs =
            g_strdup_printf("2 1 %s_%d_%d %d %d", i % 2 == 0 ? "one" : "other", block, i,
                            writer->n_layers, writer->n_layers + 1);
        layer_between(writer, "BinaryOp", blobs, "0=2");
    } else {
        layer(writer, "BinaryOp", "0=0");
    }
    if (network->beta == NCNN_BETA_BETWEEN && i < 7)
        beta(writer, block, i + 1);
    if (network->beta == NCNN_BETA_FOLDED) {
        StateEntry ones = beta_entry(block, i, c, STATE_WEIGHT);
        if (!writer->is_copy)
            g_array_append_val(writer->file->entries, ones);
    }
    layer(writer, "ReLU", "0=2.000000e-01");
}

static void block(Writer *writer, int number)
{
    const NcnnNetwork *network = writer->network;
    int c = network->width[number];
    bool is_residual = network->beta != NCNN_NO_BETA;

    layer(writer, "Interp", "0=2 1=1.250000e-01 2=1.250000e-01");
    if (network->beta == NCNN_BETA_BETWEEN)
        beta(writer, number, 0);
    for (int i = 0; i < 2; i++) {
        g_autofree char *key = g_strdup_printf("block%d.conv0.%d.0", number, i);
        g_autofree char *slope = g_strdup_printf("block%d.conv0.%d.1", number, i);
        int in = number == 0 ? network->in_first : network->in;
        conv(writer, key, i == 0 ? in : c / 2, i == 0 ? c / 2 : c, 2, 1,
             !network->has_slopes, true);
        if (network->has_slopes)
            prelu(writer, slope, i == 0 ? c / 2 : c);
    }
    for (int i = 0; i < 8; i++)
        body_layer(writer, number, i);
    g_autofree char *last =
        g_strdup_printf(is_residual ? "block%d.lastconv.0" : "block%d.lastconv", number);
    conv_transpose(writer, last, c, network->last, true);
    if (is_residual)
        layer(writer, "PixelShuffle", "0=2");
    layer(writer, "Crop", "-23309=1,0 -23310=1,4 -23311=1,0");
    layer(writer, "rife.Warp", "%s", "");
}

NcnnFile *ncnn_file_new(const NcnnNetwork *network, bool f16)
{
    NcnnFile *file = g_new0(NcnnFile, 1);
    Writer writer = {.file = file, .network = network, .f16 = f16};

    file->param = g_string_new(NULL);
    file->bin = g_byte_array_new();
    file->entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));
    layer(&writer, "Split", "%s", "");
    for (int b = 0; network->beta == NCNN_BETA_FIRST && b < network->n_blocks; b++)
        for (int i = 0; i < 8; i++)
            beta(&writer, b, i);
    for (int b = network->n_blocks; network->beta == NCNN_BETA_LINKED && b-- > 0;)
        for (int i = 8; i-- > 0;)
            beta(&writer, b, i);
    head(&writer);
    layer(&writer, "Concat", "0=0");
    for (int b = 0; b < network->n_blocks; b++)
        for (int copy = 0; copy < (network->ensembles ? 2 : 1); copy++) {
            writer.is_copy = copy > 0;
            block(&writer, b);
        }
    layer(&writer, "Sigmoid", "%s", "");
    g_autofree char *header =
        g_strdup_printf("7767517\n%d %d\n", writer.n_layers, writer.n_layers + 1);
    g_string_prepend(file->param, header);
    return file;
}

void ncnn_file_free(NcnnFile *file)
{
    g_string_free(file->param, TRUE);
    g_byte_array_unref(file->bin);
    g_array_unref(file->entries);
    g_free(file);
}

/* Without the care for crashes that g_file_set_contents() takes, which takes time. */
static void write_bytes(const char *folder, const char *name, const void *bytes, size_t n)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    ck_assert_int_eq(fclose(file), 0);
}

void ncnn_file_write(const NcnnFile *file, const char *folder)
{
    write_bytes(folder, "flownet.param", file->param->str, file->param->len);
    write_bytes(folder, "flownet.bin", file->bin->data, file->bin->len);
}
