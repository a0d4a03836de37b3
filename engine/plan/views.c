/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass place-views: slices and parts of concats become views of what they belong to;
 * parts that cannot be are copied. It also lists the steps in order. */
#include "plan/planner.h"

/* A part of a concat, which begins at its channel @first. */
typedef struct {
    VfiValue concat, value;
    int first;
    bool is_last;
} Part;

/* Whether the part may be computed right where it belongs. @kept_value: the value of
 * which the concat replaces channels (replace.c), or VFI_NO_VALUE. */
static bool may_be_view(const VfiPlanner *planner, const Part *part, VfiValue kept_value)
{
    const VfiPlanItem *item = &planner->items[part->value];
    bool joined = planner->items[part->concat].join.joined;

    if ((item->node.kind != VFI_NODE_OP && item->node.kind != VFI_NODE_CONCAT) ||
        item->view.host != VFI_NO_VALUE || item->output.pinned)
        return false;
    /* As a view it would keep the whole concat alive, though it can be rematerialised. */
    if (item->rematerialise.cost > 0 && item->use.n > 1)
        return false;
    if (joined &&
        !vfi_plan_is_view_of_join(planner, part->value, part->first, part->is_last))
        return false;
    return kept_value == VFI_NO_VALUE ||
           (joined &&
            vfi_plan_may_replace(planner, part->value, part->concat, kept_value));
}

static void place_part(VfiPlanner *planner, const Part *part, VfiValue kept_value)
{
    VfiPlanItem *item = &planner->items[part->value];
    const VfiPlanItem *concat = &planner->items[part->concat];
    size_t offset = vfi_plan_channel_offset(planner, concat, part->first);
    bool followed = concat->join.joined && !part->is_last;

    if (may_be_view(planner, part, kept_value)) {
        item->view.host = part->concat;
        item->view.offset = offset;
        item->view.followed = followed;
        return;
    }
    VfiPlanStep step = {.value = part->concat,
                        .copy_of = part->value,
                        .offset = offset,
                        .followed = followed,
                        .segment = concat->node.segment,
                        .group = VFI_PLAN_NO_GROUP};
    g_array_append_val(planner->steps, step);
}

/* Makes the parts of @concat views of it, or has them copied. */
static void place_parts(VfiPlanner *planner, VfiValue concat)
{
    const VfiNode *node = &planner->items[concat].node;
    int kept = vfi_plan_kept_part(planner, concat), n = vfi_plan_n_sources(node);
    VfiValue kept_value = kept >= 0
                              ? planner->items[vfi_plan_source(node, kept)].node.source[0]
                              : VFI_NO_VALUE;
    Part part = {.concat = concat};

    for (int i = 0; i < n; i++) {
        part.value = vfi_plan_source(node, i);
        part.is_last = i + 1 == n;
        if (i == kept)
            planner->items[kept_value].view.host = concat;
        else
            place_part(planner, &part, kept_value);
        part.first += vfi_plan_shape(planner, part.value).c;
    }
}

static void add_op_step(VfiPlanner *planner, VfiValue value)
{
    const VfiPlanItem *item = &planner->items[value];
    VfiPlanStep step = {.value = value,
                        .copy_of = VFI_NO_VALUE,
                        .segment = item->node.segment,
                        .group = VFI_PLAN_NO_GROUP};

    for (int i = 0; i < item->order.n_before; i++)
        add_op_step(planner, item->order.before[i]);
    g_array_append_val(planner->steps, step);
}

/* Of the values that are to be computed right after @value. */
static void add_later_steps(VfiPlanner *planner, VfiValue value)
{
    for (VfiValue next = planner->items[value].order.after; next != VFI_NO_VALUE;
         next = planner->items[next].order.after)
        add_op_step(planner, next);
}

void vfi_plan_place_views(VfiPlanner *planner)
{
    for (int i = 0; i < (int)planner->graph->nodes->len; i++) {
        VfiPlanItem *item = &planner->items[i];
        if (!item->use.alive) {
            add_later_steps(planner, i);
            continue;
        }
        if (item->node.kind == VFI_NODE_SLICE) {
            item->view.host = item->node.source[0];
            item->view.offset = vfi_plan_channel_offset(
                planner, &planner->items[item->view.host], item->node.first);
        } else if (item->node.kind == VFI_NODE_CONCAT) {
            place_parts(planner, i);
        } else if (item->node.kind == VFI_NODE_OP) {
            add_op_step(planner, i);
        }
        add_later_steps(planner, i);
        for (guint s = (guint)item->node.segment; s < planner->graph->segments->len; s++)
            planner->segment_end[s] = (int)planner->steps->len;
    }
}
