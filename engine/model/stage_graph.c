/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/stage_graph.h"

VfiGraph *vfi_stage_graph_new(const VfiStageSource *source, VfiStage stage,
                              VfiPlan *const plans[VFI_STAGE_COUNT])
{
    const VfiModelFamily *family = source->family;

    if (family->build == NULL || (stage == VFI_STAGE_PAIR && !family->has_pair_stage))
        return NULL;
    VfiGraph *graph = vfi_graph_new(source->weights, source->width, source->height);
    vfi_graph_set_tally(graph, source->tally);
    for (int earlier = 0; earlier < (int)stage; earlier++)
        vfi_plan_declare_outputs(plans[earlier], graph);
    if (!family->build(graph, source->setup, stage, source->scale))
        g_clear_pointer(&graph, vfi_graph_free);
    return graph;
}
