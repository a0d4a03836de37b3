/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layout pass of the planner. A value is kept in channel blocks where a convolution makes
 * it and only convolutions read it. Slices and concatenations between them are views in blocks,
 * too, if they are cut at whole blocks. Ops that gain much from blocks get them in any case:
 * what their neighbours hold in planes is copied. */
#include "plan_internal.h"

#include <string.h>

typedef struct {
    VfiPlanner *planner;
    const VfiPlanTarget *target;
    bool *computes_blocks; /* the op's result comes in blocks */
} Layout;

static int channels_of(const VfiPlanner *planner, VfiValue value)
{
    return planner->items[value].node.shape.c;
}

/* Whether @item has one group, or groups that are whole blocks and gain from it. */
static bool groups_fit(const Layout *layout, const VfiPlanItem *item)
{
    VfiOp op = item->node.op;
    int groups = op.u.conv.groups, block = layout->target->channel_block;

    if (groups == 1)
        return true;
    op.src[0].shape = layout->planner->items[item->node.source[0]].node.shape;
    op.dst.shape = item->node.shape;
    return op.src[0].shape.c / groups % block == 0 &&
           op.dst.shape.c / groups % block == 0 && layout->target->gains_from_blocks(&op);
}

/* Whether @item is a convolution that can have blocks. */
static bool takes_blocks(const Layout *layout, const VfiPlanItem *item)
{
    return item->alive && item->node.kind == VFI_NODE_OP &&
           (item->node.op.kind == VFI_OP_CONV || item->node.op.kind == VFI_OP_DECONV) &&
           groups_fit(layout, item);
}

static bool gains(const Layout *layout, VfiValue value)
{
    const VfiPlanItem *item = &layout->planner->items[value];
    int block = layout->target->channel_block;

    return takes_blocks(layout, item) && item->node.shape.c >= block &&
           channels_of(layout->planner, item->node.source[0]) >= block &&
           layout->target->gains_from_blocks(&item->node.op);
}

static bool is_view(const VfiPlanItem *item)
{
    return item->alive &&
           (item->node.kind == VFI_NODE_SLICE || item->node.kind == VFI_NODE_CONCAT);
}

static int n_sources(const VfiNode *node)
{
    return node->kind == VFI_NODE_CONCAT ? (int)node->parts->len : node->n_sources;
}

static VfiPlanItem *source_item(VfiPlanner *planner, const VfiNode *node, int i)
{
    return &planner->items[node->kind == VFI_NODE_CONCAT
                               ? g_array_index(node->parts, VfiValue, i)
                               : node->source[i]];
}

/* Whether a view is cut at whole blocks, or ends where its source does: beyond that there are
 * zeros, as there are to be beyond the view's own last channel. */
static bool is_cut_at_blocks(VfiPlanner *planner, const VfiPlanItem *item, int block)
{
    const VfiNode *node = &item->node;
    bool fits = true;

    if (node->kind == VFI_NODE_SLICE) {
        int end = node->first + node->shape.c;
        return node->first % block == 0 &&
               (end % block == 0 || end == source_item(planner, node, 0)->node.shape.c);
    }
    for (int i = 0; i < n_sources(node) - 1; i++)
        fits = fits && source_item(planner, node, i)->node.shape.c % block == 0;
    return fits;
}

/* Takes blocks from every value that something reads or wants that cannot have them. */
static void drop_values_read_as_planes(Layout *layout)
{
    VfiPlanner *planner = layout->planner;
    const GArray *outputs = planner->graph->outputs;

    for (guint i = 0; i < outputs->len; i++)
        planner->items[g_array_index(outputs, VfiGraphOutput, i).value].block = 0;
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        if (!item->alive || takes_blocks(layout, item) || is_view(item))
            continue;
        for (int s = 0; s < n_sources(&item->node); s++)
            source_item(planner, &item->node, s)->block = 0;
    }
}

/* A view has the layout of all that it is made of. Returns whether that took a change. */
static bool settle_view(VfiPlanner *planner, VfiPlanItem *item)
{
    int n = n_sources(&item->node), n_blocked = 0;

    for (int s = 0; s < n; s++)
        n_blocked += source_item(planner, &item->node, s)->block > 1;
    if (n_blocked == (item->block > 1 ? n : 0))
        return false;
    item->block = 0;
    for (int s = 0; s < n; s++)
        source_item(planner, &item->node, s)->block = 0;
    return true;
}

