/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Motion of one interval, seen together with the frame on its far side: a U of three
 * convolutions down to 1/4 and back to 1/2 gives coarse flows and a mask, a second look
 * at the frames that these warp refines both. */
#include "families.h"

#include <string.h>

#define LEAK 0.2f

/* A frame beyond the interval, the interval's end next to it, the other end; and how long
 * it is from that end to the in-between, in intervals. */
typedef struct {
    const char *keys; /* what its tensors' names begin with */
    VfiValue far, near, other;
    float time_mul, time_add;
} Interval;

/* Flows into .near and .other (4 channels, pixels), and the weight of .near before its
 * sigmoid (1 channel). */
typedef struct {
    VfiValue flow, mask;
} Motion;

static VfiValue conv(VfiGraph *graph, const Interval *interval, VfiValue x,
                     const char *layer, int out, int stride)
{
    const char *key = vfi_graph_key(graph, "%s.%s", interval->keys, layer);

    return vfi_graph_conv(graph, x, key, out, 3, stride);
}

static VfiValue prelu(VfiGraph *graph, const Interval *interval, VfiValue x,
                      const char *layer)
{
    return vfi_graph_prelu(graph, x,
                           vfi_graph_key(graph, "%s.%s", interval->keys, layer));
}

static VfiValue leaky(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_leaky_relu(graph, x, LEAK);
}

static Motion coarse_motion(VfiGraph *graph, const Interval *interval, VfiShape full)
{
    VfiValue parts[] = {interval->far, interval->near, interval->other,
                        vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, full.h, full.w,
                                            interval->time_mul, interval->time_add)};
    VfiValue x = vfi_graph_concat(graph, parts, 4);

    x = leaky(graph, conv(graph, interval, x, "down.0", 8, 2));
    x = prelu(graph, interval, conv(graph, interval, x, "down.1", 16, 2), "down.2");
    VfiValue y =
        prelu(graph, interval, conv(graph, interval, x, "body.0", 16, 1), "body.1");
    y = conv(graph, interval, y, "body.2", 16, 1);
    x = leaky(graph, vfi_graph_add(graph, x, y, 1.0f));
    x = leaky(graph, vfi_graph_conv_transpose(
                         graph, x, vfi_graph_key(graph, "%s.up", interval->keys), 8));
    x = conv(graph, interval, x, "coarse", 5, 1);
    return (Motion){
        .flow = vfi_graph_resize(graph, vfi_graph_slice(graph, x, 0, 4), full.h, full.w,
                                 2.0f),
        .mask = vfi_graph_resize(graph, vfi_graph_slice(graph, x, 4, 1), full.h, full.w,
                                 1.0f),
    };
}

static Motion refine(VfiGraph *graph, const Interval *interval, Motion coarse)
{
    VfiValue parts[] = {
        vfi_graph_warp(graph, interval->near, vfi_graph_slice(graph, coarse.flow, 0, 2)),
        vfi_graph_warp(graph, interval->other, vfi_graph_slice(graph, coarse.flow, 2, 2)),
        coarse.flow, coarse.mask};
    VfiValue x = vfi_graph_concat(graph, parts, 4);

    x = leaky(graph, conv(graph, interval, x, "refine.0", 8, 1));
    x = conv(graph, interval, x, "refine.1", 5, 1);
    return (Motion){
        .flow = vfi_graph_add(graph, coarse.flow, vfi_graph_slice(graph, x, 0, 4), 1.0f),
        .mask = vfi_graph_add(graph, coarse.mask, vfi_graph_slice(graph, x, 4, 1), 1.0f),
    };
}

static Motion motion_of(VfiGraph *graph, const Interval *interval)
{
    VfiShape full = vfi_graph_shape(graph, interval->near);

    return refine(graph, interval, coarse_motion(graph, interval, full));
}

static bool build_behind(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                         double scale)
{
    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    const Interval interval = {
        .keys = "behind",
        .far = vfi_graph_image(graph, 0),
        .near = vfi_graph_image(graph, 1),
        .other = vfi_graph_image(graph, 2),
        .time_mul = 1.0f,
    };
    Motion motion = motion_of(graph, &interval);
    vfi_graph_output(graph, "flow", motion.flow);
    vfi_graph_output(graph, "mask", vfi_graph_sigmoid(graph, motion.mask));
    return true;
}

static bool build_ahead(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                        double scale)
{
    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    const Interval interval = {
        .keys = "ahead",
        .far = vfi_graph_image(graph, 2),
        .near = vfi_graph_image(graph, 1),
        .other = vfi_graph_image(graph, 0),
        .time_mul = -1.0f,
        .time_add = 1.0f,
    };
    Motion motion = motion_of(graph, &interval);
    VfiValue flows[] = {vfi_graph_slice(graph, motion.flow, 2, 2),
                        vfi_graph_slice(graph, motion.flow, 0, 2)};
    vfi_graph_output(graph, "flow", vfi_graph_concat(graph, flows, 2));
    vfi_graph_output(
        graph, "mask",
        vfi_graph_affine(graph, vfi_graph_sigmoid(graph, motion.mask), -1.0f, 1.0f));
    return true;
}

static VfiDetection detect(const VfiCheckpoint *checkpoint, const char *tensor)
{
    return (VfiDetection){
        .score = vfi_checkpoint_find(checkpoint, tensor) != NULL ? 100 : 0,
        .name = "small",
        .time_mode = VFI_TIME_MIDPOINT,
    };
}

static VfiDetection detect_behind(const VfiCheckpoint *checkpoint)
{
    return detect(checkpoint, "behind.down.0.weight");
}

static VfiDetection detect_ahead(const VfiCheckpoint *checkpoint)
{
    return detect(checkpoint, "ahead.down.0.weight");
}

static bool bisects(const VfiModelSetup *setup, double t)
{
    (void)t;
    return strcmp(vfi_setup_string(setup, "timestep-mode"), "midpoint") == 0;
}

static int size_multiple(const VfiModelSetup *setup, double scale)
{
    (void)setup;
    (void)scale;
    return 4;
}

static VfiOutputKind output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_FLOW;
}

static const VfiOptionSpec options[] = {
    {"timestep-mode", "s", 0, 0, "midpoint|direct",
     "midpoint: only middles are interpolated. direct: the network is given the time",
     FALSE},
    {"bisect-depth", "u", 1, 4, "2", "for timestep-mode midpoint", FALSE},
    {"pad-multiple", "u", 0, 1024, "0",
     "what width and height are padded to, at the least", FALSE},
};

const VfiModelFamily three_frames_family = {
    .name = "three-frames",
    .options = options,
    .n_options = G_N_ELEMENTS(options),
    .has_weights = true,
    .can_tile = true,
    .frames_before = 1,
    .detect = detect_behind,
    .size_multiple = size_multiple,
    .output = output,
    .build = build_behind,
    .bisects = bisects,
};

const VfiModelFamily three_frames_ahead_family = {
    .name = "three-frames-ahead",
    .options = options,
    .n_options = G_N_ELEMENTS(options),
    .has_weights = true,
    .can_tile = true,
    .frames_after = 1,
    .detect = detect_ahead,
    .size_multiple = size_multiple,
    .output = output,
    .build = build_ahead,
    .bisects = bisects,
};
