/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The builder of all networks of the table: coarse-to-fine blocks refine two optical
 * flows (from the in-between to frame 0 and to frame 1) and a mask that blends the warped
 * frames. */
#include "models/rife.h"

#include "models/rife_refine.h"

#define HEAD_LAYERS 4
#define BODY_LAYERS 8

/* ---- per frame --------------------------------------------------------------------- */

/* encode.*: convolutions 3 → head_width at 1/2 of the size, then a transposed one to
 * head_channels at full size. */
static void build_head(VfiGraph *graph, const VfiRifeNetwork *network)
{
    VfiValue x = vfi_graph_image(graph, 0);
    int last = network->head == VFI_RIFE_HEAD_2 ? 1 : HEAD_LAYERS - 1;

    for (int i = 0; i <= last; i++) {
        const char *key = vfi_graph_key(
            graph, network->head == VFI_RIFE_HEAD_CNN ? "encode.cnn%d" : "encode.%d",
            network->head == VFI_RIFE_HEAD_SEQ ? 2 * i : i);
        if (i == last)
            x = vfi_graph_conv_transpose(graph, x, key, network->head_channels);
        else
            x = vfi_graph_conv(graph, x, key, network->head_width, 3, i == 0 ? 2 : 1);
        if (network->head != VFI_RIFE_HEAD_2 && i < last)
            x = vfi_graph_leaky_relu(graph, x, 0.2f);
    }
    vfi_graph_output(graph, "head", x);
}

bool vfi_rife_build_frame(VfiGraph *graph, const VfiRifeNetwork *network, bool refine)
{
    if (network->head != VFI_RIFE_NO_HEAD)
        build_head(graph, network);
    if (refine)
        vfi_rife_context(graph, network->activation);
    return network->head != VFI_RIFE_NO_HEAD || refine;
}

/* ---- per time ---------------------------------------------------------------------- */

typedef struct {
    VfiRife pair;
    const VfiRifeNetwork *network;
    const int *scale; /* of its blocks */
    VfiValue head[2]; /* features of the frames, or VFI_NO_VALUE */
    bool ensemble, refine;
} Builder;

/* The estimate of the in-between so far, of full size; nothing at first. */
typedef struct {
    VfiRifeDelta sum;
    VfiValue warped[2], head[2]; /* the frames and their features, warped */
} State;

static State begin(const Builder *b)
{
    return (State){
        .sum = {VFI_NO_VALUE, VFI_NO_VALUE, VFI_NO_VALUE},
        .warped = {b->pair.image[0], b->pair.image[1]},
        .head = {b->head[0], b->head[1]},
    };
}

static void apply(const Builder *b, State *state, VfiRifeDelta delta)
{
    VfiGraph *graph = b->pair.graph;
    bool is_first = state->sum.flow == VFI_NO_VALUE;
    bool adds = b->network->mask == VFI_RIFE_MASK_ADDS && !is_first;

    state->sum.flow =
        is_first ? delta.flow : vfi_graph_add(graph, state->sum.flow, delta.flow, 1.0f);
    state->sum.mask =
        adds ? vfi_graph_add(graph, state->sum.mask, delta.mask, 1.0f) : delta.mask;
    state->sum.features = delta.features;
    for (int frame = 0; frame < 2; frame++) {
        state->warped[frame] =
            vfi_rife_warp(graph, b->pair.image[frame], frame, state->sum.flow);
        if (b->head[frame] != VFI_NO_VALUE)
            state->head[frame] =
                vfi_rife_warp(graph, b->head[frame], frame, state->sum.flow);
    }
}

/* In this order: frames as they are, time (BOTH); warped frames, their features, time
 * (WARPED); mask, features of the block before, flow. Warped frames are the frames
 * themselves for the first block. @reversed: seen from the other frame. */
static VfiValue block_input(const Builder *b, int block, const State *state,
                            bool reversed, double scale)
{
    VfiGraph *graph = b->pair.graph;
    bool both = b->network->view == VFI_RIFE_SEES_BOTH;
    bool timed = b->network->time == VFI_TIME_ANY;
    int from = reversed ? 1 : 0, to = 1 - from, n = 0;
    VfiValue in[10], flow = state->sum.flow, mask = state->sum.mask;

    if (both) {
        in[n++] = b->pair.image[from];
        in[n++] = b->pair.image[to];
    }
    if (both && timed)
        in[n++] = vfi_rife_time(&b->pair, scale, reversed);
    if (!both || block > 0) {
        in[n++] = state->warped[from];
        in[n++] = state->warped[to];
    }
    if (b->network->head != VFI_RIFE_NO_HEAD) {
        in[n++] = state->head[from];
        in[n++] = state->head[to];
    }
    if (!both && timed)
        in[n++] = vfi_rife_time(&b->pair, scale, reversed);
    if (block > 0)
        in[n++] = reversed ? vfi_graph_affine(graph, mask, -1.0f, 0.0f) : mask;
    if (state->sum.features != VFI_NO_VALUE)
        in[n++] = state->sum.features;
    if (reversed && block > 0)
        flow = vfi_rife_swap_flow(graph, flow);
    return vfi_rife_block_input(&b->pair, in, n, flow, scale);
}

