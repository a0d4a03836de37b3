/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass mark-alive: what no output needs is left out. */
#include "plan/planner.h"

static void keep(VfiPlanner *planner, VfiValue value)
{
    planner->items[value].use.alive = true;
    planner->items[value].use.n++;
}

/* A node is alive if an output, a state, or a scalar that the host reads, depends on
 * it. */
void vfi_plan_mark_alive(VfiPlanner *planner)
{
    const GArray *outputs = planner->graph->outputs, *states = planner->graph->states;

    for (guint i = 0; i < outputs->len; i++)
        keep(planner, g_array_index(outputs, VfiGraphOutput, i).value);
    for (guint i = 0; i < states->len; i++) {
        keep(planner, g_array_index(states, VfiGraphState, i).initial);
        keep(planner, g_array_index(states, VfiGraphState, i).next);
    }
    for (int i = planner->n_items - 1; i >= 0; i--) {
        VfiPlanItem *item = &planner->items[i];
        if (item->node.kind == VFI_NODE_OP && vfi_op_scalar(&item->node.op) >= 0)
            item->use.alive = true;
        for (int s = 0; item->use.alive && s < vfi_plan_n_sources(&item->node); s++) {
            VfiPlanItem *source = &planner->items[vfi_plan_source(&item->node, s)];
            source->use.alive = true;
            source->use.n++;
        }
    }
}
