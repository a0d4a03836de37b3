/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RIFE (Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation",
 * ECCV 2022), in the form of its released models:
 *   4.0, 4.1   four blocks, any time       (source: HolyWu/vs-rife 2.0.0, IFNet_HDv3.py)
 *   3.2 … 3.8  three blocks, midpoint only (source: hzwer/ECCV2022-RIFE, train_log HDv3)
 *
 * A coarse-to-fine chain of blocks refines two optical flows (from the in-between to frame 0
 * and to frame 1) and a mask that blends the two warped frames. Flows are in pixels of the
 * padded frame: channels dx0, dy0, dx1, dy1. */
#include "../family.h"

#include <string.h>

#include "rife_refine.h"

typedef enum {
    RIFE_3_6, /* 3.2 … 3.8 */
    RIFE_4_0, /* 4.0, 4.1 */
} RifeVariant;

static const VfiOptionSpec rife_options[] = {
    {"ensemble", "b", 0, 1, "false",
     "4.0, 4.1: average each block with its run on the swapped frames; twice the time",
     FALSE},
    {"refine", "b", 0, 1, "false",
     "4.0, 4.1: correct the result with the context and U-nets, in RGB", TRUE},
    {"pad-multiple", "u", 0, 1024, "0",
     "pad width and height to a multiple of this if it is larger than the smallest one; "
     "0 is "
     "the smallest",
     FALSE},
    {"bisect-depth", "u", 1, 4, "2", "3.x: times are rounded to multiples of 1/2^depth",
     FALSE},
};

/* What is known of the in-between so far; all of full padded size. */
typedef struct {
    VfiValue flow;             /* 4 channels */
    VfiValue mask;             /* 1 channel, before the sigmoid */
    VfiValue warped0, warped1; /* 3 channels each */
} RifeState;

/* The images and how a block's inputs are scaled. */
typedef struct {
    VfiGraph *graph;
    VfiValue image0, image1;
    int height, width; /* padded size */
    bool ensemble;
} Rife;

static Rife rife_begin(VfiGraph *graph, const VfiModelSetup *setup)
{
    VfiValue image0 = vfi_graph_image(graph, 0);
    VfiShape shape = vfi_graph_shape(graph, image0);

    return (Rife){
        .graph = graph,
        .image0 = image0,
        .image1 = vfi_graph_image(graph, 1),
        .height = shape.h,
        .width = shape.w,
        .ensemble = vfi_setup_boolean(setup, "ensemble"),
    };
}

/* The flows with the roles of the two frames exchanged. */
static VfiValue swap_flow(VfiGraph *graph, VfiValue flow)
{
    VfiValue halves[] = {vfi_graph_slice(graph, flow, 2, 2),
                         vfi_graph_slice(graph, flow, 0, 2)};

    return vfi_graph_concat(graph, halves, 2);
}

static void warp_images(const Rife *rife, RifeState *state)
{
    VfiGraph *graph = rife->graph;

    state->warped0 =
        vfi_graph_warp(graph, rife->image0, vfi_graph_slice(graph, state->flow, 0, 2));
    state->warped1 =
        vfi_graph_warp(graph, rife->image1, vfi_graph_slice(graph, state->flow, 2, 2));
}

/* Size of a full-size dimension at 1/scale. */
static int scaled(int size, double scale)
{
    return (int)((double)size / scale);
}

/* The input of a block at 1/scale: @inputs resized, then the flow resized and its pixels
 * rescaled. */
static VfiValue block_input(const Rife *rife, const VfiValue *inputs, int n,
                            VfiValue flow, double scale)
{
    int h = scaled(rife->height, scale), w = scaled(rife->width, scale);
    VfiValue parts[8];
    int n_parts = 0;

    for (int i = 0; i < n; i++)
        parts[n_parts++] = vfi_graph_resize(rife->graph, inputs[i], h, w, 1.0f);
    if (flow != VFI_NO_VALUE)
        parts[n_parts++] =
            vfi_graph_resize(rife->graph, flow, h, w, (float)(1.0 / scale));
    return vfi_graph_concat(rife->graph, parts, n_parts);
}

