/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The networks of RIFE as a table, and which of them a checkpoint is, by names and shapes
 * alone: the row with the fewest differences. The builder names those that remain. */
#include "models/rife.h"

#include <string.h>

/* Sources: hzwer/ECCV2022-RIFE (the paper's IFNet and IFNet_m), hzwer/Practical-RIFE and
 * HolyWu/vs-rife (4.x); 3.9 from styler00dollar/VapourSynth-RIFE-ncnn-Vulkan's graph. */
/* clang-format off */
#define NO_HEAD                     VFI_RIFE_NO_HEAD, 0, 0
#define HEAD(kind, width, channels) VFI_RIFE_HEAD_##kind, width, channels
#define BLOCK(activation, body)     VFI_RIFE_##activation, VFI_RIFE_BODY_##body
#define MASK(kind)                  VFI_RIFE_MASK_##kind
#define SEES(view)                  VFI_RIFE_SEES_##view
#define SCALES_3                    {4, 2, 1}
#define SCALES_4                    {8, 4, 2, 1}
#define SCALES_5                    {16, 8, 4, 2, 1}
#define ANY                         VFI_TIME_ANY
#define MIDDLE                      VFI_TIME_MIDPOINT
#define NEVER                       VFI_RIFE_NEVER_REFINES
#define OPTION                      VFI_RIFE_MAY_REFINE
#define ALWAYS                      VFI_RIFE_REFINES

static const VfiRifeNetwork networks[] = {
    /* name, time, blocks, their widths, their scales,
     *     head, activation and body, groups, last layer, mask, later blocks see,
     *     refines, ensemble, restarts */
    {"ECCV",      MIDDLE, 3, {240, 150, 90},           SCALES_3,
     NO_HEAD,          BLOCK(PRELU, SKIP),  1, 5,  MASK(ADDS),     SEES(BOTH),
     ALWAYS, false, false},
    {"ECCV-m",    ANY,    3, {240, 150, 90},           SCALES_3,
     NO_HEAD,          BLOCK(PRELU, SKIP),  1, 5,  MASK(ADDS),     SEES(BOTH),
     ALWAYS, false, false},
    {"3.9",       ANY,    4, {100, 100, 100, 100},     SCALES_4,
     NO_HEAD,          BLOCK(PRELU, SKIP),  1, 5,  MASK(ADDS),     SEES(BOTH),
     NEVER,  false, false},
    {"4.0",       ANY,    4, {192, 128, 96, 64},       SCALES_4,
     NO_HEAD,          BLOCK(PRELU, SKIP),  1, 5,  MASK(ADDS),     SEES(WARPED),
     OPTION, true,  true},
    {"4.2",       ANY,    4, {192, 128, 96, 64},       SCALES_4,
     NO_HEAD,          BLOCK(LEAKY, PLAIN), 1, 5,  MASK(ADDS),     SEES(WARPED),
     OPTION, true,  false},
    {"4.5",       ANY,    4, {192, 128, 96, 64},       SCALES_4,
     NO_HEAD,          BLOCK(LEAKY, RES),   1, 20, MASK(ADDS),     SEES(WARPED),
     NEVER,  true,  false},
    {"4.6",       ANY,    4, {192, 128, 96, 64},       SCALES_4,
     NO_HEAD,          BLOCK(LEAKY, RES),   1, 24, MASK(ADDS),     SEES(WARPED),
     NEVER,  true,  false},
    {"4.7",       ANY,    4, {192, 128, 96, 64},       SCALES_4,
     HEAD(2, 16, 4),   BLOCK(LEAKY, RES),   1, 24, MASK(REPLACES), SEES(WARPED),
     NEVER,  true,  false},
    {"4.10",      ANY,    4, {192, 128, 96, 64},       SCALES_4,
     HEAD(SEQ, 32, 8), BLOCK(LEAKY, RES),   1, 24, MASK(REPLACES), SEES(WARPED),
     NEVER,  true,  false},
    {"4.12.lite", ANY,    4, {128, 96, 64, 48},        SCALES_4,
     HEAD(SEQ, 32, 4), BLOCK(LEAKY, RES),   1, 24, MASK(REPLACES), SEES(WARPED),
     NEVER,  true,  false},
    {"4.13",      ANY,    4, {192, 128, 96, 64},       SCALES_4,
     HEAD(CNN, 32, 8), BLOCK(LEAKY, RES),   1, 24, MASK(REPLACES), SEES(WARPED),
     NEVER,  true,  false},
    {"4.14.lite", ANY,    4, {192, 128, 96, 64},       SCALES_4,
     HEAD(CNN, 32, 8), BLOCK(LEAKY, RES),   2, 24, MASK(REPLACES), SEES(WARPED),
     NEVER,  true,  false},
    {"4.15.lite", ANY,    4, {128, 96, 64, 48},        SCALES_4,
     HEAD(CNN, 16, 4), BLOCK(LEAKY, RES),   1, 24, MASK(REPLACES), SEES(WARPED),
     NEVER,  true,  false},
    {"4.20",      ANY,    4, {384, 192, 96, 48},       SCALES_4,
     HEAD(CNN, 32, 8), BLOCK(LEAKY, RES),   1, 24, MASK(REPLACES), SEES(WARPED),
     NEVER,  true,  false},
    {"4.21",      ANY,    4, {256, 192, 96, 48},       SCALES_4,
     HEAD(CNN, 32, 8), BLOCK(LEAKY, RES),   1, 52, MASK(REPLACES), SEES(WARPED),
     NEVER,  false, false},
    {"4.22.lite", ANY,    4, {192, 128, 64, 32},       SCALES_4,
     HEAD(CNN, 16, 4), BLOCK(LEAKY, RES),   1, 52, MASK(REPLACES), SEES(WARPED),
     NEVER,  false, false},
    {"4.25",      ANY,    5, {192, 128, 96, 64, 32},   SCALES_5,
     HEAD(CNN, 16, 4), BLOCK(LEAKY, RES),   1, 52, MASK(REPLACES), SEES(WARPED),
     NEVER,  false, false},
    {"4.25.lite", ANY,    5, {192, 128, 96, 64, 24},   {32, 16, 8, 4, 1},
     HEAD(CNN, 16, 4), BLOCK(LEAKY, RES),   1, 52, MASK(REPLACES), SEES(WARPED),
     NEVER,  false, false},
    {"4.25.heavy",ANY,    5, {384, 256, 192, 128, 64}, SCALES_5,
     HEAD(CNN, 16, 4), BLOCK(LEAKY, RES),   1, 52, MASK(REPLACES), SEES(WARPED),
     NEVER,  false, false},
    {"4.26.heavy",ANY,    5, {192, 128, 96, 64, 32},   SCALES_5,
     HEAD(CNN, 16, 16),BLOCK(LEAKY, RES),   1, 52, MASK(REPLACES), SEES(WARPED),
     NEVER,  false, false},
};
/* clang-format on */

