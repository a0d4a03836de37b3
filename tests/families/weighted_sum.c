/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weighted_sum.h"

static bool build_sum(VfiGraph *graph, VfiStage stage, int n)
{
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiValue sum = vfi_graph_affine(graph, vfi_graph_image(graph, 0),
                                    (float)weighted_sum_factor(n, 0), 0.0f);
    for (int i = 1; i < n; i++)
        sum = vfi_graph_add(graph, sum,
                            vfi_graph_affine(graph, vfi_graph_image(graph, i),
                                             (float)weighted_sum_factor(n, i), 0.0f),
                            1.0f);
    vfi_graph_output(graph, "rgb", sum);
    return true;
}

static VfiOutputKind output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

#define FAMILY(before, after)                                                            \
    static bool build_##before##_##after(VfiGraph *graph, const VfiModelSetup *setup,    \
                                         VfiStage stage, double scale)                   \
    {                                                                                    \
        (void)setup;                                                                     \
        (void)scale;                                                                     \
        return build_sum(graph, stage, before + 2 + after);                              \
    }                                                                                    \
    const VfiModelFamily weighted_sum_##before##_##after##_family = {                    \
        .name = "sum-" #before "-" #after,                                               \
        .can_tile = true,                                                                \
        .frames_before = before,                                                         \
        .frames_after = after,                                                           \
        .output = output,                                                                \
        .build = build_##before##_##after,                                               \
    };

FAMILY(0, 0)
FAMILY(0, 1)
FAMILY(1, 0)
FAMILY(1, 1)
FAMILY(2, 1)
FAMILY(3, 3)