/* conv0 of every block: two stride-2 convolutions, n → c/2 → c, 1/4 of the block's size. */
static VfiValue block_conv0(VfiGraph *graph, VfiValue x, int block, int c)
{
    x = vfi_rife_conv_prelu(graph, x, vfi_graph_key(graph, "block%d.conv0.0", block),
                            c / 2, 2);
    return vfi_rife_conv_prelu(graph, x, vfi_graph_key(graph, "block%d.conv0.1", block),
                               c, 2);
}

/* ---- 4.0, 4.1 ------------------------------------------------------------------------- */

/* Width of each block and its scale at flow scale 1. */
static const int v4_width[] = {192, 128, 96, 64};
static const double v4_scale[] = {8, 4, 2, 1};
#define V4_BLOCKS ((int)G_N_ELEMENTS(v4_width))

/* Flow (4 channels) and mask (1) that a block adds. */
typedef struct {
    VfiValue flow, mask;
} RifeDelta;

/* IFBlock: in 7 channels (first block) or 12 (8 and the flow's 4). convblock: eight 3×3
 * convolutions c → c with a skip over all of them; lastconv: c → 5 at 1/2 of the block's
 * size, resized by 2·scale to full size. */
static RifeDelta v4_block(const Rife *rife, int block, const VfiValue *inputs, int n,
                          VfiValue flow, double scale)
{
    VfiGraph *graph = rife->graph;
    int c = v4_width[block];
    VfiValue x = block_input(rife, inputs, n, flow, scale);
    VfiValue feature = block_conv0(graph, x, block, c);

    /* What the first block finds is corrected by three more, and nothing builds on the last
     * one's correction. Rounded to bf16, the largest error of trained pictures is 6e-3; with
     * the blocks between them it would be 2e-2. */
    vfi_graph_tolerate_bf16(graph, block == 0 || block == V4_BLOCKS - 1);
    x = feature;
    for (int i = 0; i < 8; i++)
        x = vfi_rife_conv_prelu(
            graph, x, vfi_graph_key(graph, "block%d.convblock.%d", block, i), c, 1);
    vfi_graph_tolerate_bf16(graph, false);
    feature = vfi_graph_add(graph, x, feature, 1.0f);

    VfiValue last = vfi_graph_deconv(graph, feature,
                                     vfi_graph_key(graph, "block%d.lastconv", block), 5);
    return (RifeDelta){
        .flow = vfi_graph_resize(graph, vfi_graph_slice(graph, last, 0, 4), rife->height,
                                 rife->width, (float)(2.0 * scale)),
        .mask = vfi_graph_resize(graph, vfi_graph_slice(graph, last, 4, 1), rife->height,
                                 rife->width, 1.0f),
    };
}

/* The time plane at the block's own size (resizing a constant plane changes nothing);
 * @reversed: 1 - t, for the swapped frames. */
static VfiValue v4_time(const Rife *rife, double scale, bool reversed)
{
    return vfi_graph_time(rife->graph, scaled(rife->height, scale),
                          scaled(rife->width, scale), reversed ? -1.0f : 1.0f,
                          reversed ? 1.0f : 0.0f);
}

/* Mean of a delta and the swapped frames' delta seen from here. */
static RifeDelta v4_average(VfiGraph *graph, RifeDelta delta, RifeDelta reversed)
{
    return (RifeDelta){
        .flow = vfi_graph_add(graph, delta.flow, swap_flow(graph, reversed.flow), 0.5f),
        .mask = vfi_graph_sub(graph, delta.mask, reversed.mask, 0.5f),
    };
}

/* Block 0: sees the frames themselves. */
static RifeDelta v4_first(const Rife *rife, double scale, bool ensemble)
{
    VfiGraph *graph = rife->graph;
    VfiValue inputs[] = {rife->image0, rife->image1, v4_time(rife, scale, false)};
    RifeDelta delta = v4_block(rife, 0, inputs, 3, VFI_NO_VALUE, scale);

    if (!ensemble)
        return delta;
    VfiValue swapped[] = {rife->image1, rife->image0, v4_time(rife, scale, true)};
    return v4_average(graph, delta, v4_block(rife, 0, swapped, 3, VFI_NO_VALUE, scale));
}

