/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Features of each frame, kept; motion from those of all four, kept for the pair; from
 * both, at a time, a picture. */
#include "families.h"

#define LEAK 0.2f

static VfiValue conv(VfiGraph *graph, VfiValue x, const char *key, int out, int stride)
{
    return vfi_graph_conv(graph, x, key, out, 3, stride);
}

static VfiValue leaky(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_leaky_relu(graph, x, LEAK);
}

/* One image to 12 channels at 1/2. */
static void build_frame(VfiGraph *graph)
{
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), "encode.0", 8, 2);

    x = vfi_graph_prelu(graph, x, "encode.1");
    vfi_graph_output(graph, "feature", leaky(graph, conv(graph, x, "encode.2", 12, 1)));
}

/* All four frames to flows between the inner two (4 channels at 1/2, pixels there) and a
 * context (16 channels). */
static void build_pair(VfiGraph *graph)
{
    VfiValue parts[5];

    for (int i = 0; i < 4; i++)
        parts[i] = vfi_graph_feature(graph, i, "feature");
    parts[4] = vfi_graph_avg_pool(graph, vfi_graph_sub(graph, vfi_graph_image(graph, 3),
                                                       vfi_graph_image(graph, 0), 1.0f));
    VfiValue x = conv(graph, vfi_graph_concat(graph, parts, 5), "pair.0", 16, 1);
    x = vfi_graph_prelu(graph, x, "pair.1");
    x = leaky(graph, conv(graph, x, "pair.2", 16, 1));
    vfi_graph_output(graph, "context", x);
    vfi_graph_output(graph, "motion",
                     vfi_graph_affine(graph, conv(graph, x, "pair.3", 4, 1), 2.0f, 0.0f));
}

/* The flows from the in-between: the pair's, shortened by the time. */
typedef struct {
    VfiValue first, second; /* 2 channels at 1/2 */
    VfiValue time;          /* 1 channel */
} Flows;

static Flows flows_at_time(VfiGraph *graph)
{
    VfiValue motion = vfi_graph_pair_value(graph, "motion");
    VfiShape half = vfi_graph_shape(graph, motion);
    VfiValue time =
        vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, half.h, half.w, 1.0f, 0.0f);
    VfiValue rest =
        vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, half.h, half.w, -1.0f, 1.0f);

    return (Flows){
        .first = vfi_graph_mul(graph, vfi_graph_slice(graph, motion, 0, 2), time),
        .second = vfi_graph_mul(graph, vfi_graph_slice(graph, motion, 2, 2), rest),
        .time = time,
    };
}

/* Features that the flows bring together, to 8 channels of full size. */
static VfiValue fuse(VfiGraph *graph, const Flows *flows)
{
    VfiValue parts[] = {
        vfi_graph_pair_value(graph, "context"),
        vfi_graph_warp(graph, vfi_graph_feature(graph, 1, "feature"), flows->first),
        vfi_graph_warp(graph, vfi_graph_feature(graph, 2, "feature"), flows->second),
        flows->time};
    VfiValue x = conv(graph, vfi_graph_concat(graph, parts, 4), "time.0", 16, 1);

    x = vfi_graph_prelu(graph, x, "time.1");
    return leaky(graph, vfi_graph_conv_transpose(graph, x, "time.2", 8));
}

/* @frame's image, warped by a flow at 1/2. */
static VfiValue warped_image(VfiGraph *graph, int frame, VfiValue flow)
{
    VfiValue image = vfi_graph_image(graph, frame);
    VfiShape full = vfi_graph_shape(graph, image);

    return vfi_graph_warp(graph, image,
                          vfi_graph_resize(graph, flow, full.h, full.w, 2.0f));
}

/* second + mask * (first - second) + a residual, in [0,1]. */
static void build_time(VfiGraph *graph)
{
    Flows flows = flows_at_time(graph);
    VfiValue first = warped_image(graph, 1, flows.first);
    VfiValue second = warped_image(graph, 2, flows.second);
    VfiValue parts[] = {fuse(graph, &flows), first, second, vfi_graph_image(graph, 0),
                        vfi_graph_image(graph, 3)};
    VfiValue x =
        leaky(graph, conv(graph, vfi_graph_concat(graph, parts, 5), "time.3", 8, 1));

    x = conv(graph, x, "time.4", 4, 1);
    VfiValue mask = vfi_graph_sigmoid(graph, vfi_graph_slice(graph, x, 0, 1));
    VfiValue residual =
        vfi_graph_affine(graph, vfi_graph_slice(graph, x, 1, 3), 0.25f, 0.0f);
    VfiValue rgb = vfi_graph_mul(graph, vfi_graph_sub(graph, first, second, 1.0f), mask);
    rgb = vfi_graph_add(graph, vfi_graph_add(graph, rgb, second, 1.0f), residual, 1.0f);
    vfi_graph_output(graph, "rgb", vfi_graph_clamp(graph, rgb, 0.0f, 1.0f));
}

static bool build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                  double scale)
{
    (void)setup;
    (void)scale;
    if (stage == VFI_STAGE_FRAME)
        build_frame(graph);
    else if (stage == VFI_STAGE_PAIR)
        build_pair(graph);
    else if (stage == VFI_STAGE_TIME)
        build_time(graph);
    return stage != VFI_STAGE_CONSTANT;
}

static VfiDetection detect(const VfiCheckpoint *checkpoint)
{
    bool is_there = vfi_checkpoint_find(checkpoint, "pair.0.weight") != NULL &&
                    vfi_checkpoint_find(checkpoint, "time.4.weight") != NULL;

    return (VfiDetection){
        .score = is_there ? 100 : 0, .name = "small", .time_mode = VFI_TIME_ANY};
}

static int size_multiple(const VfiModelSetup *setup, double scale)
{
    (void)setup;
    (void)scale;
    return 2;
}

static VfiOutputKind output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

static const VfiOptionSpec options[] = {
    {"pad-multiple", "u", 0, 1024, "0",
     "what width and height are padded to, at the least", FALSE}};

const VfiModelFamily four_frames_family = {
    .name = "four-frames",
    .options = options,
    .n_options = G_N_ELEMENTS(options),
    .has_weights = true,
    .has_pair_stage = true,
    .can_tile = true,
    .frames_before = 1,
    .frames_after = 1,
    .detect = detect,
    .size_multiple = size_multiple,
    .output = output,
    .build = build,
};
