/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values that are cheap to compute: small tensors enlarged, and sums of such. Each row
 * group that reads one computes it for itself, so that it takes no memory. Here are the
 * pass find-cheap-values, and the part of group-rows that moves their steps. */
#include "plan/rows.h"

/* A source is small if the picture enlarged from it has this many times its elements. */
#define SMALL_TENSOR 4

/* Most enlargements that a value may take to be rematerialised. */
#define MAX_ENLARGEMENTS 3

/* Enlargements that it takes to compute @node; 0 if it takes more than those and sums. */
static int cost_of(const VfiPlanner *planner, const VfiNode *node)
{
    int cost = 0;

    if (node->kind == VFI_NODE_SLICE)
        return planner->items[node->source[0]].rematerialise.cost;
    if (node->kind != VFI_NODE_OP)
        return 0;
    if (node->op.kind == VFI_OP_RESIZE)
        return vfi_shape_elements(vfi_plan_shape(planner, node->source[0])) *
                   SMALL_TENSOR <=
               vfi_shape_elements(node->shape);
    if (node->op.kind != VFI_OP_ADD && node->op.kind != VFI_OP_SUB)
        return 0;
    for (int i = 0; i < node->n_sources; i++) {
        int source_cost = planner->items[node->source[i]].rematerialise.cost;
        if (source_cost == 0)
            return 0;
        cost += source_cost;
    }
    return cost <= MAX_ENLARGEMENTS ? cost : 0;
}

void vfi_plan_find_cheap_values(VfiPlanner *planner)
{
    for (int i = 0; i < planner->n_items; i++)
        planner->items[i].rematerialise.cost = cost_of(planner, &planner->items[i].node);
}

static bool is_cheap(const VfiRowGrouping *grouping, const VfiPlanStep *step)
{
    const VfiPlanItem *item = &grouping->planner->items[step->value];

    return !vfi_plan_step_copies(step) && item->rematerialise.cost > 0 &&
           item->view.host == VFI_NO_VALUE && !grouping->kept[step->value];
}

static bool is_read_anywhere(const VfiRowGrouping *grouping, VfiValue value)
{
    for (int u = 0; u < (int)grouping->units->len; u++)
        if (vfi_row_reading(grouping, vfi_row_unit(grouping, u), value) ==
            VFI_ROW_READS_ANYWHERE)
            return true;
    return false;
}

/* Whether @step reads a state, and a group of another segment reads what it computes: by
 * then the state is another round's. */
static bool reads_passing_state(const VfiRowGrouping *grouping, const VfiPlanStep *step)
{
    const VfiPlanner *planner = grouping->planner;
    bool reads_state = false;

    for (int s = 0; s < vfi_plan_step_n_sources(planner, step); s++) {
        const VfiPlanItem *root =
            &planner->items[vfi_plan_step_source_root(planner, step, s)];
        reads_state = reads_state || vfi_plan_writes_state(root) ||
                      (root->node.kind == VFI_NODE_INPUT &&
                       root->node.input.region == VFI_REGION_STATE);
    }
    for (int u = 0; reads_state && u < (int)grouping->units->len; u++) {
        const VfiRowUnit *unit = vfi_row_unit(grouping, u);
        if (unit->segment != step->segment &&
            vfi_row_reading(grouping, unit, step->value) != VFI_ROW_READS_NOT)
            return true;
    }
    return false;
}

/* Moves step @index of unit @from into all groups that read its value. */
static void move_to_readers(VfiRowGrouping *grouping, int from, guint index)
{
    VfiRowUnit *home = vfi_row_unit(grouping, from);
    VfiPlanStep step = *vfi_row_step(home, index);

    for (int u = from + 1; u < (int)grouping->units->len; u++) {
        VfiRowUnit *unit = vfi_row_unit(grouping, u);
        if (vfi_row_reading(grouping, unit, step.value) == VFI_ROW_READS_NOT)
            continue;
        step.segment = unit->segment;
        g_array_prepend_val(unit->steps, step);
    }
    if (vfi_row_reading(grouping, home, step.value) == VFI_ROW_READS_NOT)
        g_array_remove_index(home->steps, index);
}

/* Backwards: readers are placed before their cheap sources, which are then put first. */
void vfi_row_rematerialise(VfiRowGrouping *grouping)
{
    for (int u = (int)grouping->units->len - 1; u >= 0; u--) {
        const VfiRowUnit *unit = vfi_row_unit(grouping, u);
        for (guint i = unit->steps->len; i-- > 0;) {
            const VfiPlanStep *step = vfi_row_step(unit, i);
            if (is_cheap(grouping, step) && !is_read_anywhere(grouping, step->value) &&
                !reads_passing_state(grouping, step))
                move_to_readers(grouping, u, i);
        }
    }
}
