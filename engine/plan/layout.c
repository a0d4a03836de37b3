/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass choose-layouts, for NCHWc blocks and for channels last, which is the case of
 * one block with all channels. A value is in blocks if convolutions, or ops that move
 * whole pixels, compute it and read it. Slices and concats between them are views in
 * blocks, too, if they are cut at whole blocks. Ops that gain much from blocks get them
 * in any case: copies lead from and to neighbours that have planes.
 *
 * Every value that may have blocks by itself starts with them; then blocks are taken from
 * those whose neighbours do not fit until nothing changes; then copies are added. */
#include "plan/planner.h"

#include <string.h>

/* Fewest channels that a kept output has in blocks. */
#define MIN_PINNED_CHANNELS 32

typedef struct {
    VfiPlanner *planner;
    int n;                 /* values that there were before */
    bool *computes_blocks; /* the op's result comes in blocks */
    VfiValue *copies;      /* per value: its copy in blocks for all of its segment */
} Layout;

static bool is_channels_last(const Layout *layout)
{
    return layout->planner->target.channels_last;
}

/* Whether the convolution @item has one group, or groups that gain from blocks: whole
 * blocks, or single channels that fill one at least. */
static bool groups_fit(const Layout *layout, const VfiPlanItem *item)
{
    VfiOp op = item->node.op;
    int groups = op.u.conv.groups, block = layout->planner->target.channel_block;

    if (groups == 1 || is_channels_last(layout))
        return true;
    op.src[0].shape = vfi_plan_shape(layout->planner, item->node.source[0]);
    op.dst.shape = item->node.shape;
    bool whole =
        op.src[0].shape.c / groups % block == 0 && op.dst.shape.c / groups % block == 0;
    bool single =
        groups == op.src[0].shape.c && groups == op.dst.shape.c && groups >= block;
    return (whole || single) && layout->planner->target.gains_from_blocks(&op);
}

/* Whether @item is a convolution that can have blocks. */
static bool takes_blocks(const Layout *layout, const VfiPlanItem *item)
{
    return item->use.alive && vfi_plan_is_conv(item) && groups_fit(layout, item);
}

static bool gains(const Layout *layout, VfiValue value)
{
    const VfiPlanItem *item = &layout->planner->items[value];
    int block = layout->planner->target.channel_block;

    if (is_channels_last(layout))
        return takes_blocks(layout, item);
    return takes_blocks(layout, item) && item->node.shape.c >= block &&
           2 * vfi_plan_shape(layout->planner, item->node.source[0]).c >= block &&
           layout->planner->target.gains_from_blocks(&item->node.op);
}

static bool is_view(const VfiPlanItem *item)
{
    return item->use.alive &&
           (item->node.kind == VFI_NODE_SLICE || item->node.kind == VFI_NODE_CONCAT);
}

static VfiPlanItem *source_item(VfiPlanner *planner, const VfiNode *node, int i)
{
    return &planner->items[vfi_plan_source(node, i)];
}

/* Whether a view is cut at whole blocks, or ends where its source does: the zeros after
 * the source's last channel are those that the view needs after its own. */
static bool is_cut_at_blocks(VfiPlanner *planner, const VfiPlanItem *item, int block)
{
    const VfiNode *node = &item->node;
    bool fits = true;

    if (node->kind == VFI_NODE_SLICE) {
        int end = node->first + node->shape.c;
        return node->first % block == 0 &&
               (end % block == 0 || end == source_item(planner, node, 0)->node.shape.c);
    }
    for (int i = 0; i < vfi_plan_n_sources(node) - 1; i++)
        fits = fits && source_item(planner, node, i)->node.shape.c % block == 0;
    return fits;
}

/* Ops that move whole pixels: their result is laid out as their first source. */
static bool moves_pixels(const VfiPlanItem *item)
{
    return item->node.kind == VFI_NODE_OP && vfi_op_moves_pixels(item->node.op.kind);
}

/* Whether a value's layout was chosen by an earlier stage. */
static bool came_so(const Layout *layout, VfiValue value)
{
    const VfiPlanItem *items = layout->planner->items, *item = &items[value];

    return item->node.kind == VFI_NODE_INPUT ||
           (item->node.kind == VFI_NODE_OP && item->node.op.kind == VFI_OP_CONVERT &&
            items[item->node.source[0]].node.kind == VFI_NODE_INPUT);
}

/* Makes @value planar, unless an earlier stage made it. Returns whether that is new. */
static bool drop_blocks(Layout *layout, VfiValue value)
{
    VfiPlanItem *item = &layout->planner->items[value];

    if (item->layout.block <= 1 || came_so(layout, value))
        return false;
    item->layout.block = 0;
    return true;
}

/* A view has the layout of all that it is made of. */
static bool settle_view(Layout *layout, VfiValue value)
{
    const VfiPlanItem *item = &layout->planner->items[value];
    int n = vfi_plan_n_sources(&item->node), n_blocked = 0;
    bool changed = false;

    for (int s = 0; s < n; s++)
        n_blocked += source_item(layout->planner, &item->node, s)->layout.block > 1;
    if (item->join.joined || (item->layout.block > 1 && n_blocked == n))
        return false;
    changed = drop_blocks(layout, value);
    for (int s = 0; s < n; s++)
        changed = drop_blocks(layout, vfi_plan_source(&item->node, s)) || changed;
    return changed;
}