#define N_NETWORKS ((int)G_N_ELEMENTS(networks))

/* Beside the table's rows. */
enum { V3 = N_NETWORKS, V2, V1 };
G_STATIC_ASSERT(N_NETWORKS + 1 == VFI_RIFE_VARIANTS);

static const VfiDetection others[] = {
    {100, V3, "3.6", VFI_TIME_MIDPOINT, NULL},
    {100, V2, "3.1, 3.0 or 2.x", VFI_TIME_MIDPOINT,
     "its context and fusion networks lie in files of their own, which is not supported; "
     "RIFE 3.2 and later come in one file"},
    {100, V1, "1.x", VFI_TIME_MIDPOINT,
     "such networks with batch normalisation are not supported; take RIFE 3.2 or later"},
};

/* A checkpoint with more differences from every row is something else. */
#define MAX_DIFFERENCES 3

int vfi_rife_features(const VfiRifeNetwork *network)
{
    return network->last > 24 ? network->last / 4 - 5 : 0;
}

/* Input channels of a block. */
static int block_channels(const VfiRifeNetwork *network, int block)
{
    int channels = 6 + 2 * network->head_channels + (network->time == VFI_TIME_ANY);

    if (block == 0)
        return channels;
    if (network->view == VFI_RIFE_SEES_BOTH)
        channels += 6;
    return channels + 4 + 1 + vfi_rife_features(network);
}

const VfiRifeNetwork *vfi_rife_network(int variant)
{
    return variant < N_NETWORKS ? &networks[variant] : NULL;
}