/* convblock: eight 3×3 convolutions, c → c. */
static VfiValue block_body(const Builder *b, int block, VfiValue x)
{
    VfiGraph *graph = b->pair.graph;
    const VfiRifeNetwork *network = b->network;
    VfiValue first = x;
    int c = network->width[block];

    for (int i = 0; i < BODY_LAYERS; i++) {
        const char *key = vfi_graph_key(graph, "block%d.convblock.%d", block, i);
        if (network->body != VFI_RIFE_BODY_RES) {
            x = vfi_rife_conv(graph, x, key, c, 1, network->activation);
            continue;
        }
        /* beta was multiplied into the convolution when the weights were loaded */
        VfiValue y = vfi_graph_group_conv(graph, x, vfi_graph_key(graph, "%s.conv", key),
                                          c, 3, 1, network->groups);
        vfi_graph_require(graph, key, "beta", (int64_t[]){1, c, 1, 1}, 4);
        x = vfi_graph_leaky_relu(graph, vfi_graph_add(graph, y, x, 1.0f), 0.2f);
    }
    return network->body == VFI_RIFE_BODY_SKIP ? vfi_graph_add(graph, x, first, 1.0f) : x;
}

/* lastconv: to 1/2 of the block's size, or all of it with a shuffle; then to full
 * size. */
static VfiRifeDelta block_last(const Builder *b, int block, VfiValue x, double scale)
{
    VfiGraph *graph = b->pair.graph;
    int h = b->pair.height, w = b->pair.width, last = b->network->last;
    bool shuffles = last > 5, is_last = block == b->network->n_blocks - 1;
    int features = is_last ? 0 : vfi_rife_features(b->network);
    VfiRifeDelta delta = {.features = VFI_NO_VALUE};

    /* Not the channels that nobody reads: 20 to 23 of 24, all features of the last
     * block. */
    x = vfi_graph_conv_transpose_first(
        graph, x,
        vfi_graph_key(graph, shuffles ? "block%d.lastconv.0" : "block%d.lastconv", block),
        last, shuffles ? 4 * (5 + features) : last);
    if (shuffles)
        x = vfi_graph_pixel_shuffle(graph, x);
    delta.flow = vfi_graph_resize(graph, vfi_graph_slice(graph, x, 0, 4), h, w,
                                  (float)(shuffles ? scale : 2.0 * scale));
    delta.mask = vfi_graph_resize(graph, vfi_graph_slice(graph, x, 4, 1), h, w, 1.0f);
    if (features > 0)
        delta.features =
            vfi_graph_resize(graph, vfi_graph_slice(graph, x, 5, features), h, w, 1.0f);
    return delta;
}

/* IFBlock at 1/scale: conv0 (to 1/4 of that size), convblock, lastconv. */
static VfiRifeDelta run_block(const Builder *b, int block, const State *state,
                              bool reversed, double scale)
{
    VfiGraph *graph = b->pair.graph;
    const VfiRifeNetwork *network = b->network;
    bool is_outer = block == 0 || block == network->n_blocks - 1;
    VfiValue x = block_input(b, block, state, reversed, scale);

    x = vfi_rife_conv0(graph, x, block, network->width[block], network->activation);
    /* Measured with 4.0, whose trained weights there are: what the first block finds is
     * corrected by three more, and nothing builds on the last one's correction. Rounded
     * to bf16, the largest error of trained pictures is 6e-3; with the blocks between
     * them it would be 2e-2. */
    vfi_graph_tolerate_bf16(graph, network->restarts && is_outer);
    x = block_body(b, block, x);
    vfi_graph_tolerate_bf16(graph, false);
    return block_last(b, block, x, scale);
}

/* @block's delta; with the option, its mean with that of the swapped frames. @known is
 * the block's own if it is there already, else NULL. */
static VfiRifeDelta find_delta(const Builder *b, int block, const State *state,
                               const VfiRifeDelta *known, double flow_scale)
{
    double scale = b->scale[block] / flow_scale;
    VfiRifeDelta delta =
        known != NULL ? *known : run_block(b, block, state, false, scale);

    if (!b->ensemble)
        return delta;
    return vfi_rife_average(b->pair.graph, delta,
                            run_block(b, block, state, true, scale));
}

