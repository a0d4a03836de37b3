/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weighted_sum.h"

static bool build_sum(VfiGraph *graph, VfiStage stage, int n, double scale)
{
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiValue sum = vfi_graph_affine(graph, vfi_graph_image(graph, 0),
                                    (float)scaled_sum_factor(n, 0, scale), 0.0f);
    for (int i = 1; i < n; i++)
        sum = vfi_graph_add(graph, sum,
                            vfi_graph_affine(graph, vfi_graph_image(graph, i),
                                             (float)scaled_sum_factor(n, i, scale), 0.0f),
                            1.0f);
    vfi_graph_output(graph, "rgb", sum);
    return true;
}

static VfiOutputKind output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

#define FAMILY(prefix, text, scales, before, after)                                      \
    static bool build_##prefix##_##before##_##after(                                     \
        VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage, double scale)       \
    {                                                                                    \
        (void)setup;                                                                     \
        return build_sum(graph, stage, before + 2 + after, scales ? scale : 1.0);        \
    }                                                                                    \
    const VfiModelFamily prefix##_sum_##before##_##after##_family = {                    \
        .name = text "-" #before "-" #after,                                             \
        .has_scale = scales,                                                             \
        .can_tile = true,                                                                \
        .frames_before = before,                                                         \
        .frames_after = after,                                                           \
        .output = output,                                                                \
        .build = build_##prefix##_##before##_##after,                                    \
    };

FAMILY(weighted, "sum", false, 0, 0)
FAMILY(weighted, "sum", false, 0, 1)
FAMILY(weighted, "sum", false, 1, 0)
FAMILY(weighted, "sum", false, 1, 1)
FAMILY(weighted, "sum", false, 2, 1)
FAMILY(weighted, "sum", false, 3, 3)
FAMILY(scaled, "scaled-sum", true, 0, 0)
FAMILY(scaled, "scaled-sum", true, 1, 1)
