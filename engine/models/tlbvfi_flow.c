/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Optical flow in TLBVFI: the IFNet of VFIformer (Lu et al., "Video Frame Interpolation
 * with Transformer", CVPR 2022), then a refinement that compares what the flow brings
 * together. Flows are in pixels of the picture that they are found in, channels dx0, dy0,
 * dx1, dy1. */
#include "models/tlbvfi.h"

/* ---- IFNet ------------------------------------------------------------------------- */

/* Its blocks, which see the frames at 1/4, 1/2 and 1 of the size. */
static const struct {
    int scale, width;
} blocks[] = {{4, 240}, {2, 150}, {1, 90}};

/* Convolutions in the middle of a block. */
#define BLOCK_DEPTH 8

static VfiValue resize(VfiGraph *graph, VfiValue x, double factor, float mul)
{
    VfiShape size = vfi_graph_shape(graph, x);

    return vfi_graph_resize(graph, x, (int)(size.h * factor), (int)(size.w * factor),
                            mul);
}

/* Sequential(Conv2d, PReLU), @key.0 and @key.1. */
static VfiValue conv_prelu(VfiGraph *graph, VfiValue x, const char *key, int out,
                           int stride)
{
    x = vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.0", key), out, 3, stride);
    return vfi_graph_prelu(graph, x, vfi_graph_key(graph, "%s.1", key));
}

/* IFBlock: flow at half of the size of @x, 4 × h/2 × w/2. */
static VfiValue flow_block(VfiGraph *graph, VfiValue x, int index)
{
    const char *key = vfi_graph_key(graph, "vqgan.decoder.flownet.block%d", index);
    int scale = blocks[index].scale, c = blocks[index].width;

    if (scale != 1)
        x = resize(graph, x, 1.0 / scale, 1.0f);
    x = conv_prelu(graph, x, vfi_graph_key(graph, "%s.conv0.0", key), c / 2, 2);
    x = conv_prelu(graph, x, vfi_graph_key(graph, "%s.conv0.1", key), c, 2);
    VfiValue h = x;
    for (int i = 0; i < BLOCK_DEPTH; i++)
        h = conv_prelu(graph, h, vfi_graph_key(graph, "%s.convblock.%d", key, i), c, 1);
    x = vfi_graph_add(graph, h, x, 1.0f);
    x = vfi_graph_conv_transpose(graph, x, vfi_graph_key(graph, "%s.conv1", key), 4);
    return scale == 1 ? x : resize(graph, x, scale, 1.0f);
}

/* Both frames as the flow found so far has them, and that flow, at the frames' size. */
static VfiValue warped_input(VfiGraph *graph, const VfiValue image[2], VfiValue flow)
{
    VfiValue large = resize(graph, flow, 2.0, 2.0f);
    VfiValue parts[] = {
        vfi_graph_warp(graph, image[0], vfi_graph_slice(graph, large, 0, 2)),
        vfi_graph_warp(graph, image[1], vfi_graph_slice(graph, large, 2, 2)),
        large,
    };

    return vfi_graph_concat(graph, parts, 3);
}

/* Flow in pixels of half the frames' size, 4 × h/2 × w/2. */
static VfiValue coarse_flow(VfiGraph *graph, const VfiValue image[2])
{
    VfiValue flow = flow_block(graph, vfi_graph_concat(graph, image, 2), 0);

    for (int i = 1; i < (int)G_N_ELEMENTS(blocks); i++) {
        VfiValue delta = flow_block(graph, warped_input(graph, image, flow), i);
        flow = vfi_graph_add(graph, flow, delta, 1.0f);
    }
    return flow;
}

/* ---- refinement -------------------------------------------------------------------- */

/* FlowRefineNetA's layers: @key.@index and the PReLU behind it. */
static VfiValue layer(VfiGraph *graph, VfiValue x, const char *key, int index, int out,
                      int kernel)
{
    x = vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.%d", key, index), out, kernel,
                       1);
    return vfi_graph_prelu(graph, x, vfi_graph_key(graph, "%s.%d", key, index + 1));
}

/* What both frames have at a place of the in-between: @fea0, @fea1 or a mixture, c × h ×
 * w. */
