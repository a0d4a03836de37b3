/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RIFE 3.2 … 3.8: three blocks, each run on both directions, midpoint only (source:
 * hzwer/ECCV2022-RIFE, train_log HDv3). */
#include "models/rife.h"

#include <string.h>

#define BLOCKS 3
#define WIDTH 90
static const double block_scale[BLOCKS] = {VFI_RIFE_V3_COARSEST, 2, 1};

/* Two transposed convolutions c → c/2 → out, from 1/4 of the block's size to all of
 * it. */
static VfiValue head(VfiGraph *graph, VfiValue x, const char *prefix, int out)
{
    x = vfi_graph_conv_transpose(graph, x, vfi_graph_key(graph, "%s.0", prefix),
                                 WIDTH / 2);
    x = vfi_graph_prelu(graph, x, vfi_graph_key(graph, "%s.1", prefix));
    return vfi_graph_conv_transpose(graph, x, vfi_graph_key(graph, "%s.2", prefix), out);
}

/* IFBlock: 11 channels in; four residual pairs of 3×3 convolutions, 90 channels wide. */
static VfiRifeDelta run_block(const VfiRife *rife, int block, const VfiValue *inputs,
                              VfiValue flow, double scale)
{
    VfiGraph *graph = rife->graph;
    VfiValue x = vfi_rife_block_input(rife, inputs, 3, flow, scale);

    x = vfi_rife_conv0(graph, x, block, WIDTH, VFI_RIFE_PRELU);
    for (int i = 0; i < 4; i++) {
        const char *pair = vfi_graph_key(graph, "block%d.convblock%d", block, i);
        VfiValue y = vfi_rife_conv(graph, x, vfi_graph_key(graph, "%s.0", pair), WIDTH, 1,
                                   VFI_RIFE_PRELU);
        y = vfi_rife_conv(graph, y, vfi_graph_key(graph, "%s.1", pair), WIDTH, 1,
                          VFI_RIFE_PRELU);
        x = vfi_graph_add(graph, y, x, 1.0f);
    }
    VfiValue flow_delta = head(graph, x, vfi_graph_key(graph, "block%d.conv1", block), 4);
    VfiValue mask_delta = head(graph, x, vfi_graph_key(graph, "block%d.conv2", block), 1);
    return (VfiRifeDelta){
        .flow =
            vfi_graph_resize(graph, flow_delta, rife->height, rife->width, (float)scale),
        .mask = vfi_graph_resize(graph, mask_delta, rife->height, rife->width, 1.0f),
        .features = VFI_NO_VALUE,
    };
}

/* Every block sees both directions, starting from no motion and an even mask. */
void vfi_rife_v3_build_time(VfiGraph *graph, const VfiModelSetup *setup,
                            double flow_scale)
{
    VfiRife rife = vfi_rife_begin(graph);
    VfiValue zero = vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, rife.height,
                                        rife.width, 0.0f, 0.0f);
    VfiValue no_motion[] = {zero, zero, zero, zero};
    VfiValue flow = vfi_graph_concat(graph, no_motion, 4), mask = zero;
    VfiValue warped[] = {rife.image[0], rife.image[1]};

    if (vfi_setup_boolean(setup, "ensemble") || vfi_setup_boolean(setup, "refine"))
        vfi_graph_fail(graph,
                       "RIFE 3.2 to 3.8 have neither ensemble nor refine: they run "
                       "both directions anyway and have no refinement network");
    if (strcmp(vfi_setup_string(setup, "pyramid"), "own") != 0)
        vfi_graph_fail(graph, "RIFE 3.2 to 3.8 have no option pyramid, which is for "
                              "4.25.lite");
    for (int block = 0; block < BLOCKS; block++) {
        double scale = block_scale[block] / flow_scale;
        VfiValue forward[] = {warped[0], warped[1], mask};
        VfiValue backward[] = {warped[1], warped[0],
                               vfi_graph_affine(graph, mask, -1.0f, 0.0f)};
        VfiRifeDelta delta = run_block(&rife, block, forward, flow, scale);
        VfiRifeDelta reversed =
            run_block(&rife, block, backward, vfi_rife_swap_flow(graph, flow), scale);
        delta = vfi_rife_average(graph, delta, reversed);
        flow = vfi_graph_add(graph, flow, delta.flow, 1.0f);
        mask = vfi_graph_add(graph, mask, delta.mask, 1.0f);
        for (int frame = 0; frame < 2; frame++)
            warped[frame] = vfi_rife_warp(graph, rife.image[frame], frame, flow);
    }
    vfi_graph_output(graph, "flow", flow);
    vfi_graph_output(graph, "mask", vfi_graph_sigmoid(graph, mask));
}
