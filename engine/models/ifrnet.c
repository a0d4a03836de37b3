/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IFRNet (Kong et al., "IFRNet: Intermediate Feature Refine Network for Efficient Frame
 * Interpolation", CVPR 2022), in its three released sizes (source: ltkong218/IFRNet,
 * models/).
 *
 * An encoder makes a pyramid of four levels of each frame, level 1 at half the size.
 * Decoders 4 to 1 refine, from coarse to fine, two optical flows together with a feature
 * of the in-between itself; the last one also gives a mask that blends the two warped
 * frames and a residual of colours. Flows are in pixels: channels dx0, dy0, dx1, dy1.
 *
 * The frames that the encoder sees have the mean of both taken off, so it can run for a
 * pair only. */
#include "models/registry.h"

#include <string.h>

#define LEVELS 4

typedef struct {
    const char *name;
    int width[LEVELS];   /* channels of the encoder's levels 1 … 4 */
    int decoder[LEVELS]; /* channels inside decoders 1 … 4 */
    int side;   /* last channels of a decoder that go through layers of their own */
    int kernel; /* of the encoder's first layer */
} Variant;

static const Variant variants[] = {
    {"S", {24, 36, 54, 72}, {72, 108, 162, 144}, 24, 3},
    {"base", {32, 48, 72, 96}, {96, 144, 216, 192}, 32, 3},
    {"L", {64, 96, 144, 192}, {192, 288, 432, 384}, 64, 7},
};

static const VfiOptionSpec ifrnet_options[] = {
    {"pad-multiple", "u", 0, 1024, "0",
     "pad width and height to a multiple of this if it is larger than the smallest one; "
     "0 is the smallest",
     FALSE},
};

/* Features of both frames, levels 1 … 4. */
typedef struct {
    VfiValue frame[2][LEVELS];
} Pyramid;

/* Sequential(Conv2d, PReLU), @key.0 and @key.1. */
static VfiValue conv_prelu(VfiGraph *graph, VfiValue x, const char *key, int out,
                           int kernel, int stride)
{
    x = vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.0", key), out, kernel, stride);
    return vfi_graph_prelu(graph, x, vfi_graph_key(graph, "%s.1", key));
}

/* ---- encoder ----------------------------------------------------------------------- */

/* 3 × h × w to the pyramid of one frame: each level halves the size, then keeps it. */
static void encode(VfiGraph *graph, const Variant *variant, VfiValue x, VfiValue *levels)
{
    for (int i = 0; i < LEVELS; i++) {
        int c = variant->width[i], kernel = i == 0 ? variant->kernel : 3;
        x = conv_prelu(graph, x, vfi_graph_key(graph, "encoder.pyramid%d.0", i + 1), c,
                       kernel, 2);
        x = conv_prelu(graph, x, vfi_graph_key(graph, "encoder.pyramid%d.1", i + 1), c, 3,
                       1);
        levels[i] = x;
    }
}

/* Both frames at h × w, without the mean of the pair. */
static Pyramid encode_frames(VfiGraph *graph, const Variant *variant, int h, int w)
{
    VfiValue mean =
        vfi_graph_run_input(graph, VFI_RUN_INPUT_IMAGE_MEAN, h, w, 1.0f, 0.0f);
    Pyramid pyramid;

    for (int i = 0; i < 2; i++) {
        VfiValue image = vfi_graph_resize(graph, vfi_graph_image(graph, i), h, w, 1.0f);
        image = vfi_graph_sub(graph, image, mean, 1.0f);
        encode(graph, variant, image, pyramid.frame[i]);
    }
    return pyramid;
}

/* ---- decoders ---------------------------------------------------------------------- */

/* The last channels of @x through a layer of their own, the others as they are. */
static VfiValue side_layer(VfiGraph *graph, VfiValue x, const char *key, int side)
{
    int main = vfi_graph_shape(graph, x).c - side;
    VfiValue parts[] = {
        vfi_graph_slice(graph, x, 0, main),
        conv_prelu(graph, vfi_graph_slice(graph, x, main, side), key, side, 3, 1),
    };

    return vfi_graph_concat(graph, parts, 2);
}

