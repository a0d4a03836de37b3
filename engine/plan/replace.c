/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For place-views: values of which a network replaces some channels, concat(slice(x),
 * f(slice(x))), as in IFRNet's residual blocks. If nothing reads x any more by then, x is
 * computed in the concat's place, and only the new channels are copied.
 *
 * Only for values in NCHWc blocks or channels last: no later pass moves their readers to
 * another place in the list of steps, as rows.c does with those of planes. */
#include "plan/planner.h"

/* The value that @value is a slice of, or @value itself. */
static VfiValue sliced_value(const VfiPlanner *planner, VfiValue value)
{
    while (planner->items[value].node.kind == VFI_NODE_SLICE)
        value = planner->items[value].node.source[0];
    return value;
}

/* How many times @node reads channels of @value. */
static int count_reads(const VfiPlanner *planner, const VfiNode *node, VfiValue value)
{
    int n = 0;

    for (int i = 0; i < vfi_plan_n_sources(node); i++)
        n += sliced_value(planner, vfi_plan_source(node, i)) == value;
    return n;
}

VfiValue vfi_plan_anchor(const VfiPlanner *planner, VfiValue value)
{
    bool found = true;

    while (found && value >= (int)planner->graph->nodes->len) {
        found = false;
        for (int i = 0; i < planner->n_items && !found; i++) {
            const VfiPlanItem *item = &planner->items[i];
            found = item->order.after == value;
            for (int b = 0; b < item->order.n_before; b++)
                found = found || item->order.before[b] == value;
            value = found ? i : value;
        }
    }
    return value;
}

/* Whether nothing reads @value after @concat, which itself reads it once. */
static bool is_read_only_before(const VfiPlanner *planner, VfiValue value,
                                VfiValue concat)
{
    for (int i = concat + 1; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        if (item->use.alive && item->node.kind != VFI_NODE_SLICE &&
            count_reads(planner, &item->node, value) > 0 &&
            vfi_plan_anchor(planner, i) > concat)
            return false;
    }
    return count_reads(planner, &planner->items[concat].node, value) == 1;
}

/* A convolution may even read the channels that it replaces: it writes its result only
 * when all of it is computed. */
bool vfi_plan_may_replace(const VfiPlanner *planner, VfiValue part, VfiValue concat,
                          VfiValue value)
{
    const VfiPlanItem *item = &planner->items[part];

    if (!planner->target.channels_last || item->node.kind != VFI_NODE_OP ||
        item->node.op.kind != VFI_OP_CONV || item->node.n_sources != 1 ||
        part >= (int)planner->graph->nodes->len || part < value)
        return false;
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *reader = &planner->items[i];
        if (i != part && i != concat && reader->use.alive &&
            reader->node.kind != VFI_NODE_SLICE &&
            count_reads(planner, &reader->node, value) > 0 &&
            vfi_plan_anchor(planner, i) >= part)
            return false;
    }
    return true;
}

int vfi_plan_kept_part(const VfiPlanner *planner, VfiValue concat)
{
    const VfiPlanItem *item = &planner->items[concat];
    int channel = 0;

    for (int i = 0; item->layout.block > 1 && i < vfi_plan_n_sources(&item->node); i++) {
        const VfiNode *part = &planner->items[vfi_plan_source(&item->node, i)].node;
        VfiValue value = part->kind == VFI_NODE_SLICE ? part->source[0] : VFI_NO_VALUE;
        const VfiPlanItem *whole = value == VFI_NO_VALUE ? NULL : &planner->items[value];
        if (whole != NULL && whole->node.kind == VFI_NODE_OP &&
            whole->view.host == VFI_NO_VALUE && !whole->output.pinned &&
            whole->layout.block > 1 && whole->node.segment == item->node.segment &&
            part->first == channel && whole->node.shape.c == item->node.shape.c &&
            is_read_only_before(planner, value, concat))
            return i;
        channel += part->shape.c;
    }
    return -1;
}
