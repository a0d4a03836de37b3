/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass work-in-place: ops that may overwrite the source whose layout their result has
 * do so where nothing reads it after them. A norm's picture then takes no memory of its
 * own, and is written to where a cache still has it.
 *
 * Only for values in NCHWc blocks or channels last: no later pass moves their readers to
 * another place in the list of steps, as rows.c does with those of planes. */
#include "plan/planner.h"

/* Whether the op that computes @item may do so on its first source, by its kind. */
static bool may_overwrite(const VfiPlanItem *item)
{
    if (!item->use.alive || item->node.kind != VFI_NODE_OP || item->layout.block <= 1 ||
        item->output.pinned)
        return false;
    const VfiOpDescriptor *descriptor = vfi_plan_descriptor(item);
    return descriptor->source[0].in_place &&
           (descriptor->result & VFI_LAYOUT_LIKE_SOURCE) != 0;
}

/* Whether @source is an op's own memory, of the size and layout of @item. */
static bool fits(const VfiPlanItem *source, const VfiPlanItem *item)
{
    return source->node.kind == VFI_NODE_OP && !source->output.pinned &&
           source->view.host == VFI_NO_VALUE &&
           source->node.segment == item->node.segment &&
           source->layout.block == item->layout.block &&
           source->node.half == item->node.half &&
           vfi_shape_equal(source->node.shape, item->node.shape);
}

static bool reads(const VfiPlanItem *item, VfiValue value)
{
    bool any = false;

    for (int s = 0; s < vfi_plan_n_sources(&item->node); s++)
        any = any || vfi_plan_source(&item->node, s) == value;
    return any;
}

/* Whether @value is the last to read @source, and both are whole: no views, and no parts
 * of anything. */
static bool reads_last(const VfiPlanner *planner, VfiValue value, VfiValue source)
{
    int segment = planner->items[value].node.segment;
    VfiValue anchor = vfi_plan_anchor(planner, value);

    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        bool reads_source = reads(item, source);
        if (!item->use.alive || i == value || (!reads_source && !reads(item, value)))
            continue;
        if (item->node.kind == VFI_NODE_CONCAT)
            return false;
        if (reads_source &&
            (item->node.kind != VFI_NODE_OP || item->node.segment != segment ||
             vfi_plan_anchor(planner, i) >= anchor))
            return false;
    }
    return !vfi_plan_is_output(planner, source);
}

void vfi_plan_work_in_place(VfiPlanner *planner)
{
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        if (!may_overwrite(item))
            continue;
        VfiValue source = item->node.source[0];
        if (fits(&planner->items[source], item) && reads_last(planner, i, source))
            planner->items[source].view.host = i;
    }
}
