/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The .param file: its magic number, the numbers of layers and blobs, and a line per
 * layer:
 *     type name inputs outputs input-blobs… output-blobs… key=value…
 * Keys are numbers that mean something else for each type; those of arrays are -23300 -
 * key and have their length before the values. */
#include <math.h>

#include "checkpoint/ncnn.h"

#define MAGIC "7767517"

/* Far beyond any network of RIFE: bounds the work on a hostile file. */
#define MAX_LAYERS 10000
#define MAX_CHANNELS 4096
#define MAX_KEYS 32
#define ARRAY_KEY INT64_C(-23300)

/* Types without weights that networks of RIFE have. */
static const char *const plain_types[] = {
    "BinaryOp",     "Clip", "Concat", "Crop",  "Eltwise", "Input",   "Interp",
    "PixelShuffle", "ReLU", "Slice",  "Split", "Sigmoid", "UnaryOp", "rife.Warp",
};

/* The rest of the text, and of the line. */
typedef struct {
    VfiSpan text;
    VfiSpan line;
    size_t number; /* of the layer */
} Reader;

/* A layer's line before it is judged. */
typedef struct {
    VfiSpan type, name;
    VfiSpan blobs; /* names of n_in + n_out blobs, and what follows */
    int64_t n_in, n_out;
    double value[MAX_KEYS]; /* of arrays the first one */
    bool is_set[MAX_KEYS];
} Line;

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts the next line off; false at the end. */
static bool next_line(Reader *reader)
{
    VfiSpan text = reader->text;

    if (text.size == 0)
        return false;
    const uint8_t *end = memchr(text.data, '\n', text.size);
    size_t length = end == NULL ? text.size : (size_t)(end - text.data);
    reader->line = (VfiSpan){text.data, length};
    reader->text = (VfiSpan){text.data + length, text.size - length};
    if (end != NULL)
        reader->text = (VfiSpan){end + 1, text.size - length - 1};
    return true;
}

/* Cuts the line's next word off; empty at the end. */
static VfiSpan next_word(Reader *reader)
{
    VfiSpan line = reader->line;
    size_t start = 0, end;

    while (start < line.size && is_space(line.data[start]))
        start++;
    for (end = start; end < line.size && !is_space(line.data[end]);)
        end++;
    reader->line = (VfiSpan){line.data + end, line.size - end};
    return (VfiSpan){line.data + start, end - start};
}

/* @word as a number that ends where it does. */
static bool parse_number(VfiSpan word, double *number)
{
    char text[32], *end;

    if (word.size == 0 || word.size >= sizeof text)
        return false;
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    *number = g_ascii_strtod(text, &end);
    return end == text + word.size && isfinite(*number);
}

/* The same for a whole number of @least to @most. */
static bool parse_integer(VfiSpan word, int64_t least, int64_t most, int64_t *integer)
{
    double number;

    if (!parse_number(word, &number) || number < (double)least || number > (double)most ||
        number != floor(number))
        return false;
    *integer = (int64_t)number;
    return true;
}

/* Cuts @word at the first @separator; the rest is empty if there is none. */
static VfiSpan cut(VfiSpan word, char separator, VfiSpan *rest)
{
    const uint8_t *at = word.size > 0 ? memchr(word.data, separator, word.size) : NULL;

    if (at == NULL) {
        *rest = (VfiSpan){word.data + word.size, 0};
        return word;
    }
    size_t length = (size_t)(at - word.data);
    *rest = (VfiSpan){at + 1, word.size - length - 1};
    return (VfiSpan){word.data, length};
}

static bool bad_line(const Reader *reader, VfiSpan word, const char *expected,
                     GError **error)
{
    return vfi_corrupt(error, "layer %zu of the structure: expected %s, found \"%s\"",
                       reader->number, expected, vfi_quote(word).text);
}

/* Takes one key=value. Keys beyond those that are known here are passed over. */
static bool take_value(const Reader *reader, VfiSpan word, Line *line, GError **error)
{
    VfiSpan values, rest;
    VfiSpan key_text = cut(word, '=', &values);
    int64_t key;
    double value = 0.0;

    if (!parse_integer(key_text, 2 * ARRAY_KEY, G_MAXINT16, &key) || values.size == 0)
        return bad_line(reader, word, "KEY=VALUE", error);
    if (key <= ARRAY_KEY) {
        key = ARRAY_KEY - key;
        cut(values, ',', &values); /* its length */
        values = cut(values, ',', &rest);
    }
    if (key < 0 || key >= MAX_KEYS)
        return true;
    if (values.size > 0 && !parse_number(values, &value))
        return bad_line(reader, word, "a number behind \"=\"", error);
    line->value[key] = value;
    line->is_set[key] = true;
    return true;
}