/* A residual and the sum have one layout. */
static bool settle_conv(Layout *layout, VfiValue value)
{
    VfiPlanItem *items = layout->planner->items, *item = &items[value];

    if (item->node.n_sources < 2 || is_channels_last(layout))
        return false;
    VfiValue residual = item->node.source[1];
    if (!layout->computes_blocks[value])
        return drop_blocks(layout, residual);
    return items[residual].layout.block <= 1 && !gains(layout, value) &&
           drop_blocks(layout, value);
}

static bool settle_pixel_mover(Layout *layout, VfiValue value)
{
    VfiPlanItem *items = layout->planner->items, *item = &items[value];
    bool changed = false;

    if (items[item->node.source[0]].layout.block <= 1)
        changed = drop_blocks(layout, value);
    if (item->layout.block <= 1)
        changed = drop_blocks(layout, item->node.source[0]) || changed;
    for (int s = 1; s < item->node.n_sources; s++)
        changed = drop_blocks(layout, item->node.source[s]) || changed;
    return changed;
}

/* Whether @item is an op that reads its source @s in any layout and writes planes. */
static bool takes_any(const Layout *layout, const VfiPlanItem *item, int s)
{
    return item->node.kind == VFI_NODE_OP &&
           vfi_plan_takes_any_layout(layout->planner, item, s);
}

/* Makes @value or its sources planar where their blocks do not fit. Returns whether
 * anything changed, as do the functions above. */
static bool settle(Layout *layout, VfiValue value)
{
    const VfiPlanItem *item = &layout->planner->items[value];
    bool changed = false;

    if (!item->use.alive || came_so(layout, value))
        return false;
    layout->computes_blocks[value] =
        takes_blocks(layout, item) && (item->layout.block > 1 || gains(layout, value));
    if (is_view(item))
        return settle_view(layout, value);
    if (takes_blocks(layout, item))
        return settle_conv(layout, value);
    if (moves_pixels(item))
        return settle_pixel_mover(layout, value);
    for (int s = 0; s < item->node.n_sources; s++)
        if (!takes_any(layout, item, s))
            changed = drop_blocks(layout, item->node.source[s]) || changed;
    return changed;
}

/* Until all values fit those that they are computed from. */
static void settle_all(Layout *layout)
{
    VfiPlanner *planner = layout->planner;
    const GArray *outputs = planner->graph->outputs;
    bool changed = true;

    for (guint i = 0; planner->output_region == VFI_REGION_ARENA && i < outputs->len; i++)
        drop_blocks(layout, g_array_index(outputs, VfiGraphOutput, i).value);
    while (changed) {
        changed = false;
        for (int i = 0; i < planner->n_items; i++)
            changed = settle(layout, i) || changed;
    }
}

/* Whether the value may have blocks at all, by itself. */
static bool can_have_blocks(const Layout *layout, const VfiPlanItem *item)
{
    int block = layout->planner->target.channel_block;
    /* What reads a frame's few channels wants planes: warps, beside those of images. */
    int min_channels = item->output.pinned ? MAX(block, MIN_PINNED_CHANNELS) : block;

    if (!item->use.alive || vfi_plan_writes_state(item) ||
        (item->node.shape.c < min_channels && !(is_view(item) && !item->output.pinned)))
        return false;
    if (item->node.kind == VFI_NODE_OP && vfi_plan_descriptor(item)->whole_blocks)
        return item->node.shape.c % block == 0;
    if (is_view(item))
        return item->join.joined || item->join.loose ||
               is_cut_at_blocks(layout->planner, item, block);
    if (takes_blocks(layout, item))
        return is_channels_last(layout) ||
               item->node.op.u.conv.activation.kind != VFI_ACTIVATION_SIGMOID;
    return moves_pixels(item);
}

/* Adds a value like @like, computed right before op @before. */
static VfiValue add_value(Layout *layout, VfiValue like, VfiValue before)
{
    VfiPlanner *planner = layout->planner;
    VfiValue value = vfi_plan_add_value(planner, like);
    VfiPlanItem *op = &planner->items[before];

    planner->items[value].node.segment = op->node.segment;
    op->order.before[op->order.n_before++] = value;
    return value;
}

static void make_copy(VfiPlanItem *item, VfiValue source)
{
    item->node.kind = VFI_NODE_OP;
    item->node.op = (VfiOp){.kind = VFI_OP_COPY, .name = "reorder"};
    item->node.source[0] = source;
    item->node.n_sources = 1;
}

/* Has op @value read its source @s in blocks: a copy, or the blocks that the source
 * itself is a copy of. Where channels are last, readers share the copy. */
