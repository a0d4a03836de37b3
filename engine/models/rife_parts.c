/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers and blocks that RIFE's networks share. */
#include "models/rife.h"

/* Of a block, its flow included. */
#define MAX_INPUTS 12

VfiRife vfi_rife_begin(VfiGraph *graph)
{
    VfiRife rife = {.graph = graph,
                    .image = {vfi_graph_image(graph, 0), vfi_graph_image(graph, 1)}};
    VfiShape shape = vfi_graph_shape(graph, rife.image[0]);

    rife.height = shape.h;
    rife.width = shape.w;
    return rife;
}

VfiValue vfi_rife_swap_flow(VfiGraph *graph, VfiValue flow)
{
    VfiValue halves[] = {vfi_graph_slice(graph, flow, 2, 2),
                         vfi_graph_slice(graph, flow, 0, 2)};

    return vfi_graph_concat(graph, halves, 2);
}

VfiValue vfi_rife_warp(VfiGraph *graph, VfiValue x, int frame, VfiValue flow)
{
    return vfi_graph_warp(graph, x, vfi_graph_slice(graph, flow, 2 * frame, 2));
}

VfiRifeDelta vfi_rife_average(VfiGraph *graph, VfiRifeDelta delta, VfiRifeDelta reversed)
{
    return (VfiRifeDelta){
        .flow = vfi_graph_add(graph, delta.flow, vfi_rife_swap_flow(graph, reversed.flow),
                              0.5f),
        .mask = vfi_graph_sub(graph, delta.mask, reversed.mask, 0.5f),
        .features = VFI_NO_VALUE,
    };
}

/* Size of a full-size dimension at 1/scale. */
static int scaled(int size, double scale)
{
    return (int)((double)size / scale);
}

VfiValue vfi_rife_time(const VfiRife *rife, double scale, bool reversed)
{
    return vfi_graph_run_input(rife->graph, VFI_RUN_INPUT_TIME,
                               scaled(rife->height, scale), scaled(rife->width, scale),
                               reversed ? -1.0f : 1.0f, reversed ? 1.0f : 0.0f);
}

VfiValue vfi_rife_block_input(const VfiRife *rife, const VfiValue *inputs, int n,
                              VfiValue flow, double scale)
{
    int h = scaled(rife->height, scale), w = scaled(rife->width, scale);
    VfiValue parts[MAX_INPUTS];
    int n_parts = 0;

    for (int i = 0; i < n; i++)
        parts[n_parts++] = vfi_graph_resize(rife->graph, inputs[i], h, w, 1.0f);
    if (flow != VFI_NO_VALUE)
        parts[n_parts++] =
            vfi_graph_resize(rife->graph, flow, h, w, (float)(1.0 / scale));
    return vfi_graph_concat(rife->graph, parts, n_parts);
}

VfiValue vfi_rife_activate(VfiGraph *graph, VfiValue x, VfiRifeActivation activation,
                           const char *prelu)
{
    return activation == VFI_RIFE_PRELU ? vfi_graph_prelu(graph, x, prelu)
                                        : vfi_graph_leaky_relu(graph, x, 0.2f);
}

VfiValue vfi_rife_conv(VfiGraph *graph, VfiValue x, const char *prefix, int out,
                       int stride, VfiRifeActivation activation)
{
    x = vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.0", prefix), out, 3, stride);
    return vfi_rife_activate(graph, x, activation, vfi_graph_key(graph, "%s.1", prefix));
}

VfiValue vfi_rife_conv0(VfiGraph *graph, VfiValue x, int block, int c,
                        VfiRifeActivation activation)
{
    x = vfi_rife_conv(graph, x, vfi_graph_key(graph, "block%d.conv0.0", block), c / 2, 2,
                      activation);
    return vfi_rife_conv(graph, x, vfi_graph_key(graph, "block%d.conv0.1", block), c, 2,
                         activation);
}