char *vfi_rife_canonical_name(const char *name)
{
    static const char other[] = "blocks.";
    size_t length = strlen(other);

    if (strncmp(name, other, length) != 0 || !g_ascii_isdigit(name[length]))
        return NULL;
    return g_strdup_printf("block%s", name + length);
}

/* The tensor of a canonical name, whichever way the file spells it, or NULL. */
static const VfiTensorInfo *find_tensor(const VfiCheckpoint *checkpoint, const char *name)
{
    const VfiTensorInfo *tensor = vfi_checkpoint_find(checkpoint, name);

    if (tensor != NULL || !g_str_has_prefix(name, "block"))
        return tensor;
    g_autofree char *other = g_strdup_printf("blocks.%s", name + strlen("block"));
    return vfi_checkpoint_find(checkpoint, other);
}

/* The shapes of a checkpoint that tell networks apart; 0 where there is no such
 * tensor. */
typedef struct {
    int n_blocks;
    int64_t width[VFI_RIFE_MAX_BLOCKS], in[VFI_RIFE_MAX_BLOCKS];
    VfiRifeHead head;
    int64_t head_channels;
    VfiRifeBody body;
    int64_t body_in; /* input channels of a body's convolution: of one group */
    int64_t last;
} Facts;

/* Dimension @dim of the tensor of that name, or 0. */
static int64_t dimension(const VfiCheckpoint *checkpoint, const char *name, int dim)
{
    const VfiTensorInfo *tensor = find_tensor(checkpoint, name);

    return tensor != NULL && tensor->n_dims > dim ? tensor->shape[dim] : 0;
}

static int64_t block_dimension(const VfiCheckpoint *checkpoint, int block,
                               const char *name, int dim)
{
    g_autofree char *key = g_strdup_printf("block%d.%s", block, name);

    return dimension(checkpoint, key, dim);
}

static void find_head(const VfiCheckpoint *checkpoint, Facts *facts)
{
    static const struct {
        const char *last; /* the transposed convolution, in × out */
        VfiRifeHead head;
    } heads[] = {
        {"encode.cnn3.weight", VFI_RIFE_HEAD_CNN},
        {"encode.6.weight", VFI_RIFE_HEAD_SEQ},
        {"encode.1.weight", VFI_RIFE_HEAD_2},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
        facts->head_channels = dimension(checkpoint, heads[i].last, 1);
        facts->head = heads[i].head;
        if (facts->head_channels != 0)
            return;
    }
    facts->head = VFI_RIFE_NO_HEAD;
}

/* Whether any block has PReLU's slopes. A file that lacks one is not taken for a network
 * without. */
static bool has_slopes(const VfiCheckpoint *checkpoint)
{
    static const char *const layers[] = {"conv0.0.1.weight", "conv0.1.1.weight",
                                         "convblock.0.1.weight", "convblock.7.1.weight"};

    for (int block = 0; block < VFI_RIFE_MAX_BLOCKS; block++)
        for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
            if (block_dimension(checkpoint, block, layers[i], 0) != 0)
                return true;
    return false;
}

static void find_body(const VfiCheckpoint *checkpoint, Facts *facts)
{
    facts->body_in = dimension(checkpoint, "block0.convblock.0.conv.weight", 1);
    facts->body = VFI_RIFE_BODY_RES;
    if (facts->body_in != 0)
        return;
    facts->body_in = dimension(checkpoint, "block0.convblock.0.0.weight", 1);
    facts->body = facts->body_in == 0      ? VFI_RIFE_BODY_NONE
                  : has_slopes(checkpoint) ? VFI_RIFE_BODY_SKIP
                                           : VFI_RIFE_BODY_PLAIN;
}

static Facts find_facts(const VfiCheckpoint *checkpoint)
{
    Facts facts = {0};

    while (facts.n_blocks < VFI_RIFE_MAX_BLOCKS) {
        int block = facts.n_blocks;
        facts.in[block] = block_dimension(checkpoint, block, "conv0.0.0.weight", 1);
        facts.width[block] = block_dimension(checkpoint, block, "conv0.1.0.weight", 0);
        if (facts.in[block] == 0)
            break;
        facts.n_blocks++;
    }
    find_head(checkpoint, &facts);
    find_body(checkpoint, &facts);
    facts.last = dimension(checkpoint, "block0.lastconv.0.weight", 1);
    if (facts.last == 0)
        facts.last = dimension(checkpoint, "block0.lastconv.weight", 1);
    return facts;
}