/* ResBlock: three layers of all channels, two of the side channels between them. */
static VfiValue residual_block(VfiGraph *graph, VfiValue x, const char *key, int c,
                               int side)
{
    VfiValue y = conv_prelu(graph, x, vfi_graph_key(graph, "%s.conv1", key), c, 3, 1);

    y = side_layer(graph, y, vfi_graph_key(graph, "%s.conv2", key), side);
    y = conv_prelu(graph, y, vfi_graph_key(graph, "%s.conv3", key), c, 3, 1);
    y = side_layer(graph, y, vfi_graph_key(graph, "%s.conv4", key), side);
    y = vfi_graph_conv(graph, y, vfi_graph_key(graph, "%s.conv5", key), c, 3, 1);
    return vfi_graph_prelu(graph, vfi_graph_add(graph, y, x, 1.0f),
                           vfi_graph_key(graph, "%s.prelu", key));
}

/* Decoder @level: a convolution, the residual block, a transposed convolution to @out
 * channels of twice the size. */
static VfiValue decode(VfiGraph *graph, const Variant *variant, int level, VfiValue x,
                       int out)
{
    const char *block = vfi_graph_key(graph, "decoder%d.convblock", level);
    int c = variant->decoder[level - 1];

    x = conv_prelu(graph, x, vfi_graph_key(graph, "%s.0", block), c, 3, 1);
    x = residual_block(graph, x, vfi_graph_key(graph, "%s.1", block), c, variant->side);
    return vfi_graph_conv_transpose(graph, x, vfi_graph_key(graph, "%s.2", block), out);
}

/* Input of decoder 4, at 1/16: the coarsest features and the time. */
static VfiValue coarsest_input(VfiGraph *graph, const Pyramid *pyramid)
{
    VfiValue feature = pyramid->frame[0][LEVELS - 1];
    VfiShape shape = vfi_graph_shape(graph, feature);
    VfiValue parts[] = {
        feature, pyramid->frame[1][LEVELS - 1],
        vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, shape.h, shape.w, 1.0f, 0.0f)};

    return vfi_graph_concat(graph, parts, 3);
}

/* Input of decoder @level: the in-between's feature, both frames' warped, the flows. */
static VfiValue refined_input(VfiGraph *graph, const Pyramid *pyramid, int level,
                              VfiValue feature, VfiValue flow)
{
    VfiValue flow0 = vfi_graph_slice(graph, flow, 0, 2);
    VfiValue flow1 = vfi_graph_slice(graph, flow, 2, 2);
    VfiValue parts[] = {feature,
                        vfi_graph_warp(graph, pyramid->frame[0][level - 1], flow0),
                        vfi_graph_warp(graph, pyramid->frame[1][level - 1], flow1), flow};

    return vfi_graph_concat(graph, parts, 4);
}

/* Output of the decoders: flow (4 channels), and the last channels of decoder 1: the mask
 * before its sigmoid (1), the residual (3). */
typedef struct {
    VfiValue flow, mask, residual;
} Motion;

static Motion decode_motion(VfiGraph *graph, const Variant *variant,
                            const Pyramid *pyramid)
{
    VfiValue flow = VFI_NO_VALUE, last = VFI_NO_VALUE;

    for (int level = LEVELS; level >= 1; level--) {
        int feature = level > 1 ? variant->width[level - 2] : 1 + 3;
        VfiValue x = level == LEVELS ? coarsest_input(graph, pyramid)
                                     : refined_input(graph, pyramid, level, last, flow);
        x = decode(graph, variant, level, x, 4 + feature);
        VfiShape shape = vfi_graph_shape(graph, x);
        VfiValue delta = vfi_graph_slice(graph, x, 0, 4);
        flow = level == LEVELS
                   ? delta
                   : vfi_graph_add(graph, delta,
                                   vfi_graph_resize(graph, flow, shape.h, shape.w, 2.0f),
                                   1.0f);
        last = vfi_graph_slice(graph, x, 4, feature);
    }
    return (Motion){
        .flow = flow,
        .mask = vfi_graph_slice(graph, last, 0, 1),
        .residual = vfi_graph_slice(graph, last, 1, 3),
    };
}

/* ---- the family -------------------------------------------------------------------- */

/* warped1 + mask · (warped0 - warped1) + residual, in [0,1]. Upstream blends the frames
 * without their mean and adds that again: the weights' sum is one. */
static VfiValue blend(VfiGraph *graph, VfiValue flow, VfiValue mask, VfiValue residual)
{
    VfiValue warped0 = vfi_graph_warp(graph, vfi_graph_image(graph, 0),
                                      vfi_graph_slice(graph, flow, 0, 2));
    VfiValue warped1 = vfi_graph_warp(graph, vfi_graph_image(graph, 1),
                                      vfi_graph_slice(graph, flow, 2, 2));
    VfiValue x = vfi_graph_mul(graph, vfi_graph_sub(graph, warped0, warped1, 1.0f), mask);

    x = vfi_graph_add(graph, x, warped1, 1.0f);
    x = vfi_graph_add(graph, x, residual, 1.0f);
    return vfi_graph_clamp(graph, x, 0.0f, 1.0f);
}

