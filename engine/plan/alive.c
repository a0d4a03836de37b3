/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass mark-alive: what no output needs is left out. */
#include "plan/planner.h"

/* A node is alive if an output, or a scalar that the host reads, depends on it. */
void vfi_plan_mark_alive(VfiPlanner *planner)
{
    const GArray *outputs = planner->graph->outputs;

    for (guint i = 0; i < outputs->len; i++) {
        VfiValue value = g_array_index(outputs, VfiGraphOutput, i).value;
        planner->items[value].use.alive = true;
        planner->items[value].use.n++;
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
