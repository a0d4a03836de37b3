/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLBVFI's encoder: features of single frames, then latents of three of them, which also
 * see how brightness changes between them (by wavelets). */
#include "models/tlbvfi.h"

/* Frames as brightness. */
static const float grey_weights[] = {0.2989f, 0.5870f, 0.1140f};

/* Channels of each level's features. */
static const int widths[VFI_TLBVFI_LEVELS] = {64, 128, 128, 128, VFI_TLBVFI_COARSEST};

/* Channels of the wavelet's network inside, and of its normalisations' groups. */
#define FREQUENCY_WIDTH 64
#define GROUPS 4

/* ---- features of a frame ----------------------------------------------------------- */

/* Downsample: 3 × 3 of stride 2 with zeros right and below. */
static VfiValue halve(VfiGraph *graph, VfiValue x, const char *key)
{
    const VfiConvSetup setup = {.out = vfi_graph_shape(graph, x).c,
                                .kernel = 3,
                                .stride = 2,
                                .pad_begin = 0,
                                .pad_end = 1,
                                .has_bias = true};

    return vfi_graph_conv_with(graph, x, key, &setup);
}

void vfi_tlbvfi_encode(VfiGraph *graph, VfiValue image, int levels, VfiValue *features)
{
    VfiValue x = vfi_graph_conv(graph, image, "vqgan.encoder.conv_in", widths[0], 3, 1);

    features[0] = x;
    for (int level = 0; level < levels; level++) {
        const char *key = vfi_graph_key(graph, "vqgan.encoder.down.%d", level);
        x = vfi_tlbvfi_resnet(graph, x, vfi_graph_key(graph, "%s.block.0", key),
                              widths[level]);
        if (level == VFI_TLBVFI_LEVELS - 1)
            x = vfi_tlbvfi_max_attention(graph, x, VFI_NO_VALUE,
                                         vfi_graph_key(graph, "%s.attn.0", key));
        x = halve(graph, x, vfi_graph_key(graph, "%s.downsample.conv", key));
        features[level + 1] = x;
    }
}

/* A plane of the blank frame, which is halfway between the ends of [0,1], times
 * @factor. */
static VfiValue blank_plane(VfiGraph *graph, int h, int w, float factor)
{
    VfiValue middle =
        vfi_graph_run_input(graph, VFI_RUN_INPUT_IMAGE_MUL, h, w, 0.5f * factor, 0.0f);
    VfiValue add =
        vfi_graph_run_input(graph, VFI_RUN_INPUT_IMAGE_ADD, h, w, factor, 0.0f);

    return vfi_graph_add(graph, middle, add, 1.0f);
}

VfiValue vfi_tlbvfi_encode_blank(VfiGraph *graph)
{
    VfiShape size = vfi_graph_shape(graph, vfi_graph_image(graph, 0));
    VfiValue features[VFI_TLBVFI_FEATURES], planes[3];

    for (int c = 0; c < 3; c++)
        planes[c] = blank_plane(graph, size.h, size.w, 1.0f);
    vfi_tlbvfi_encode(graph, vfi_graph_concat(graph, planes, 3), VFI_TLBVFI_LEVELS,
                      features);
    return features[VFI_TLBVFI_LEVELS];
}

/* ---- what changes from frame to frame ---------------------------------------------- */

/* Brightness of frame @frame, 1 × h × w. */
static VfiValue grey(VfiGraph *graph, int frame)
{
    VfiValue image =
        vfi_tlbvfi_in_range(graph, vfi_graph_image(graph, frame), VFI_RUN_INPUT_IMAGE_MUL,
                            VFI_RUN_INPUT_IMAGE_ADD);
    VfiValue sum = VFI_NO_VALUE;

    for (int c = 0; c < 3; c++) {
        VfiValue part = vfi_graph_affine(graph, vfi_graph_slice(graph, image, c, 1),
                                         grey_weights[c], 0.0f);
        sum = c == 0 ? part : vfi_graph_add(graph, sum, part, 1.0f);
    }
    return sum;
}

/* All but the lowest of the subbands of two levels of a Haar transform, 21 × h × w: seven
 * of two frames each, then seven of one. */