/* Block 1 … 3 on the warped frames, not averaged. */
static RifeDelta v4_next(const Rife *rife, int block, const RifeState *state,
                         double scale)
{
    VfiValue inputs[] = {state->warped0, state->warped1, v4_time(rife, scale, false),
                         state->mask};

    return v4_block(rife, block, inputs, 4, state->flow, scale);
}

/* The same block on the swapped frames, averaged with @delta. */
static RifeDelta v4_ensemble(const Rife *rife, int block, const RifeState *state,
                             RifeDelta delta, double scale)
{
    VfiGraph *graph = rife->graph;
    VfiValue inputs[] = {state->warped1, state->warped0, v4_time(rife, scale, true),
                         vfi_graph_affine(graph, state->mask, -1.0f, 0.0f)};

    return v4_average(
        graph, delta,
        v4_block(rife, block, inputs, 4, swap_flow(graph, state->flow), scale));
}

static void v4_apply(const Rife *rife, RifeState *state, RifeDelta delta)
{
    state->flow = vfi_graph_add(rife->graph, state->flow, delta.flow, 1.0f);
    state->mask = vfi_graph_add(rife->graph, state->mask, delta.mask, 1.0f);
    warp_images(rife, state);
}

/* From block 1's delta to the results. */
static void v4_finish(const Rife *rife, const VfiModelSetup *setup, RifeState state,
                      RifeDelta delta, double scale)
{
    VfiGraph *graph = rife->graph;

    for (int block = 1; block < V4_BLOCKS; block++) {
        double block_scale = v4_scale[block] * scale;
        if (block > 1)
            delta = v4_next(rife, block, &state, block_scale);
        if (rife->ensemble)
            delta = v4_ensemble(rife, block, &state, delta, block_scale);
        v4_apply(rife, &state, delta);
    }
    VfiValue mask = vfi_graph_sigmoid(graph, state.mask);
    if (vfi_setup_boolean(setup, "refine")) {
        VfiRifeRefineInput input = {rife->image0,  rife->image1, state.warped0,
                                    state.warped1, state.flow,   state.mask};
        vfi_graph_output(graph, "rgb", vfi_rife_refine(graph, &input, mask));
    } else {
        vfi_graph_output(graph, "flow", state.flow);
        vfi_graph_output(graph, "mask", mask);
    }
}

/* Segments of the time stage. When block 1 still moves both flows by more than 32 pixels the
 * motion is too large for the scale list, and blocks 0 and 1 are redone at doubled scales,
 * which the later blocks keep. The test reads the first, un-averaged result; the repeated
 * block 0 is not averaged either. */
enum {
    V4_PROBE,
    V4_NORMAL,
    V4_RESCALED,
};
#define V4_LARGE_MOTION 32.0f

static void v4_build_time(VfiGraph *graph, const VfiModelSetup *setup, double flow_scale)
{
    Rife rife = rife_begin(graph, setup);
    double scale = 1.0 / flow_scale;

    RifeDelta first = v4_first(&rife, v4_scale[0] * scale, rife.ensemble);
    RifeState state = {.flow = first.flow, .mask = first.mask};
    warp_images(&rife, &state);
    RifeDelta delta = v4_next(&rife, 1, &state, v4_scale[1] * scale);
    vfi_graph_max_abs(graph, vfi_graph_slice(graph, delta.flow, 0, 2));
    vfi_graph_max_abs(graph, vfi_graph_slice(graph, delta.flow, 2, 2));

    vfi_graph_segment(graph, V4_PROBE);
    v4_finish(&rife, setup, state, delta, scale);

    vfi_graph_segment(graph, V4_PROBE);
    scale *= 2.0;
    first = v4_first(&rife, v4_scale[0] * scale, false);
    state = (RifeState){.flow = first.flow, .mask = first.mask};
    warp_images(&rife, &state);
    delta = v4_next(&rife, 1, &state, v4_scale[1] * scale);
    v4_finish(&rife, setup, state, delta, scale);
}

