/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The planner's working state, and what several passes ask of it. */
#include "plan/planner.h"

#include <vfi/error.h>

/* Bytes of a tensor in blocks of @block channels. */
static size_t tensor_bytes(VfiPlanner *planner, VfiShape shape, int block, size_t element)
{
    size_t bytes;

    shape.c = vfi_channels_in_blocks(shape.c, block);
    if (!vfi_size_mul((size_t)shape.h, (size_t)shape.w, &bytes) ||
        !vfi_size_mul(bytes, (size_t)shape.c, &bytes) ||
        !vfi_size_mul(bytes, element, &bytes)) {
        if (planner->error == NULL)
            planner->error =
                g_error_new(VFI_ERROR, VFI_ERROR_NO_MEMORY,
                            "a tensor of %dx%dx%d is beyond the address space", shape.c,
                            shape.h, shape.w);
        return 0;
    }
    return bytes;
}

static size_t element_bytes(const VfiPlanItem *item)
{
    return item->node.half ? sizeof(uint16_t) : sizeof(float);
}

size_t vfi_plan_value_bytes(VfiPlanner *planner, const VfiPlanItem *item)
{
    return tensor_bytes(planner, item->node.shape, item->layout.block,
                        element_bytes(item));
}

size_t vfi_plan_channel_offset(VfiPlanner *planner, const VfiPlanItem *whole, int channel)
{
    VfiShape skipped = whole->node.shape;

    if (whole->layout.block > 1 && planner->target.channels_last)
        return (size_t)channel * element_bytes(whole);
    skipped.c = channel;
    return tensor_bytes(planner, skipped, 0, element_bytes(whole));
}

/* Passes hold pointers to items while they add others, so that there is room for all from
 * the start: split-convs may make an op of each part of a concat, and all ops may get
 * copies, conversions on both sides, a constant and a result in planes. */
static size_t max_items(const VfiGraph *graph)
{
    size_t n = graph->nodes->len;

    for (int i = 0; i < (int)graph->nodes->len; i++) {
        const VfiNode *node = vfi_graph_node(graph, i);
        n += node->kind == VFI_NODE_CONCAT ? node->parts->len : 0;
    }
    return n * (VFI_PLAN_MAX_COPIES + 5);
}

void vfi_planner_init(VfiPlanner *planner)
{
    const VfiGraph *graph = planner->graph;
    size_t n_segments = graph->segments->len, room = max_items(graph);

    planner->n_items = (int)graph->nodes->len;
    planner->items = g_new0(VfiPlanItem, room);
    planner->spans = g_new(VfiPlanSpan, room * n_segments);
    planner->steps = g_array_new(FALSE, FALSE, sizeof(VfiPlanStep));
    planner->segment_end = g_new0(int, n_segments);
    planner->groups = g_array_new(FALSE, FALSE, sizeof(VfiPlanRowGroup));
    planner->own_parts = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (size_t i = 0; i < room * n_segments; i++)
        planner->spans[i] = (VfiPlanSpan){.first = G_MAXINT, .last = -1};
    for (int i = 0; i < planner->n_items; i++)
        planner->items[i] =
            (VfiPlanItem){.node = *vfi_graph_node(graph, i),
                          .view.host = VFI_NO_VALUE,
                          .order.after = VFI_NO_VALUE,
                          .output.kept_as = VFI_NO_VALUE,
                          .memory.spans = &planner->spans[(size_t)i * n_segments]};
}

void vfi_planner_clear(VfiPlanner *planner)
{
    for (guint i = 0; i < planner->groups->len; i++)
        g_clear_pointer(&g_array_index(planner->groups, VfiPlanRowGroup, i).locals,
                        g_array_unref);
    g_array_unref(planner->groups);
    g_array_unref(planner->steps);
    g_ptr_array_unref(planner->own_parts);
    g_free(planner->segment_end);
    g_free(planner->items);
    g_free(planner->spans);
}

bool vfi_plan_is_output(const VfiPlanner *planner, VfiValue value)
{
    const GArray *outputs = planner->graph->outputs;

    for (guint i = 0; i < outputs->len; i++)
        if (g_array_index(outputs, VfiGraphOutput, i).value == value)
            return true;
    return false;
}

VfiValue vfi_plan_add_value(VfiPlanner *planner, VfiValue like)
{
    VfiValue value = planner->n_items++;
    VfiPlanItem *item = &planner->items[value];

    *item = planner->items[like];
    item->memory.spans = &planner->spans[(size_t)value * planner->graph->segments->len];
    item->view.host = VFI_NO_VALUE;
    item->order.after = VFI_NO_VALUE;
    item->order.n_before = 0;
    item->output.kept_as = VFI_NO_VALUE;
    item->output.pinned = false;
    return value;
}

void vfi_plan_compute_after(VfiPlanner *planner, VfiValue value, VfiValue added)
{
    while (planner->items[value].order.after != VFI_NO_VALUE)
        value = planner->items[value].order.after;
    planner->items[value].order.after = added;
}

/* Whether an op writes any layout, whatever its source's. */
static bool gives_any_layout(const VfiPlanner *planner, const VfiPlanItem *item)
{
    unsigned result = vfi_plan_descriptor(item)->result;

    return planner->target.channels_last && (result & VFI_LAYOUT_CHANNELS_LAST) != 0 &&
           (result & VFI_LAYOUT_LIKE_SOURCE) == 0;
}

/* Whether the op's result or source has blocks that row groups cannot write or read. */
static bool has_foreign_blocks(const VfiPlanner *planner, const VfiPlanItem *item)
{
    const VfiNode *node = &item->node;

    if (item->layout.block > 1 && !item->join.is_piece &&
        !gives_any_layout(planner, item))
        return true;
    return node->n_sources > 0 && planner->items[node->source[0]].layout.block > 1 &&
           !vfi_plan_takes_any_layout(planner, item, 0);
}

/* The op of @node with the shapes that descriptors ask for. */
static VfiOp shaped_op(const VfiPlanner *planner, const VfiNode *node)
{
    VfiOp op = node->op;

    op.n_src = node->n_sources;
    for (int s = 0; s < op.n_src; s++)
        op.src[s].shape = vfi_plan_shape(planner, node->source[s]);
    op.dst.shape = node->shape;
    return op;
}

VfiShape vfi_plan_picture(const VfiPlanner *planner, VfiValue value)
{
    const VfiPlanItem *item = &planner->items[value];

    if (has_foreign_blocks(planner, item))
        return (VfiShape){0, 0, 0};
    VfiOp op = shaped_op(planner, &item->node);
    if (planner->target.row_op != NULL && !planner->target.row_op(&op))
        return (VfiShape){0, 0, 0};
    return vfi_op_picture(&op);
}

bool vfi_plan_reads_beyond_rows(const VfiPlanner *planner, VfiValue value, int i)
{
    VfiOp op = shaped_op(planner, &planner->items[value].node);

    return vfi_op_reads_beyond_rows(&op, i);
}
