/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The family that estimates motion itself and so needs no weights: dense optical flow
 * both ways, several guesses of what moved where at the in-between's time, and each of
 * them given as much weight as both frames agree about it. The steps are those of
 * flow/flow_plan.h. */
#include <string.h>

#include "models/registry.h"

static const VfiOptionSpec options[] = {
    {.name = "quality",
     .type = "s",
     .default_value = "auto|fast|medium|best",
     .text = "How thoroughly motion is looked for; auto is fast in live pipelines, else "
             "medium."},
};

static VfiOutputKind flow_output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_MOTION;
}

static VfiFlowQuality flow_quality(const VfiModelSetup *setup, bool is_live)
{
    const char *quality = vfi_setup_string(setup, "quality");

    if (strcmp(quality, "fast") == 0)
        return VFI_FLOW_FAST;
    if (strcmp(quality, "medium") == 0)
        return VFI_FLOW_MEDIUM;
    if (strcmp(quality, "best") == 0)
        return VFI_FLOW_BEST;
    return is_live ? VFI_FLOW_FAST : VFI_FLOW_MEDIUM;
}

const VfiModelFamily vfi_family_flow = {
    .name = "flow",
    .options = options,
    .n_options = G_N_ELEMENTS(options),
    .can_tile = true,
    .output = flow_output,
    .flow_quality = flow_quality,
};