static int count_differences(const Facts *facts, const VfiRifeNetwork *network)
{
    int n = facts->n_blocks != network->n_blocks;

    for (int block = 0; block < MIN(facts->n_blocks, network->n_blocks); block++) {
        n += facts->width[block] != network->width[block];
        n += facts->in[block] != block_channels(network, block);
    }
    n += facts->head != network->head || facts->head_channels != network->head_channels;
    n += facts->body != network->body;
    n += facts->body_in != network->width[0] / network->groups;
    n += facts->last != network->last;
    return n;
}

/* Whether any block has the layer, with weights of @n_dims dimensions. */
static bool any_has(const VfiCheckpoint *checkpoint, const char *name, int n_dims)
{
    for (int block = 0; block < VFI_RIFE_MAX_BLOCKS; block++) {
        g_autofree char *key = g_strdup_printf("block%d.%s", block, name);
        const VfiTensorInfo *tensor = find_tensor(checkpoint, key);
        if (tensor != NULL && tensor->n_dims == n_dims)
            return true;
    }
    return false;
}

/* Whether the name of the file, or of one of the two folders around it, has one of
 * @words, which are in lower case. */
static bool path_has_word(const char *path, const char *const *words)
{
    g_auto(GStrv) parts = g_strsplit(path, G_DIR_SEPARATOR_S, -1);
    guint n = g_strv_length(parts);

    for (guint i = n > 3 ? n - 3 : 0; i < n; i++) {
        g_autofree char *name = g_ascii_strdown(parts[i], -1);
        g_auto(GStrv) found = g_strsplit_set(g_strdelimit(name, "_-. ", ' '), " ", -1);
        for (guint k = 0; found[k] != NULL; k++)
            if (g_strv_contains(words, found[k]))
                return true;
    }
    return false;
}

/* The paper's large network differs from its IFNet in two strides, which no tensor
 * shows. */
static bool is_called_large(const VfiCheckpoint *checkpoint,
                            const VfiRifeNetwork *network)
{
    static const char *const words[] = {"2r", "2t2r", "2r2t", "large", NULL};

    return network->refinement == VFI_RIFE_REFINES &&
           path_has_word(vfi_checkpoint_path(checkpoint), words);
}

static const char *refusal_of(const VfiCheckpoint *checkpoint,
                              const VfiRifeNetwork *network)
{
    return is_called_large(checkpoint, network)
               ? "by its name it is the paper's large network (IFNet_2R), which has the "
                 "same "
                 "tensors and is computed otherwise; that is not supported. If it is "
                 "not, "
                 "give file and folder another name"
               : NULL;
}

const char *vfi_rife_variant_name(int variant)
{
    const VfiRifeNetwork *network = vfi_rife_network(variant);

    return network != NULL ? network->name : others[variant - N_NETWORKS].name;
}

VfiDetection vfi_rife_detect(const VfiCheckpoint *checkpoint)
{
    VfiDetection best = {0};
    int least = MAX_DIFFERENCES + 1;

    if (any_has(checkpoint, "convblock0.0.0.weight", 4))
        return others[V3 - N_NETWORKS];
    if (any_has(checkpoint, "conv1.weight", 4))
        return others[V2 - N_NETWORKS];
    if (any_has(checkpoint, "conv0.0.weight", 4) &&
        any_has(checkpoint, "conv0.1.running_mean", 1))
        return others[V1 - N_NETWORKS];
    Facts facts = find_facts(checkpoint);
    for (int i = 0; i < N_NETWORKS && facts.n_blocks > 0; i++) {
        int differences = count_differences(&facts, &networks[i]);
        if (differences >= least)
            continue;
        least = differences;
        best = (VfiDetection){.score = 100 - 10 * differences,
                              .variant = i,
                              .name = networks[i].name,
                              .time_mode = networks[i].time,
                              .refusal = refusal_of(checkpoint, &networks[i])};
    }
    return best;
}