static bool take_line(Reader *reader, Line *line, GError **error)
{
    *line = (Line){.type = next_word(reader)};
    line->name = next_word(reader);
    VfiSpan in_text = next_word(reader), out_text = next_word(reader);
    if (!parse_integer(in_text, 0, MAX_LAYERS, &line->n_in))
        return bad_line(reader, in_text, "a number of inputs", error);
    if (!parse_integer(out_text, 0, MAX_LAYERS, &line->n_out))
        return bad_line(reader, out_text, "a number of outputs", error);
    line->blobs = reader->line;
    for (int64_t i = 0; i < line->n_in + line->n_out; i++) {
        VfiSpan blob = next_word(reader);
        if (blob.size == 0)
            return bad_line(reader, blob, "the name of a blob", error);
    }
    for (VfiSpan word; (word = next_word(reader)).size > 0;)
        if (!take_value(reader, word, line, error))
            return false;
    return true;
}

static double value_of(const Line *line, int key, double otherwise)
{
    return line->is_set[key] ? line->value[key] : otherwise;
}

/* A whole number of 1 to @most; 0 for anything else. */
static int64_t count_of(const Line *line, int key, int64_t most)
{
    double value = value_of(line, key, 0.0);

    return value >= 1.0 && value <= (double)most && value == floor(value) ? (int64_t)value
                                                                          : 0;
}

VfiQuote vfi_ncnn_layer_name(const VfiNcnnLayer *layer)
{
    VfiQuote text, name = vfi_quote(layer->name);

    g_snprintf(text.text, sizeof text.text, "layer %zu \"%.60s\"", layer->number,
               name.text);
    return text;
}

static bool odd_layer(const VfiNcnnLayer *layer, const char *what, GError **error)
{
    return vfi_unsupported(error,
                           "%s of the ncnn model %s, which no network of RIFE does",
                           vfi_ncnn_layer_name(layer).text, what);
}

/* Kernel, dilation and padding, each the same in both directions. */
static bool has_geometry(const Line *line, int kernel)
{
    double stride = value_of(line, 3, 1.0);

    return value_of(line, 1, 0.0) == kernel && value_of(line, 11, kernel) == kernel &&
           value_of(line, 2, 1.0) == 1.0 && value_of(line, 12, 1.0) == 1.0 &&
           value_of(line, 13, stride) == stride && value_of(line, 4, 0.0) == 1.0 &&
           value_of(line, 14, 1.0) == 1.0 && value_of(line, 15, 1.0) == 1.0 &&
           value_of(line, 16, 1.0) == 1.0;
}

/* Input channels out of the number of weights, and groups. */
static bool find_channels(const Line *line, int kernel, VfiNcnnLayer *layer,
                          GError **error)
{
    layer->groups = line->is_set[7] ? count_of(line, 7, MAX_CHANNELS) : 1;
    layer->out = count_of(line, 0, MAX_CHANNELS);
    int64_t size =
        count_of(line, 6, (int64_t)MAX_CHANNELS * MAX_CHANNELS * kernel * kernel);
    int64_t weights_an_input = layer->out * kernel * kernel;

    if (weights_an_input == 0 || size == 0 || size % weights_an_input != 0 ||
        layer->groups == 0 || layer->out % layer->groups != 0)
        return vfi_corrupt(error,
                           "%s: %g weights are not a whole number for each of %g outputs "
                           "in %g groups",
                           vfi_ncnn_layer_name(layer).text, value_of(line, 6, 0.0),
                           value_of(line, 0, 0.0), value_of(line, 7, 1.0));
    layer->in = size / weights_an_input * layer->groups;
    return layer->in <= MAX_CHANNELS ||
           vfi_corrupt(error, "%s: more than %d input channels",
                       vfi_ncnn_layer_name(layer).text, MAX_CHANNELS);
}