/* ---- 3.2 … 3.8 ------------------------------------------------------------------------ */

#define V3_BLOCKS 3
#define V3_WIDTH 90
static const double v3_scale[V3_BLOCKS] = {4, 2, 1};

/* Two transposed convolutions c → c/2 → out, from 1/4 of the block's size to all of it. */
static VfiValue v3_head(VfiGraph *graph, VfiValue x, const char *prefix, int out)
{
    x = vfi_graph_deconv(graph, x, vfi_graph_key(graph, "%s.0", prefix), V3_WIDTH / 2);
    x = vfi_graph_prelu(graph, x, vfi_graph_key(graph, "%s.1", prefix));
    return vfi_graph_deconv(graph, x, vfi_graph_key(graph, "%s.2", prefix), out);
}

/* IFBlock: 11 channels in; four residual pairs of 3×3 convolutions, 90 channels wide. */
static RifeDelta v3_block(const Rife *rife, int block, const VfiValue *inputs,
                          VfiValue flow, double scale)
{
    VfiGraph *graph = rife->graph;
    VfiValue x = block_input(rife, inputs, 3, flow, scale);

    x = block_conv0(graph, x, block, V3_WIDTH);
    for (int i = 0; i < 4; i++) {
        const char *pair = vfi_graph_key(graph, "block%d.convblock%d", block, i);
        VfiValue y = vfi_rife_conv_prelu(graph, x, vfi_graph_key(graph, "%s.0", pair),
                                         V3_WIDTH, 1);
        y = vfi_rife_conv_prelu(graph, y, vfi_graph_key(graph, "%s.1", pair), V3_WIDTH,
                                1);
        x = vfi_graph_add(graph, y, x, 1.0f);
    }
    VfiValue delta = v3_head(graph, x, vfi_graph_key(graph, "block%d.conv1", block), 4);
    VfiValue mask = v3_head(graph, x, vfi_graph_key(graph, "block%d.conv2", block), 1);
    return (RifeDelta){
        .flow = vfi_graph_resize(graph, delta, rife->height, rife->width, (float)scale),
        .mask = vfi_graph_resize(graph, mask, rife->height, rife->width, 1.0f),
    };
}

/* Every block sees both directions, starting from no motion and an even mask. */
static void v3_build_time(VfiGraph *graph, const VfiModelSetup *setup, double flow_scale)
{
    Rife rife = rife_begin(graph, setup);
    VfiValue zero = vfi_graph_time(graph, rife.height, rife.width, 0.0f, 0.0f);
    VfiValue no_motion[] = {zero, zero, zero, zero};
    RifeState state = {
        .flow = vfi_graph_concat(graph, no_motion, 4),
        .mask = zero,
        .warped0 = rife.image0,
        .warped1 = rife.image1,
    };

    if (rife.ensemble || vfi_setup_boolean(setup, "refine"))
        vfi_graph_fail(graph,
                       "options ensemble and refine are for RIFE 4.0 and 4.1; 3.x runs "
                       "both directions anyway and has no refinement network");
    for (int block = 0; block < V3_BLOCKS; block++) {
        double scale = v3_scale[block] / flow_scale;
        VfiValue forward[] = {state.warped0, state.warped1, state.mask};
        VfiValue backward[] = {state.warped1, state.warped0,
                               vfi_graph_affine(graph, state.mask, -1.0f, 0.0f)};
        RifeDelta delta = v3_block(&rife, block, forward, state.flow, scale);
        RifeDelta reversed =
            v3_block(&rife, block, backward, swap_flow(graph, state.flow), scale);
        v4_apply(&rife, &state, v4_average(graph, delta, reversed));
    }
    vfi_graph_output(graph, "flow", state.flow);
    vfi_graph_output(graph, "mask", vfi_graph_sigmoid(graph, state.mask));
}

/* ---- the family ----------------------------------------------------------------------- */

/* Dimension @dim of the tensor of that name, or 0. */
static int64_t tensor_dim(const VfiCheckpoint *checkpoint, const char *name, int dim)
{
    const VfiTensorInfo *tensor = vfi_checkpoint_find(checkpoint, name);

    return tensor != NULL && tensor->n_dims > dim ? tensor->shape[dim] : 0;
}