static void copy_source(Layout *layout, VfiValue value, int s)
{
    VfiPlanItem *items = layout->planner->items;
    VfiValue source = items[value].node.source[s];
    const VfiNode *made_by = &items[source].node;

    if (made_by->kind == VFI_NODE_OP && made_by->op.kind == VFI_OP_COPY &&
        items[made_by->source[0]].layout.block > 1) {
        items[value].node.source[s] = made_by->source[0];
        return;
    }
    bool shared = is_channels_last(layout) && source < layout->n &&
                  items[source].node.segment == items[value].node.segment;
    if (shared && layout->copies[source] != VFI_NO_VALUE) {
        items[value].node.source[s] = layout->copies[source];
        return;
    }
    VfiValue copy = shared ? vfi_plan_add_value(layout->planner, source)
                           : add_value(layout, source, value);
    VfiPlanItem *item = &layout->planner->items[copy];

    make_copy(item, source);
    item->layout.block = layout->planner->target.channel_block;
    layout->planner->items[value].node.source[s] = copy;
    if (shared) {
        /* First of what is computed after the source: the others may read the copy. */
        layout->planner->items[copy].order.after = items[source].order.after;
        items[source].order.after = copy;
        layout->copies[source] = copy;
    }
}

/* Has a new value computed in blocks, of which op @value becomes the copy in planes. */
static void copy_result(Layout *layout, VfiValue value)
{
    VfiValue blocks = add_value(layout, value, value);

    layout->planner->items[blocks].layout.block = layout->planner->target.channel_block;
    make_copy(&layout->planner->items[value], blocks);
}

/* Whether op @value must read planes where its source @s came in blocks. */
static bool wants_planes(const Layout *layout, VfiValue value, int s)
{
    const VfiPlanItem *item = &layout->planner->items[value];

    if (is_view(item))
        return item->layout.block <= 1;
    if (takes_blocks(layout, item))
        return s == 1 && !layout->computes_blocks[value];
    if (takes_any(layout, item, s))
        return false;
    return !moves_pixels(item) || s > 0 || item->layout.block <= 1;
}

/* Adds a copy of @input, which came in blocks, in planes. */
static VfiValue add_planes(VfiPlanner *planner, VfiValue input, bool half)
{
    VfiValue planes = vfi_plan_add_value(planner, input);
    VfiPlanItem *item = &planner->items[planes];

    make_copy(item, input);
    item->layout.block = 0;
    item->node.half = half;
    vfi_plan_compute_after(planner, input, planes);
    return planes;
}

/* Gives those readers of @input, which came in blocks, a copy that want planes; of f32,
 * unless they take what it was kept in. */
static void copy_input(Layout *layout, VfiValue input, int n)
{
    VfiPlanner *planner = layout->planner;
    VfiValue planes[] = {VFI_NO_VALUE, VFI_NO_VALUE}; /* by whether they are f16 */

    for (int i = 0; i < n; i++) {
        VfiPlanItem *item = &planner->items[i];
        bool reads = item->use.alive && item->node.kind != VFI_NODE_CONCAT;
        for (int s = 0; reads && s < item->node.n_sources; s++) {
            if (item->node.source[s] != input || !wants_planes(layout, i, s))
                continue;
            bool half = planner->items[input].node.half &&
                        item->node.kind == VFI_NODE_OP &&
                        vfi_plan_takes_half_planes(planner, i, s);
            if (planes[half] == VFI_NO_VALUE)
                planes[half] = add_planes(planner, input, half);
            item->node.source[s] = planes[half];
        }
    }
}

/* Layouts as values have them by themselves. */
static void start_layouts(Layout *layout)
{
    for (VfiValue i = 0; i < layout->n; i++) {
        VfiPlanItem *item = &layout->planner->items[i];
        layout->copies[i] = VFI_NO_VALUE;
        if (came_so(layout, i))
            item->layout.block = item->node.input.block;
        else
            item->layout.block =
                can_have_blocks(layout, item) ? layout->planner->target.channel_block : 0;
    }
}

/* Adds the copies that the convolution @value, which computes blocks, reads and gives. */
static void copy_around(Layout *layout, VfiValue value)
{
    VfiPlanner *planner = layout->planner;
    const VfiNode *node = &planner->items[value].node;

    if (gains(layout, value) && (planner->items[node->source[0]].layout.block <= 1 ||
                                 vfi_plan_begins_within_block(planner, node->source[0])))
        copy_source(layout, value, 0);
    if (planner->target.channels_last)
        return;
    if (node->n_sources == 2 && planner->items[node->source[1]].layout.block <= 1)
        copy_source(layout, value, 1);
    if (planner->items[value].layout.block <= 1)
        copy_result(layout, value);
}

void vfi_plan_choose_layouts(VfiPlanner *planner)
{
    int n = planner->n_items;
    Layout layout = {planner, n, g_new0(bool, n), g_new(VfiValue, n)};

    start_layouts(&layout);
    settle_all(&layout);
    for (VfiValue i = 0; i < n; i++)
        if (came_so(&layout, i) && planner->items[i].layout.block > 1)
            copy_input(&layout, i, n);
    for (VfiValue i = 0; i < n; i++)
        if (layout.computes_blocks[i])
            copy_around(&layout, i);
    g_free(layout.computes_blocks);
    g_free(layout.copies);
}