static bool take_conv(const Line *line, VfiNcnnLayer *layer, GError **error)
{
    bool transposed = layer->kind == VFI_NCNN_DECONV;
    int kernel = transposed ? 4 : 3;
    double activation = value_of(line, 9, 0.0);

    layer->flagged = true;
    layer->leaky = activation == 2.0 && fabs(value_of(line, 10, 0.0) - 0.2) < 1e-6;
    layer->stride = count_of(line, 3, MAX_CHANNELS);
    if (!line->is_set[3])
        layer->stride = 1;
    if (value_of(line, 8, 0.0) != 0.0)
        return vfi_unsupported(
            error,
            "%s is quantised to int8, which is not read; take the model "
            "with f32 or f16 weights",
            vfi_ncnn_layer_name(layer).text);
    if (value_of(line, transposed ? 28 : 19, 0.0) != 0.0)
        return odd_layer(layer, "computes its weights", error);
    if (!has_geometry(line, kernel) || (transposed && layer->stride != 2) ||
        (transposed &&
         (value_of(line, 18, 0.0) != 0.0 || value_of(line, 19, 0.0) != 0.0 ||
          value_of(line, 20, 0.0) != 0.0)))
        return odd_layer(layer,
                         transposed ? "is a transposed convolution other than 4×4 with "
                                      "stride 2 and padding 1"
                                    : "is a convolution other than 3×3 with padding 1",
                         error);
    if (activation != 0.0 && !layer->leaky)
        return odd_layer(layer, "has an activation other than a leaky ReLU of 0.2",
                         error);
    if (value_of(line, 5, 0.0) != 1.0)
        return odd_layer(layer, "has no bias", error);
    return find_channels(line, kernel, layer, error);
}

/* Width, height and channels of the constants; 0 stands for a dimension less. */
static bool take_memory(const Line *line, VfiNcnnLayer *layer, GError **error)
{
    static const int keys[] = {0, 1, 11, 2};

    layer->flagged = value_of(line, 21, 1.0) == 0.0;
    layer->out = 1;
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        double value = value_of(line, keys[i], 0.0);
        if (value != 0.0)
            layer->out *= count_of(line, keys[i], MAX_CHANNELS);
    }
    return (layer->out >= 1 && layer->out <= MAX_CHANNELS) ||
           odd_layer(layer, "holds constants that are not one for each channel", error);
}

/* Judges @line; *has_weights: @layer is one to keep. */
static bool take_layer(const Line *line, VfiNcnnLayer *layer, bool *has_weights,
                       GError **error)
{
    *has_weights = true;
    if (vfi_span_equals(line->type, "Convolution") ||
        vfi_span_equals(line->type, "ConvolutionDepthWise")) {
        layer->kind = VFI_NCNN_CONV;
        return take_conv(line, layer, error);
    }
    if (vfi_span_equals(line->type, "Deconvolution")) {
        layer->kind = VFI_NCNN_DECONV;
        return take_conv(line, layer, error);
    }
    if (vfi_span_equals(line->type, "PReLU")) {
        layer->kind = VFI_NCNN_PRELU;
        layer->out = count_of(line, 0, MAX_CHANNELS);
        return layer->out > 0 || odd_layer(layer, "has no slopes", error);
    }
    if (vfi_span_equals(line->type, "MemoryData")) {
        layer->kind = VFI_NCNN_MEMORY;
        return take_memory(line, layer, error);
    }
    *has_weights = false;
    for (size_t i = 0; i < G_N_ELEMENTS(plain_types); i++)
        if (vfi_span_equals(line->type, plain_types[i]))
            return true;
    return vfi_unsupported(
        error, "%s of the ncnn model is of type \"%s\", which no network of RIFE has",
        vfi_ncnn_layer_name(layer).text, vfi_quote(line->type).text);
}

/* ---- blobs ------------------------------------------------------------------------- */

/* "Origins" say which layer's result a blob is, through any number of Splits: its name
 * (VfiSpan) → the layer's index + 1; only of convolutions and constants. Once there are
 * this many, no more are entered. */
#define MAX_ORIGINS 65536

#define BINARY_MULTIPLY 2.0

static int compare_spans(gconstpointer a, gconstpointer b, gpointer user_data)
{
    const VfiSpan *first = a, *second = b;
    int order = memcmp(first->data, second->data, MIN(first->size, second->size));

    (void)user_data;
    return order != 0 ? order
                      : (first->size > second->size) - (first->size < second->size);
}