static bool ifrnet_build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                         double flow_scale)
{
    const Variant *variant = &variants[setup->variant];

    if (stage != VFI_STAGE_TIME)
        return false;
    VfiShape full = vfi_graph_shape(graph, vfi_graph_image(graph, 0));
    Pyramid pyramid = encode_frames(graph, variant, (int)(full.h * flow_scale),
                                    (int)(full.w * flow_scale));
    Motion motion = decode_motion(graph, variant, &pyramid);
    VfiValue mask = vfi_graph_sigmoid(graph, motion.mask);

    VfiValue flow =
        vfi_graph_resize(graph, motion.flow, full.h, full.w, (float)(1.0 / flow_scale));
    mask = vfi_graph_resize(graph, mask, full.h, full.w, 1.0f);
    VfiValue residual = vfi_graph_resize(graph, motion.residual, full.h, full.w, 1.0f);
    vfi_graph_output(graph, "rgb", blend(graph, flow, mask, residual));
    return true;
}

/* Whether the checkpoint has the weight @name.weight of out × in × kernel × kernel. */
static bool has_weight(const VfiCheckpoint *checkpoint, const char *name, int64_t out,
                       int64_t in, int64_t kernel)
{
    g_autofree char *key = g_strdup_printf("%s.weight", name);
    const VfiTensorInfo *tensor = vfi_checkpoint_find(checkpoint, key);

    return tensor != NULL && tensor->n_dims == 4 && tensor->shape[0] == out &&
           tensor->shape[1] == in && tensor->shape[2] == kernel &&
           tensor->shape[3] == kernel;
}

/* By the first layer of the encoder, and by the first and last layers of two decoders:
 * other networks have IFRNet's encoder and names, but their decoders take or give
 * more. */
static bool is_variant(const VfiCheckpoint *checkpoint, const Variant *variant)
{
    const int *width = variant->width, *decoder = variant->decoder;

    return has_weight(checkpoint, "encoder.pyramid1.0.0", width[0], 3, variant->kernel) &&
           has_weight(checkpoint, "decoder4.convblock.0.0", decoder[3], 2 * width[3] + 1,
                      3) &&
           has_weight(checkpoint, "decoder4.convblock.1.conv2.0", variant->side,
                      variant->side, 3) &&
           has_weight(checkpoint, "decoder1.convblock.0.0", decoder[0], 3 * width[0] + 4,
                      3) &&
           has_weight(checkpoint, "decoder1.convblock.2", decoder[0], 8, 4);
}

static VfiDetection ifrnet_detect(const VfiCheckpoint *checkpoint)
{
    for (int i = 0; i < (int)G_N_ELEMENTS(variants); i++)
        if (is_variant(checkpoint, &variants[i]))
            return (VfiDetection){.score = 100,
                                  .variant = i,
                                  .name = variants[i].name,
                                  .time_mode = VFI_TIME_ANY};
    return (VfiDetection){0};
}

static const char *ifrnet_variant_name(int variant)
{
    return variants[variant].name;
}

static bool ifrnet_wants(const VfiModelSetup *setup, const char *tensor)
{
    (void)setup;
    return g_str_has_prefix(tensor, "encoder.") || g_str_has_prefix(tensor, "decoder");
}

/* The encoder halves the scaled size four times, and decoders double its output. */
static int ifrnet_size_multiple(const VfiModelSetup *setup, double flow_scale)
{
    (void)setup;
    return (int)((1 << LEVELS) / flow_scale);
}

static VfiOutputKind ifrnet_output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

const VfiModelFamily vfi_family_ifrnet = {
    .name = "ifrnet",
    .options = ifrnet_options,
    .n_options = G_N_ELEMENTS(ifrnet_options),
    .n_variants = (int)G_N_ELEMENTS(variants),
    .variant_name = ifrnet_variant_name,
    .has_weights = true,
    .has_scale = true,
    .can_tile = true,
    .wants_mean = true,
    .detect = ifrnet_detect,
    .wants = ifrnet_wants,
    .size_multiple = ifrnet_size_multiple,
    .output = ifrnet_output,
    .build = ifrnet_build,
};
