/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The passes find-joins and join-parts, where channels are last.
 *
 * A *joined* concat is one that convolutions alone read. It is channels last whatever its
 * parts are, and a part may begin at any channel, also at one that is no multiple of
 * eight. A part that nothing else reads is written right there if a convolution computes
 * it, or an op that works row by row (a *piece*); all others are copied. So parts take no
 * memory of their own, and row groups write whole pixels. A *loose* slice is one that
 * only convolutions and joined concats read: it may be cut at any channel, too. */
#include "plan/planner.h"

/* How often @value is read; *by_convs: how often as a convolution's input. */
static int count_reads(const VfiPlanner *planner, VfiValue value, int *by_convs)
{
    int n = vfi_plan_is_output(planner, value);

    *by_convs = 0;
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        for (int s = 0; item->use.alive && s < vfi_plan_n_sources(&item->node); s++) {
            if (vfi_plan_source(&item->node, s) != value)
                continue;
            n++;
            *by_convs += s == 0 && vfi_plan_is_conv(item);
        }
    }
    return n;
}

/* Whether all readers of @value take it at any channel: joined concats, and convolutions,
 * which read a copy if it does not begin at whole blocks. */
static bool is_read_at_any_channel(const VfiPlanner *planner, VfiValue value)
{
    if (vfi_plan_is_output(planner, value))
        return false;
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        for (int s = 0; item->use.alive && s < vfi_plan_n_sources(&item->node); s++)
            if (vfi_plan_source(&item->node, s) == value && !vfi_plan_is_conv(item) &&
                !item->join.joined)
                return false;
    }
    return true;
}

void vfi_plan_find_joins(VfiPlanner *planner)
{
    for (int i = 0; i < planner->n_items; i++) {
        VfiPlanItem *item = &planner->items[i];
        int by_convs = 0;
        item->join.joined = item->use.alive && item->node.kind == VFI_NODE_CONCAT &&
                            !item->output.pinned &&
                            count_reads(planner, i, &by_convs) == by_convs &&
                            by_convs > 0;
    }
    for (int i = 0; i < planner->n_items; i++) {
        VfiPlanItem *item = &planner->items[i];
        item->join.loose = item->use.alive && item->node.kind == VFI_NODE_SLICE &&
                           is_read_at_any_channel(planner, i);
    }
}

bool vfi_plan_begins_within_block(const VfiPlanner *planner, VfiValue value)
{
    const VfiPlanItem *item = &planner->items[value];

    return item->join.loose && item->layout.block > 1 &&
           item->node.first % planner->target.channel_block != 0;
}

/* Whether the op that computes @part may write it into the one concat that reads it. */
static bool may_write_piece(const VfiPlanner *planner, VfiValue part)
{
    const VfiPlanItem *item = &planner->items[part];
    int by_convs;

    return item->use.alive && item->node.kind == VFI_NODE_OP && !item->output.pinned &&
           item->layout.block <= 1 && count_reads(planner, part, &by_convs) == 1 &&
           (vfi_plan_is_conv(item) || vfi_plan_picture(planner, part).h != 0);
}

/* The picture from which a part of @concat is resized down; 0×0 if there is none. */
static VfiShape larger_picture(const VfiPlanner *planner, const VfiPlanItem *concat)
{
    for (int i = 0; i < vfi_plan_n_sources(&concat->node); i++) {
        VfiValue part = vfi_plan_source(&concat->node, i);
        if (!may_write_piece(planner, part))
            continue;
        VfiShape picture = vfi_plan_picture(planner, part);
        if (picture.h > concat->node.shape.h)
            return picture;
    }
    return (VfiShape){0, 0, 0};
}

/* A FILL has the same value at all pixels. Computed for the larger picture and resized
 * down like the other parts, it belongs to the row group that writes these. */
static void enlarge_fill(VfiPlanner *planner, VfiValue part, VfiShape picture)
{
    VfiPlanItem *item = &planner->items[part];

    if (item->node.kind != VFI_NODE_OP || item->node.op.kind != VFI_OP_FILL ||
        picture.h == 0 || !may_write_piece(planner, part))
        return;
    VfiValue full = vfi_plan_add_value(planner, part);
    VfiPlanItem *large = &planner->items[full];
    large->use.n = 1;
    large->node.shape.h = large->node.op.u.fill.height = picture.h;
    large->node.shape.w = large->node.op.u.fill.width = picture.w;
    item->node.op = (VfiOp){.kind = VFI_OP_RESIZE,
                            .name = "resize",
                            .u.resize = {.height = item->node.shape.h,
                                         .width = item->node.shape.w,
                                         .mul = 1.0f}};
    item->node.source[0] = full;
    item->node.n_sources = 1;
    item->order.before[item->order.n_before++] = full;
}

void vfi_plan_join_parts(VfiPlanner *planner)
{
    int n = planner->n_items;

    for (int i = 0; i < n; i++) {
        if (!planner->items[i].join.joined)
            continue;
        VfiShape picture = larger_picture(planner, &planner->items[i]);
        for (int p = 0; p < vfi_plan_n_sources(&planner->items[i].node); p++) {
            VfiValue part = vfi_plan_source(&planner->items[i].node, p);
            enlarge_fill(planner, part, picture);
            if (!may_write_piece(planner, part))
                continue;
            planner->items[part].join.is_piece = !vfi_plan_is_conv(&planner->items[part]);
            planner->items[part].layout.block = planner->target.channel_block;
        }
    }
}

bool vfi_plan_is_view_of_join(const VfiPlanner *planner, VfiValue part, int first,
                              bool is_last)
{
    const VfiPlanItem *item = &planner->items[part];
    int block = planner->target.channel_block, by_convs;

    if (item->layout.block <= 1)
        return false;
    if (first % block == 0 && (is_last || item->node.shape.c % block == 0))
        return true;
    return item->node.kind == VFI_NODE_OP && count_reads(planner, part, &by_convs) == 1;
}