/* Makes a residual and the sum of one layout. Returns whether that took a change. */
static bool settle_residual(Layout *layout, VfiValue value)
{
    VfiPlanItem *item = &layout->planner->items[value];
    VfiPlanItem *residual = &layout->planner->items[item->node.source[1]];

    if (residual->block > 1 && !layout->computes_blocks[value]) {
        residual->block = 0;
        return true;
    }
    if (residual->block <= 1 && item->block > 1 && !gains(layout, value)) {
        item->block = 0;
        return true;
    }
    return false;
}

/* What changes may change others. */
static void settle(Layout *layout)
{
    VfiPlanner *planner = layout->planner;
    bool changed = true;

    while (changed) {
        changed = false;
        for (int i = 0; i < planner->n_items; i++) {
            VfiPlanItem *item = &planner->items[i];
            layout->computes_blocks[i] =
                takes_blocks(layout, item) && (item->block > 1 || gains(layout, i));
            if (is_view(item))
                changed = settle_view(planner, item) || changed;
            else if (takes_blocks(layout, item) && item->node.n_sources == 2)
                changed = settle_residual(layout, i) || changed;
        }
    }
}

/* A new value like @like, computed right before op @before. */
static VfiValue add_value(Layout *layout, VfiValue like, VfiValue before,
                          VfiPlanSpan *spans)
{
    VfiPlanner *planner = layout->planner;
    int n_segments = (int)planner->graph->segments->len;
    VfiValue value = planner->n_items++;
    VfiPlanItem *item = &planner->items[value], *op = &planner->items[before];

    *item = planner->items[like];
    item->node.segment = op->node.segment;
    item->spans = &spans[(size_t)value * (size_t)n_segments];
    item->host = VFI_NO_VALUE;
    item->pinned = false;
    item->n_before = 0;
    op->before[op->n_before++] = value;
    return value;
}

static void make_copy(VfiPlanItem *item, VfiValue source)
{
    item->node.kind = VFI_NODE_OP;
    item->node.op = (VfiOp){.kind = VFI_OP_COPY, .name = "reorder"};
    item->node.source[0] = source;
    item->node.n_sources = 1;
}

/* Reads source @s of op @value from a copy in blocks, or from what itself was copied to planes.
 */
static void copy_source(Layout *layout, VfiValue value, int s, VfiPlanSpan *spans)
{
    VfiPlanItem *items = layout->planner->items;
    VfiValue source = items[value].node.source[s];
    const VfiNode *made_by = &items[source].node;

    if (made_by->kind == VFI_NODE_OP && made_by->op.kind == VFI_OP_COPY &&
        items[made_by->source[0]].block > 1) {
        items[value].node.source[s] = made_by->source[0];
        return;
    }
    VfiValue copy = add_value(layout, source, value, spans);
    VfiPlanItem *item = &layout->planner->items[copy];

    make_copy(item, source);
    item->block = layout->target->channel_block;
    layout->planner->items[value].node.source[s] = copy;
}

/* Lets a new value take the op's place and copies its blocks to the planes that are read. */
static void copy_result(Layout *layout, VfiValue value, VfiPlanSpan *spans)
{
    VfiValue blocks = add_value(layout, value, value, spans);

    layout->planner->items[blocks].block = layout->target->channel_block;
    make_copy(&layout->planner->items[value], blocks);
}

void vfi_plan_choose_layouts(VfiPlanner *planner, const VfiPlanTarget *target,
                             VfiPlanSpan *spans)
{
    int n = planner->n_items;
    Layout layout = {planner, target, g_new0(bool, n)};

    for (int i = 0; i < n; i++) {
        VfiPlanItem *item = &planner->items[i];
        bool can = takes_blocks(&layout, item) && !item->pinned &&
                   item->node.shape.c >= target->channel_block &&
                   item->node.op.u.conv.activation.kind != VFI_ACTIVATION_SIGMOID;
        if (is_view(item))
            can = is_cut_at_blocks(planner, item, target->channel_block);
        item->block = can ? target->channel_block : 0;
    }
    drop_values_read_as_planes(&layout);
    settle(&layout);
    for (int i = 0; i < n; i++) {
        const VfiPlanItem *item = &planner->items[i];
        if (!layout.computes_blocks[i])
            continue;
        if (gains(&layout, i) && planner->items[item->node.source[0]].block <= 1)
            copy_source(&layout, i, 0, spans);
        if (item->node.n_sources == 2 && planner->items[item->node.source[1]].block <= 1)
            copy_source(&layout, i, 1, spans);
        if (item->block <= 1)
            copy_result(&layout, i, spans);
    }
    g_free(layout.computes_blocks);
}