static VfiValue high_frequencies(VfiGraph *graph)
{
    VfiShape size = vfi_graph_shape(graph, vfi_graph_image(graph, 0));
    float white = grey_weights[0] + grey_weights[1] + grey_weights[2];
    VfiValue frames[VFI_TLBVFI_FRAMES] = {
        grey(graph, 0), blank_plane(graph, size.h, size.w, white), grey(graph, 1)};
    VfiValue fine =
        vfi_graph_haar(graph, vfi_graph_concat(graph, frames, VFI_TLBVFI_FRAMES));
    VfiValue coarse = vfi_graph_haar(graph, vfi_graph_slice(graph, fine, 0, 2));
    VfiValue parts[] = {vfi_graph_slice(graph, fine, 2, 7 * 2),
                        vfi_graph_slice(graph, coarse, 1, 7)};

    return vfi_graph_concat(graph, parts, 2);
}

static VfiValue norm_relu(VfiGraph *graph, VfiValue x, const char *key)
{
    return vfi_tlbvfi_norm(graph, x, key, GROUPS, VFI_ACTIVATION_LEAKY);
}

/* Frequency_block: to a quarter of the size. */
static VfiValue frequency_block(VfiGraph *graph, VfiValue x, const char *key, int out)
{
    const VfiConvSetup quarter = {.out = out,
                                  .kernel = 5,
                                  .stride = 4,
                                  .pad_begin = 1,
                                  .pad_end = 1,
                                  .has_bias = true};
    VfiValue h = norm_relu(graph, x, vfi_graph_key(graph, "%s.norm1", key));

    h = vfi_graph_conv(graph, h, vfi_graph_key(graph, "%s.conv1", key), out, 5, 2);
    h = norm_relu(graph, h, vfi_graph_key(graph, "%s.norm2", key));
    h = vfi_graph_conv(graph, h, vfi_graph_key(graph, "%s.conv2", key), out, 5, 2);
    x = vfi_graph_conv_with(graph, x, vfi_graph_key(graph, "%s.shortcut", key), &quarter);
    return vfi_graph_add(graph, h, x, 1.0f);
}

/* Frequency_extractor: 256 × h/32 × w/32. */
static VfiValue frequency_features(VfiGraph *graph)
{
    VfiValue x = vfi_graph_conv(graph, high_frequencies(graph),
                                "vqgan.encoder.frequency_extractor.conv_in",
                                FREQUENCY_WIDTH, 3, 2);

    x = frequency_block(graph, x, "vqgan.encoder.frequency_extractor.Blocks.0",
                        FREQUENCY_WIDTH);
    return frequency_block(graph, x, "vqgan.encoder.frequency_extractor.Blocks.1",
                           VFI_TLBVFI_COARSEST);
}

/* ---- latents ----------------------------------------------------------------------- */

/* x · (1 + gate), 256 × h/32 × w/32. */
static VfiValue emphasise(VfiGraph *graph, VfiValue x, VfiValue gate)
{
    return vfi_graph_add(graph, vfi_graph_mul(graph, x, gate), x, 1.0f);
}

VfiValue vfi_tlbvfi_latents(VfiGraph *graph, const VfiValue coarsest[VFI_TLBVFI_FRAMES])
{
    VfiValue gate = vfi_graph_sigmoid(graph, frequency_features(graph));
    VfiValue frames[VFI_TLBVFI_FRAMES];

    for (int f = 0; f < VFI_TLBVFI_FRAMES; f++)
        frames[f] = emphasise(graph, coarsest[f], gate);
    VfiValue x = vfi_graph_concat(graph, frames, VFI_TLBVFI_FRAMES);
    x = vfi_tlbvfi_fuse_frames(graph, x, "vqgan.encoder.mid.block_1");
    x = vfi_tlbvfi_attend_frames(graph, x, "vqgan.encoder.mid.attn_1");
    x = vfi_tlbvfi_fuse_frames(graph, x, "vqgan.encoder.mid.block_2");
    x = vfi_tlbvfi_norm_frames(graph, x, "vqgan.encoder.norm_out");
    const VfiConv3dSetup to_latents = {.frames = VFI_TLBVFI_FRAMES,
                                       .out = VFI_TLBVFI_LATENT,
                                       .kernel_frames = 3,
                                       .kernel = 3,
                                       .pad_frames = 1};
    x = vfi_graph_conv3d(graph, x, "vqgan.encoder.conv_out", &to_latents);
    for (int f = 0; f < VFI_TLBVFI_FRAMES; f++)
        frames[f] = vfi_graph_conv(graph, vfi_tlbvfi_frame(graph, x, f),
                                   "vqgan.quant_conv", VFI_TLBVFI_LATENT, 1, 1);
    return vfi_graph_concat(graph, frames, VFI_TLBVFI_FRAMES);
}
