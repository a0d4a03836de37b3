/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/family_check.h"

#include "model/stage_graph.h"

bool vfi_family_check(const VfiModelFamily *family, const VfiModelSetup *setup,
                      const VfiWeights *weights, VfiTally *tally, GError **error)
{
    int multiple = family->size_multiple == NULL ? 1 : family->size_multiple(setup, 1.0);
    int size = MAX(multiple, family->min_size);
    const VfiStageSource source = {family, setup, weights, size, size, 1.0, tally};
    VfiGraph *graphs[VFI_STAGE_COUNT] = {NULL};
    VfiPlan *plans[VFI_STAGE_COUNT] = {NULL};
    bool builds = true;

    for (int stage = 0; builds && stage < VFI_STAGE_COUNT; stage++) {
        VfiGraph *graph = vfi_stage_graph_new(&source, (VfiStage)stage, plans);
        graphs[stage] = graph;
        if (graph == NULL)
            continue;
        if (stage == VFI_STAGE_TIME) {
            builds = vfi_graph_check(graph, error);
            continue;
        }
        plans[stage] =
            vfi_plan_new(graph, NULL, vfi_stage_output_region((VfiStage)stage), error);
        builds = plans[stage] != NULL;
    }
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        vfi_plan_free(plans[stage]);
        vfi_graph_free(graphs[stage]);
    }
    return builds;
}