/* Blocks @block … to the results. */
static void finish(const Builder *b, State state, int block, const VfiRifeDelta *known,
                   double flow_scale)
{
    VfiGraph *graph = b->pair.graph;

    for (; block < b->network->n_blocks; block++, known = NULL)
        apply(b, &state, find_delta(b, block, &state, known, flow_scale));
    VfiValue mask = vfi_graph_sigmoid(graph, state.sum.mask);
    if (!b->refine) {
        vfi_graph_output(graph, "flow", state.sum.flow);
        vfi_graph_output(graph, "mask", mask);
        return;
    }
    VfiRifeRefineInput input = {
        .image0 = b->pair.image[0],
        .image1 = b->pair.image[1],
        .warped0 = state.warped[0],
        .warped1 = state.warped[1],
        .flow = state.sum.flow,
        .mask = state.sum.mask,
        .activation = b->network->activation,
    };
    vfi_graph_output(graph, "rgb", vfi_rife_refine(graph, &input, mask));
}

/* Segments of a network that restarts. When block 1 still moves both flows by more than
 * 32 pixels the motion is too large for the scale list, and blocks 0 and 1 are redone at
 * doubled scales, which the later blocks keep. The test reads the first, un-averaged
 * result; the repeated block 0 is not averaged either. */
enum { PROBE, NORMAL, RESCALED };
#define LARGE_MOTION 32.0f

int vfi_rife_next_segment(int segment, const float *scalars)
{
    if (segment != PROBE)
        return -1;
    return scalars[0] > LARGE_MOTION && scalars[1] > LARGE_MOTION ? RESCALED : NORMAL;
}

static void build_restarting(const Builder *b, double flow_scale)
{
    VfiGraph *graph = b->pair.graph;
    const int *scale = b->scale;
    State state = begin(b);

    apply(b, &state, find_delta(b, 0, &state, NULL, flow_scale));
    VfiRifeDelta delta = run_block(b, 1, &state, false, scale[1] / flow_scale);
    for (int frame = 0; frame < 2; frame++)
        vfi_graph_max_abs(graph, vfi_graph_slice(graph, delta.flow, 2 * frame, 2));

    vfi_graph_segment(graph, PROBE);
    finish(b, state, 1, &delta, flow_scale);

    vfi_graph_segment(graph, PROBE);
    flow_scale /= 2.0;
    state = begin(b);
    apply(b, &state, run_block(b, 0, &state, false, scale[0] / flow_scale));
    delta = run_block(b, 1, &state, false, scale[1] / flow_scale);
    finish(b, state, 1, &delta, flow_scale);
}

/* Options that the network does not have. */
static void check_options(VfiGraph *graph, const VfiRifeNetwork *network,
                          const VfiModelSetup *setup)
{
    if (vfi_setup_boolean(setup, "ensemble") && !network->can_ensemble)
        vfi_graph_fail(
            graph, "RIFE %s has no option ensemble, which is for 4.0 to 4.20 and 4.24",
            network->name);
    if (vfi_setup_boolean(setup, "refine") &&
        network->refinement == VFI_RIFE_NEVER_REFINES)
        vfi_graph_fail(graph,
                       "RIFE %s has no option refine, which is for 4.0 to 4.4: it has no "
                       "refinement network",
                       network->name);
    if (vfi_setup_boolean(setup, "polish") && vfi_rife_refines(setup))
        vfi_graph_fail(graph,
                       "RIFE %s has no option polish%s: its result is RGB then, expected "
                       "flows and a mask",
                       network->name,
                       network->refinement == VFI_RIFE_REFINES ? "" : " with refine");
    if (vfi_rife_scales(network, setup) != network->scale &&
        network->n_blocks != VFI_RIFE_MAX_BLOCKS)
        vfi_graph_fail(graph,
                       "RIFE %s has no option pyramid, which is for 4.25.lite: it has %d "
                       "blocks, expected %d",
                       network->name, network->n_blocks, VFI_RIFE_MAX_BLOCKS);
}

void vfi_rife_build_time(VfiGraph *graph, const VfiRifeNetwork *network,
                         const VfiModelSetup *setup, double flow_scale)
{
    Builder b = {
        .pair = vfi_rife_begin(graph),
        .network = network,
        .scale = vfi_rife_scales(network, setup),
        .head = {VFI_NO_VALUE, VFI_NO_VALUE},
        .ensemble = vfi_setup_boolean(setup, "ensemble"),
        .refine = vfi_rife_refines(setup),
    };

    check_options(graph, network, setup);
    for (int frame = 0; frame < 2 && network->head != VFI_RIFE_NO_HEAD; frame++)
        b.head[frame] = vfi_graph_feature(graph, frame, "head");
    if (network->restarts) {
        build_restarting(&b, flow_scale);
        return;
    }
    finish(&b, begin(&b), 0, NULL, flow_scale);
}