static int count_blocks(const VfiCheckpoint *checkpoint)
{
    int n = 0;

    for (;; n++) {
        g_autofree char *name = g_strdup_printf("block%d.conv0.0.0.weight", n);
        if (vfi_checkpoint_find(checkpoint, name) == NULL)
            return n;
    }
}

/* By keys and shapes: number of blocks, input channels of the first two, kind of convblock. */
static VfiDetection rife_detect(const VfiCheckpoint *checkpoint)
{
    int n = count_blocks(checkpoint);
    int64_t in0 = tensor_dim(checkpoint, "block0.conv0.0.0.weight", 1);
    int64_t in1 = tensor_dim(checkpoint, "block1.conv0.0.0.weight", 1);
    const VfiTensorInfo *prelu =
        vfi_checkpoint_find(checkpoint, "block0.convblock.0.1.weight");

    if (n == V3_BLOCKS && in0 == 11 && in1 == 11 &&
        vfi_checkpoint_find(checkpoint, "block0.convblock0.0.0.weight") != NULL)
        return (VfiDetection){100, RIFE_3_6, "3.6", VFI_TIME_MIDPOINT};
    if (n == V4_BLOCKS && in0 == 7 && in1 == 12 && prelu != NULL && prelu->n_dims == 1)
        return (VfiDetection){100, RIFE_4_0, "4.0", VFI_TIME_ANY};
    return (VfiDetection){0};
}

static bool rife_wants(const VfiModelSetup *setup, const char *tensor)
{
    static const char *const training[] = {"teacher.", "caltime.", "block_tea.", "loss."};

    for (size_t i = 0; i < G_N_ELEMENTS(training); i++)
        if (g_str_has_prefix(tensor, training[i]))
            return false;
    bool is_refinement =
        g_str_has_prefix(tensor, "contextnet.") || g_str_has_prefix(tensor, "unet.");
    return !is_refinement || vfi_setup_boolean(setup, "refine");
}

/* 4 · greatest scale / min(flow scale, 1): two stride-2 convolutions at the coarsest block.
 * Twice that for 4.0, whose large-motion branch doubles the scales. */
static int rife_size_multiple(const VfiModelSetup *setup, double flow_scale)
{
    double coarsest = setup->variant == RIFE_4_0 ? 2.0 * v4_scale[0] : v3_scale[0];

    return (int)(4.0 * coarsest / MIN(flow_scale, 1.0));
}

static VfiOutputKind rife_output(const VfiModelSetup *setup)
{
    return vfi_setup_boolean(setup, "refine") ? VFI_OUTPUT_RGB : VFI_OUTPUT_FLOW;
}

static bool rife_build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                       double flow_scale)
{
    if (stage == VFI_STAGE_FRAME) {
        bool refine = setup->variant == RIFE_4_0 && vfi_setup_boolean(setup, "refine");
        if (refine)
            vfi_rife_context(graph);
        return refine;
    }
    if (setup->variant == RIFE_4_0)
        v4_build_time(graph, setup, flow_scale);
    else
        v3_build_time(graph, setup, flow_scale);
    return true;
}

static int rife_next_segment(const VfiModelSetup *setup, int segment,
                             const float *scalars)
{
    if (setup->variant != RIFE_4_0 || segment != V4_PROBE)
        return -1;
    bool large = scalars[0] > V4_LARGE_MOTION && scalars[1] > V4_LARGE_MOTION;
    return large ? V4_RESCALED : V4_NORMAL;
}

const VfiModelFamily vfi_family_rife = {
    .name = "rife",
    .options = rife_options,
    .n_options = G_N_ELEMENTS(rife_options),
    .has_weights = true,
    .has_scale = true,
    .can_tile = true,
    .frames_before = 1,
    .frames_after = 1,
    .detect = rife_detect,
    .wants = rife_wants,
    .size_multiple = rife_size_multiple,
    .output = rife_output,
    .build = rife_build,
    .next_segment = rife_next_segment,
};
