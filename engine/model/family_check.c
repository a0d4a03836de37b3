/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/family_check.h"

#include "plan/plan.h"

bool vfi_family_check(const VfiModelFamily *family, const VfiModelSetup *setup,
                      const VfiWeights *weights, VfiTally *tally, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (family->build == NULL)
        return true;
    int size = family->size_multiple == NULL ? 1 : family->size_multiple(setup, 1.0);
    size = MAX(size, family->min_size);
    VfiGraph *graphs[VFI_STAGE_COUNT] = {NULL};
    VfiPlan *plans[VFI_STAGE_COUNT] = {NULL};
    for (int stage = 0; stage < VFI_STAGE_COUNT && reason == NULL; stage++) {
        VfiGraph *graph = vfi_graph_new(weights, size, size);
        graphs[stage] = graph;
        vfi_graph_set_tally(graph, tally);
        for (int earlier = 0; earlier < stage; earlier++)
            vfi_plan_declare_outputs(plans[earlier], graph);
        if ((stage == VFI_STAGE_PAIR && !family->has_pair_stage) ||
            !family->build(graph, setup, (VfiStage)stage, 1.0))
            continue;
        if (stage != VFI_STAGE_TIME)
            plans[stage] = vfi_plan_new(
                graph, NULL, vfi_stage_output_region((VfiStage)stage), &reason);
        else if (vfi_graph_error(graph) != NULL)
            reason = g_error_copy(vfi_graph_error(graph));
    }
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        vfi_plan_free(plans[stage]);
        vfi_graph_free(graphs[stage]);
    }
    bool builds = reason == NULL;
    if (!builds)
        g_propagate_error(error, g_steal_pointer(&reason));
    return builds;
}
