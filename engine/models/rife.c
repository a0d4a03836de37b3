/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RIFE (Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame
 * Interpolation", ECCV 2022), the paper's networks and its released models, as a family.
 * rife_networks.c has the table of them. */
#include "models/rife.h"

#include <string.h>

#include "models/registry.h"

static const VfiOptionSpec rife_options[] = {
    {"ensemble", "b", 0, 1, "false",
     "4.0 to 4.20, 4.24: average each block with its run on the swapped frames; "
     "twice the time",
     FALSE},
    {"refine", "b", 0, 1, "false",
     "4.0 to 4.4: correct the result with the context and U-nets, in RGB", TRUE},
    {"pad-multiple", "u", 0, 1024, "0",
     "pad width and height to a multiple of this if it is larger than the smallest one; "
     "0 is the smallest",
     FALSE},
    {"bisect-depth", "u", 1, 4, "2",
     "3.2 to 3.8, the paper's IFNet: times are rounded to multiples of 1/2^depth", FALSE},
    {"polish", "b", 0, 1, "false",
     "without refine: the network's flows are one guess among those of the model flow, "
     "which takes that one's time, too",
     FALSE},
    {"pyramid", "s", 0, 0, "own|16-8-4-2-1",
     "4.25.lite: how much smaller than the frame its blocks see it; own is its author's "
     "32-16-8-4-1, the other that of ComfyUI's core",
     FALSE},
};

const int *vfi_rife_scales(const VfiRifeNetwork *network, const VfiModelSetup *setup)
{
    static const int halving[VFI_RIFE_MAX_BLOCKS] = {16, 8, 4, 2, 1};

    return strcmp(vfi_setup_string(setup, "pyramid"), "own") == 0 ? network->scale
                                                                  : halving;
}

bool vfi_rife_refines(const VfiModelSetup *setup)
{
    const VfiRifeNetwork *network = vfi_rife_network(setup->variant);

    if (network == NULL || network->refinement == VFI_RIFE_NEVER_REFINES)
        return false;
    return network->refinement == VFI_RIFE_REFINES || vfi_setup_boolean(setup, "refine");
}

static bool rife_wants(const VfiModelSetup *setup, const char *tensor)
{
    static const char *const parts[] = {"block", "encode."};
    bool is_part = false;

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        is_part |= g_str_has_prefix(tensor, parts[i]);
    if (g_str_has_prefix(tensor, "block_tea.")) /* the teacher */
        is_part = false;
    bool is_refinement =
        g_str_has_prefix(tensor, "contextnet.") || g_str_has_prefix(tensor, "unet.");
    return is_part || (is_refinement && vfi_rife_refines(setup));
}

static void rife_prepare_weights(VfiWeights *weights)
{
    vfi_weights_rename(weights, vfi_rife_canonical_name);
    vfi_weights_fold_scale(weights, "beta", "conv");
}

/* 4 · greatest scale / min(flow scale, 1): two stride-2 convolutions at the coarsest
 * block. Twice that where large motion doubles the scales. */
static int rife_size_multiple(const VfiModelSetup *setup, double flow_scale)
{
    const VfiRifeNetwork *network = vfi_rife_network(setup->variant);
    double coarsest =
        network == NULL ? VFI_RIFE_V3_COARSEST : vfi_rife_scales(network, setup)[0];

    if (network != NULL && network->restarts)
        coarsest *= 2.0;
    return (int)(4.0 * coarsest / MIN(flow_scale, 1.0));
}

static VfiOutputKind rife_output(const VfiModelSetup *setup)
{
    return vfi_rife_refines(setup) ? VFI_OUTPUT_RGB : VFI_OUTPUT_FLOW;
}

static bool rife_polishes(const VfiModelSetup *setup)
{
    return vfi_setup_boolean(setup, "polish");
}

/* Less finds too little that a network does not, and more hardly anything. */
static VfiFlowQuality rife_flow_quality(const VfiModelSetup *setup, bool is_live)
{
    (void)setup, (void)is_live;
    return VFI_FLOW_MEDIUM;
}

static bool rife_build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                       double flow_scale)
{
    const VfiRifeNetwork *network = vfi_rife_network(setup->variant);

    if (stage == VFI_STAGE_FRAME)
        return network != NULL &&
               vfi_rife_build_frame(graph, network, vfi_rife_refines(setup));
    if (stage != VFI_STAGE_TIME)
        return false;
    if (network != NULL)
        vfi_rife_build_time(graph, network, setup, flow_scale);
    else
        vfi_rife_v3_build_time(graph, setup, flow_scale);
    return true;
}

static int rife_next_segment(const VfiModelSetup *setup, int segment,
                             const float *scalars)
{
    const VfiRifeNetwork *network = vfi_rife_network(setup->variant);

    return network != NULL && network->restarts ? vfi_rife_next_segment(segment, scalars)
                                                : -1;
}

const VfiModelFamily vfi_family_rife = {
    .name = "rife",
    .options = rife_options,
    .n_options = G_N_ELEMENTS(rife_options),
    .n_variants = VFI_RIFE_VARIANTS,
    .variant_name = vfi_rife_variant_name,
    .has_weights = true,
    .has_scale = true,
    .can_tile = true,
    .detect = vfi_rife_detect,
    .wants = rife_wants,
    .prepare_weights = rife_prepare_weights,
    .size_multiple = rife_size_multiple,
    .output = rife_output,
    .build = rife_build,
    .polishes = rife_polishes,
    .flow_quality = rife_flow_quality,
    .next_segment = rife_next_segment,
};
