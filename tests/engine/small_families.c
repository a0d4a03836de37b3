/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "small_families.h"

/* Flows of up to ±12 pixels and a mask, from the frames' colours. */
static void build_flow(VfiGraph *graph)
{
    VfiValue image0 = vfi_graph_image(graph, 0), image1 = vfi_graph_image(graph, 1);
    VfiValue parts[4];

    for (int i = 0; i < 4; i++)
        parts[i] = vfi_graph_affine(
            graph, vfi_graph_slice(graph, i < 2 ? image0 : image1, i % 3, 1), 24.0f,
            -12.0f);
    vfi_graph_output(graph, "flow", vfi_graph_concat(graph, parts, 4));
    vfi_graph_output(
        graph, "mask",
        vfi_graph_affine(graph, vfi_graph_slice(graph, image1, 2, 1), 0.8f, 0.1f));
}

static bool build_local(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                        double scale)
{
    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    build_flow(graph);
    return true;
}

static bool build_rgb(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                      double scale)
{
    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    vfi_graph_output(
        graph, "rgb",
        vfi_graph_add(graph, vfi_graph_image(graph, 0), vfi_graph_image(graph, 1), 0.5f));
    return true;
}

/* Negated as often as it takes to be itself again. */
static bool build_stepwise(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                           double scale)
{
    enum { SEGMENTS = 12 };

    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiValue x =
        vfi_graph_add(graph, vfi_graph_image(graph, 0), vfi_graph_image(graph, 1), 0.5f);
    for (int segment = 1; segment < SEGMENTS; segment++) {
        vfi_graph_segment(graph, segment - 1);
        x = vfi_graph_affine(graph, x, -1.0f, 1.0f);
    }
    vfi_graph_output(graph, "rgb", vfi_graph_affine(graph, x, -1.0f, 1.0f));
    return true;
}

/* The second segment shows frame 0, the third one frame 1. */
static bool build_decision(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                           double scale)
{
    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiValue image0 = vfi_graph_image(graph, 0), image1 = vfi_graph_image(graph, 1);
    VfiValue both = vfi_graph_add(graph, image0, image1, 1.0f);
    vfi_graph_max_abs(graph, image0);
    vfi_graph_segment(graph, 0);
    vfi_graph_output(graph, "rgb", vfi_graph_sub(graph, both, image1, 1.0f));
    vfi_graph_segment(graph, 0);
    vfi_graph_output(graph, "rgb", vfi_graph_sub(graph, both, image0, 1.0f));
    return true;
}

static int decide_by_brightness(const VfiModelSetup *setup, int segment,
                                const float *scalars)
{
    (void)setup;
    return segment != 0 ? -1 : scalars[0] > 0.9f ? 2 : 1;
}

static VfiOutputKind output_flow(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_FLOW;
}

static VfiOutputKind output_rgb(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

const VfiModelFamily local_flow = {
    .name = "local flow", .can_tile = true, .output = output_flow, .build = build_local};
const VfiModelFamily local_rgb = {
    .name = "local RGB", .can_tile = true, .output = output_rgb, .build = build_rgb};
const VfiModelFamily stepwise = {
    .name = "stepwise", .can_tile = true, .output = output_rgb, .build = build_stepwise};
const VfiModelFamily deciding = {.name = "deciding",
                                 .can_tile = true,
                                 .output = output_rgb,
                                 .build = build_decision,
                                 .next_segment = decide_by_brightness};

static bool build_contrast(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                           double scale)
{
    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiValue image = vfi_graph_image(graph, 0);
    VfiShape shape = vfi_graph_shape(graph, image);
    vfi_graph_output(graph, "rgb",
                     vfi_graph_affine(graph,
                                      vfi_graph_sub(graph, image,
                                                    vfi_graph_run_input(
                                                        graph, VFI_RUN_INPUT_IMAGE_MEAN,
                                                        shape.h, shape.w, 1.0f, 0.0f),
                                                    1.0f),
                                      0.5f, 0.5f));
    return true;
}

/* Shows how far frame 0 is from the mean of both. */
const VfiModelFamily contrast = {.name = "contrast",
                                 .can_tile = true,
                                 .wants_mean = true,
                                 .output = output_rgb,
                                 .build = build_contrast};

/* The same with a per-pair stage, whose result is of one tile. */
static bool build_paired(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                         double scale)
{
    (void)setup;
    (void)scale;
    if (stage == VFI_STAGE_CONSTANT || stage == VFI_STAGE_FRAME)
        return false;
    if (stage == VFI_STAGE_PAIR)
        vfi_graph_output(graph, "sum",
                         vfi_graph_add(graph, vfi_graph_image(graph, 0),
                                       vfi_graph_image(graph, 1), 1.0f));
    else
        vfi_graph_output(
            graph, "rgb",
            vfi_graph_affine(graph, vfi_graph_pair_value(graph, "sum"), 0.5f, 0.0f));
    return true;
}

const VfiModelFamily paired = {.name = "paired",
                               .can_tile = true,
                               .has_pair_stage = true,
                               .output = output_rgb,
                               .build = build_paired};