static VfiValue mix_features(VfiGraph *graph, VfiValue fea0, VfiValue fea1,
                             const char *block)
{
    const char *key = vfi_graph_key(graph, "%s.occl_convs", block);
    int c = vfi_graph_shape(graph, fea0).c;
    VfiValue x = vfi_graph_concat(graph, (VfiValue[]){fea0, fea1}, 2);

    x = layer(graph, x, key, 0, c, 1);
    x = layer(graph, x, key, 2, c, 1);
    x = vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.4", key), 1, 1, 1);
    x = vfi_graph_sigmoid(graph, x);
    VfiValue difference = vfi_graph_sub(graph, fea0, fea1, 1.0f);
    return vfi_graph_add(graph, vfi_graph_mul(graph, difference, x), fea1, 1.0f);
}

/* Motion features of one frame, c × h × w: the flow, and how well what lies around its
 * target resembles @mixed. */
static VfiValue motion_features(VfiGraph *graph, VfiValue features, VfiValue flow,
                                VfiValue mixed, const char *block)
{
    int c = vfi_graph_shape(graph, features).c;
    const char *key = vfi_graph_key(graph, "%s.corr_convs", block);
    VfiValue similar = vfi_graph_correlation(graph, features, flow, mixed);

    similar = layer(graph, similar, key, 0, c, 1);
    similar = layer(graph, similar, key, 2, c, 1);
    key = vfi_graph_key(graph, "%s.flow_convs", block);
    VfiValue x = layer(graph, flow, key, 0, c, 3);
    x = layer(graph, x, key, 2, c, 3);
    x = vfi_graph_concat(graph, (VfiValue[]){similar, x}, 2);
    return layer(graph, x, vfi_graph_key(graph, "%s.motion_convs", block), 0, c, 3);
}

/* One frame's @flow, 2 × h × w, corrected. @warped are the features that it leads to. */
static VfiValue correct_flow(VfiGraph *graph, VfiValue features, VfiValue flow,
                             VfiValue warped, VfiValue mixed, const char *block)
{
    int c = vfi_graph_shape(graph, features).c;
    VfiValue motion = motion_features(graph, features, flow, mixed, block);
    VfiValue x = vfi_graph_concat(graph, (VfiValue[]){mixed, warped, motion, flow}, 4);
    const char *key = vfi_graph_key(graph, "%s.gru", block);

    x = layer(graph, x, key, 0, c, 3);
    x = layer(graph, x, key, 2, c, 3);
    key = vfi_graph_key(graph, "%s.flow_head", block);
    x = layer(graph, x, key, 0, c, 3);
    x = vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.2", key), 2, 3, 1);
    return vfi_graph_add(graph, x, flow, 1.0f);
}

/* FlowRefineNetA at one size. */
static VfiValue refine(VfiGraph *graph, const VfiValue features[2], VfiValue flow,
                       const char *block)
{
    VfiValue part[2], warped[2];

    for (int i = 0; i < 2; i++) {
        part[i] = vfi_graph_slice(graph, flow, 2 * i, 2);
        warped[i] = vfi_graph_warp(graph, features[i], part[i]);
    }
    VfiValue mixed = mix_features(graph, warped[0], warped[1], block);
    for (int i = 0; i < 2; i++)
        part[i] = correct_flow(graph, features[i], part[i], warped[i], mixed, block);
    return vfi_graph_concat(graph, part, 2);
}

VfiValue vfi_tlbvfi_find_flow(VfiGraph *graph, const VfiValue image[2],
                              VfiValue (*features)[VFI_TLBVFI_FLOW_FEATURES])
{
    VfiValue flow = resize(graph, coarse_flow(graph, image), 0.25, 0.25f);

    for (int level = VFI_TLBVFI_FLOW_FEATURES; level >= 1; level--) {
        const VfiValue of_level[] = {features[0][level - 1], features[1][level - 1]};
        flow = refine(graph, of_level, flow,
                      vfi_graph_key(graph, "vqgan.decoder.refinenet.rf_block%d", level));
        if (level > 1)
            flow = resize(graph, flow, 2.0, 2.0f);
    }
    return flow;
}

void vfi_tlbvfi_warp_features(VfiGraph *graph, VfiValue flow, const VfiValue *features,
                              VfiValue *warped)
{
    for (int i = 1; i < VFI_TLBVFI_FLOW_FEATURES; i++) {
        flow = resize(graph, flow, 0.5, 0.5f);
        warped[i] = vfi_graph_warp(graph, features[i], flow);
    }
}