/* Cuts the next of @line's blobs off. */
static VfiSpan next_blob(Line *line)
{
    Reader reader = {.line = line->blobs};
    VfiSpan blob = next_word(&reader);

    line->blobs = reader.line;
    return blob;
}

static size_t origin_of(GTree *origins, VfiSpan blob)
{
    return GPOINTER_TO_SIZE(g_tree_lookup(origins, &blob));
}

/* Notes that the outputs of @line come from the layer @origin. */
static void note_outputs(GTree *origins, Line *line, size_t origin)
{
    for (int64_t i = 0; i < line->n_out; i++) {
        VfiSpan blob = next_blob(line);
        if (g_tree_nnodes(origins) < MAX_ORIGINS)
            g_tree_insert(origins, g_memdup2(&blob, sizeof blob),
                          GSIZE_TO_POINTER(origin));
    }
}

/* A product of a convolution's result and a constant: that is its beta. */
static void link_beta(GTree *origins, Line *line, VfiNcnnLayer *layers)
{
    size_t origin[2];

    for (int i = 0; i < 2; i++)
        origin[i] = origin_of(origins, next_blob(line));
    for (int i = 0; i < 2; i++) {
        if (origin[i] == 0 || origin[1 - i] == 0)
            continue;
        VfiNcnnLayer *conv = &layers[origin[i] - 1];
        if (conv->kind == VFI_NCNN_CONV &&
            layers[origin[1 - i] - 1].kind == VFI_NCNN_MEMORY && conv->beta == 0)
            conv->beta = origin[1 - i];
    }
}

/* Follows the blobs of @line. @layer: the last of @layers where the line has weights,
 * else NULL. */
static void follow(GTree *origins, Line *line, const VfiNcnnLayer *layer,
                   VfiGrowing *layers)
{
    if (layer != NULL) {
        for (int64_t i = 0; i < line->n_in; i++)
            next_blob(line);
        if (layer->kind == VFI_NCNN_CONV || layer->kind == VFI_NCNN_MEMORY)
            note_outputs(origins, line, layers->count);
    } else if (vfi_span_equals(line->type, "Split") && line->n_in == 1) {
        size_t origin = origin_of(origins, next_blob(line));
        if (origin != 0)
            note_outputs(origins, line, origin);
    } else if (vfi_span_equals(line->type, "BinaryOp") && line->n_in == 2 &&
               value_of(line, 0, 0.0) == BINARY_MULTIPLY) {
        link_beta(origins, line, layers->items);
    }
}

/* ---- the file ---------------------------------------------------------------------- */

/* The first two lines; how many layers follow. */
static bool take_header(Reader *reader, int64_t *n_layers, GError **error)
{
    if (!next_line(reader) || !vfi_span_equals(next_word(reader), MAGIC))
        return vfi_unsupported(error, "the structure of an ncnn model begins with " MAGIC
                                      ", this one does not");
    VfiSpan number = {0};
    if (next_line(reader))
        number = next_word(reader);
    return parse_integer(number, 1, MAX_LAYERS, n_layers) ||
           vfi_corrupt(
               error, "the structure should have 1 to %d layers, found the number \"%s\"",
               MAX_LAYERS, vfi_quote(number).text);
}

bool vfi_ncnn_read_param(VfiSpan text, VfiGrowing *layers, GError **error)
{
    Reader reader = {.text = text};
    g_autoptr(GTree) origins = g_tree_new_full(compare_spans, NULL, g_free, NULL);
    int64_t n_layers;

    if (!take_header(&reader, &n_layers, error))
        return false;
    for (reader.number = 1; reader.number <= (size_t)n_layers; reader.number++) {
        Line line;
        bool has_weights;
        if (!next_line(&reader))
            return vfi_corrupt(error,
                               "the structure ends after %zu of %" G_GINT64_FORMAT
                               " layers: it is truncated",
                               reader.number - 1, n_layers);
        if (!take_line(&reader, &line, error))
            return false;
        VfiNcnnLayer layer = {.number = reader.number, .name = line.name};
        if (!take_layer(&line, &layer, &has_weights, error))
            return false;
        VfiNcnnLayer *added = has_weights ? vfi_growing_add(layers, 1, error) : NULL;
        if (has_weights && added == NULL)
            return false;
        if (added != NULL)
            *added = layer;
        follow(origins, &line, added, layers);
    }
    return true;
}
