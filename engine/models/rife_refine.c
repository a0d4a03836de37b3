/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "models/rife_refine.h"

#define CONTEXT_LEVELS 4

static const char *const context_names[CONTEXT_LEVELS] = {"context1", "context2",
                                                          "context3", "context4"};

/* Conv2: a stride-2 convolution, then one of stride 1. */
static VfiValue conv2(VfiGraph *graph, VfiValue x, const char *prefix, int out,
                      VfiRifeActivation activation)
{
    x = vfi_rife_conv(graph, x, vfi_graph_key(graph, "%s.conv1", prefix), out, 2,
                      activation);
    return vfi_rife_conv(graph, x, vfi_graph_key(graph, "%s.conv2", prefix), out, 1,
                         activation);
}

static VfiValue conv_transpose(VfiGraph *graph, VfiValue x, const char *prefix, int out,
                               VfiRifeActivation activation)
{
    x = vfi_graph_conv_transpose(graph, x, vfi_graph_key(graph, "%s.0", prefix), out);
    return vfi_rife_activate(graph, x, activation, vfi_graph_key(graph, "%s.1", prefix));
}

void vfi_rife_context(VfiGraph *graph, VfiRifeActivation activation)
{
    VfiValue x = vfi_graph_image(graph, 0);

    /* 3 → 16 → 32 → 64 → 128 channels */
    for (int level = 0; level < CONTEXT_LEVELS; level++) {
        x = conv2(graph, x, vfi_graph_key(graph, "contextnet.conv%d", level + 1),
                  16 << level, activation);
        vfi_graph_output(graph, context_names[level], x);
    }
}

/* The context features of @frame, warped by @flow (2 channels) halved level by level. */
static void warp_context(VfiGraph *graph, int frame, VfiValue flow, VfiValue *warped)
{
    for (int level = 0; level < CONTEXT_LEVELS; level++) {
        VfiShape shape = vfi_graph_shape(graph, flow);
        flow = vfi_graph_resize(graph, flow, shape.h / 2, shape.w / 2, 0.5f);
        warped[level] = vfi_graph_warp(
            graph, vfi_graph_feature(graph, frame, context_names[level]), flow);
    }
}

static VfiValue concat2(VfiGraph *graph, VfiValue a, VfiValue b)
{
    return vfi_graph_concat(graph, (VfiValue[]){a, b}, 2);
}

static VfiValue concat3(VfiGraph *graph, VfiValue a, VfiValue b, VfiValue c)
{
    return vfi_graph_concat(graph, (VfiValue[]){a, b, c}, 3);
}

/* The U-Net: four levels down, each joined by both frames' context, four up with skips.
 * In 17 channels, out the residual in (0,1). */
static VfiValue unet(VfiGraph *graph, const VfiRifeRefineInput *input, const VfiValue *c0,
                     const VfiValue *c1)
{
    VfiValue all[] = {input->image0,  input->image1, input->warped0,
                      input->warped1, input->mask,   input->flow};
    VfiRifeActivation a = input->activation;
    VfiValue s0 = conv2(graph, vfi_graph_concat(graph, all, 6), "unet.down0", 32, a);
    VfiValue s1 = conv2(graph, concat3(graph, s0, c0[0], c1[0]), "unet.down1", 64, a);
    VfiValue s2 = conv2(graph, concat3(graph, s1, c0[1], c1[1]), "unet.down2", 128, a);
    VfiValue s3 = conv2(graph, concat3(graph, s2, c0[2], c1[2]), "unet.down3", 256, a);

    VfiValue x =
        conv_transpose(graph, concat3(graph, s3, c0[3], c1[3]), "unet.up0", 128, a);
    x = conv_transpose(graph, concat2(graph, x, s2), "unet.up1", 64, a);
    x = conv_transpose(graph, concat2(graph, x, s1), "unet.up2", 32, a);
    x = conv_transpose(graph, concat2(graph, x, s0), "unet.up3", 16, a);
    return vfi_graph_sigmoid(graph, vfi_graph_conv(graph, x, "unet.conv", 3, 3, 1));
}

VfiValue vfi_rife_refine(VfiGraph *graph, const VfiRifeRefineInput *input, VfiValue blend)
{
    VfiValue c0[CONTEXT_LEVELS], c1[CONTEXT_LEVELS];

    warp_context(graph, 0, vfi_graph_slice(graph, input->flow, 0, 2), c0);
    warp_context(graph, 1, vfi_graph_slice(graph, input->flow, 2, 2), c1);
    VfiValue residual = vfi_graph_affine(graph, unet(graph, input, c0, c1), 2.0f, -1.0f);

    /* warped0 · m + warped1 · (1 - m) */
    VfiValue difference = vfi_graph_sub(graph, input->warped0, input->warped1, 1.0f);
    VfiValue merged = vfi_graph_add(graph, vfi_graph_mul(graph, difference, blend),
                                    input->warped1, 1.0f);
    return vfi_graph_clamp(graph, vfi_graph_add(graph, merged, residual, 1.0f), 0.0f,
                           1.0f);
}
