/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From graph to plan: the passes of passes.c, one after the other. Some of them are here. */
#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "plan/planner.h"
#include "plan/trace_internal.h"

/* Bytes of a tensor in blocks of @block channels. */
static size_t tensor_bytes(VfiPlanner *planner, VfiShape shape, int block, size_t element)
{
    size_t bytes;

    if (block > 1)
        shape.c = (shape.c + block - 1) / block * block;

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

size_t vfi_plan_value_bytes(VfiPlanner *planner, const VfiPlanItem *item)
{
    return tensor_bytes(planner, item->node.shape, item->block,
                        item->node.half ? sizeof(uint16_t) : sizeof(float));
}

/* Bytes from the start of @whole to channel @first of it. */
static size_t channel_offset(VfiPlanner *planner, const VfiPlanItem *whole, int first)
{
    VfiShape skipped = whole->node.shape;

    size_t element = whole->node.half ? sizeof(uint16_t) : sizeof(float);

    if (whole->block > 1 && planner->target.channels_last)
        return (size_t)first * element;
    skipped.c = first;
    return tensor_bytes(planner, skipped, 0, element);
}

size_t vfi_plan_image_bytes(int width, int height)
{
    return vfi_plan_align((size_t)3 * (size_t)width * (size_t)height * sizeof(float));
}

/* A node lives if an output or a scalar read by the host depends on it. */
void vfi_plan_mark_alive(VfiPlanner *planner)
{
    const GArray *outputs = planner->graph->outputs;

    for (guint i = 0; i < outputs->len; i++) {
        VfiValue value = g_array_index(outputs, VfiGraphOutput, i).value;
        planner->items[value].alive = true;
        planner->items[value].n_uses++;
    }
    for (int i = planner->n_items - 1; i >= 0; i--) {
        VfiPlanItem *item = &planner->items[i];
        if (item->node.kind == VFI_NODE_OP && vfi_op_scalar(&item->node.op) >= 0)
            item->alive = true;
        for (int s = 0; item->alive && s < vfi_plan_n_sources(&item->node); s++) {
            VfiPlanItem *source = &planner->items[vfi_plan_source(&item->node, s)];
            source->alive = true;
            source->n_uses++;
        }
    }
}

void vfi_plan_pin_outputs(VfiPlanner *planner)
{
    const GArray *outputs = planner->graph->outputs;

    for (guint i = 0; i < outputs->len; i++) {
        const VfiGraphOutput *output = &g_array_index(outputs, VfiGraphOutput, i);
        VfiPlanItem *item = &planner->items[output->value];
        if (item->node.kind != VFI_NODE_OP && item->node.kind != VFI_NODE_CONCAT &&
            planner->error == NULL)
            planner->error = g_error_new(
                VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "kept output \"%s\" is neither computed by an op nor a concat",
                output->name);
        item->pinned = true;
    }
}

/* Makes parts of @value (a concat) views of it; what cannot be a view is copied. */
static void place_parts(VfiPlanner *planner, VfiValue value)
{
    const GArray *parts = planner->items[value].node.parts;
    int kept = vfi_plan_kept_part(planner, value), first = 0;
    VfiValue kept_value =
        kept >= 0 ? planner->items[g_array_index(parts, VfiValue, kept)].node.source[0]
                  : VFI_NO_VALUE;

    for (int i = 0; i < (int)parts->len; i++) {
        VfiValue part = g_array_index(parts, VfiValue, i);
        VfiPlanItem *item = &planner->items[part];
        size_t offset = channel_offset(planner, &planner->items[value], first);
        bool joined = planner->items[value].joined, is_last = i + 1 == (int)parts->len;
        bool is_own =
            item->node.kind == VFI_NODE_OP || item->node.kind == VFI_NODE_CONCAT;
        /* A view would keep the whole concat for the sake of what can be had anew. */
        if (item->rematerialise_cost > 0 && item->n_uses > 1)
            is_own = false;
        if (joined && !vfi_plan_is_view_of_join(planner, part, first, is_last))
            is_own = false;

        if (i == kept) {
            planner->items[item->node.source[0]].host = value;
        } else if (is_own && item->host == VFI_NO_VALUE && !item->pinned &&
                   (kept < 0 ||
                    (joined && vfi_plan_may_replace(planner, part, value, kept_value)))) {
            item->host = value;
            item->host_offset = offset;
            item->followed = joined && !is_last;
        } else {
            VfiPlanStep step = {.value = value,
                                .copy_of = part,
                                .offset = offset,
                                .followed = joined && !is_last,
                                .segment = planner->items[value].node.segment,
                                .group = VFI_PLAN_NO_GROUP};
            g_array_append_val(planner->steps, step);
        }
        first += item->node.shape.c;
    }
}

static void add_op_step(VfiPlanner *planner, VfiValue value)
{
    const VfiPlanItem *item = &planner->items[value];
    VfiPlanStep step = {.value = value,
                        .copy_of = VFI_NO_VALUE,
                        .segment = item->node.segment,
                        .group = VFI_PLAN_NO_GROUP};

    for (int i = 0; i < item->n_before; i++)
        add_op_step(planner, item->before[i]);
    g_array_append_val(planner->steps, step);
}

/* The values that are to be computed right after @value. */
static void add_later_steps(VfiPlanner *planner, VfiValue value)
{
    for (VfiValue next = planner->items[value].after; next != VFI_NO_VALUE;
         next = planner->items[next].after)
        add_op_step(planner, next);
}

void vfi_plan_place_views(VfiPlanner *planner)
{
    for (int i = 0; i < (int)planner->graph->nodes->len; i++) {
        VfiPlanItem *item = &planner->items[i];
        if (!item->alive) {
            add_later_steps(planner, i);
            continue;
        }
        if (item->node.kind == VFI_NODE_SLICE) {
            item->host = item->node.source[0];
            item->host_offset =
                channel_offset(planner, &planner->items[item->host], item->node.first);
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

static void extend_lifetime(VfiPlanner *planner, VfiValue value, int segment, int step)
{
    VfiPlanSpan *span = &vfi_plan_root(planner, value, NULL)->spans[segment];

    span->first = MIN(span->first, step);
    span->last = MAX(span->last, step);
}

/* @value is read or written by step @index: by any of its group's bands, if it is in one. */
static void use_in_step(VfiPlanner *planner, VfiValue value, int index)
{
    const VfiPlanStep *step = &g_array_index(planner->steps, VfiPlanStep, index);
    int first = index, last = index;

    if (step->group != VFI_PLAN_NO_GROUP) {
        const VfiPlanRowGroup *group =
            &g_array_index(planner->groups, VfiPlanRowGroup, step->group);
        first = group->first_step;
        last = first + group->n_steps - 1;
    }
    extend_lifetime(planner, value, step->segment, first);
    extend_lifetime(planner, value, step->segment, last);
}

/* A value made in one segment and read in another lives through all that lie between on the
 * way there, and not in the alternatives to that way. */
static void span_segments(VfiPlanner *planner, VfiPlanItem *item)
{
    const GArray *follows = planner->graph->segments;
    int n = (int)follows->len, made = 0;

    while (made < n && item->spans[made].last < 0)
        made++;
    for (int read = made + 1; read < n; read++) {
        if (item->spans[read].last < 0)
            continue;
        for (int s = read; s != made && s >= 0; s = g_array_index(follows, int, s)) {
            int before = g_array_index(follows, int, s);
            VfiPlanSpan *here = &item->spans[s], *there = &item->spans[MAX(before, 0)];
            here->first = planner->segment_end[s - 1];
            here->last = MAX(here->last, here->first);
            there->first = MIN(there->first, planner->segment_end[MAX(before, 0)]);
            there->last = planner->segment_end[MAX(before, 0)];
        }
    }
}

/* From the first write to the last read; outputs live to the end of every segment that can run
 * after theirs. */
void vfi_plan_compute_lifetimes(VfiPlanner *planner)
{
    const VfiGraph *graph = planner->graph;

    for (guint i = 0; i < planner->steps->len; i++) {
        const VfiPlanStep *step = &g_array_index(planner->steps, VfiPlanStep, i);
        const VfiNode *node = &planner->items[step->value].node;
        use_in_step(planner, step->value, (int)i);
        if (step->copy_of != VFI_NO_VALUE)
            use_in_step(planner, step->copy_of, (int)i);
        for (int s = 0; node->kind == VFI_NODE_OP && s < node->n_sources; s++)
            use_in_step(planner, node->source[s], (int)i);
    }
    for (guint i = 0; i < graph->outputs->len; i++) {
        const VfiGraphOutput *output = &g_array_index(graph->outputs, VfiGraphOutput, i);
        for (int s = 0; s < (int)graph->segments->len; s++)
            if (vfi_graph_segment_sees(graph, s, output->segment))
                extend_lifetime(planner, vfi_plan_kept_output(planner, output->value), s,
                                planner->segment_end[s]);
    }
    for (int i = 0; i < planner->n_items; i++)
        if (planner->items[i].alive && planner->items[i].host == VFI_NO_VALUE)
            span_segments(planner, &planner->items[i]);
}

/* Frame stage: after the image. */
void vfi_plan_lay_out_outputs(VfiPlanner *planner)
{
    bool is_pair = planner->output_region == VFI_REGION_PAIR;
    size_t image_bytes =
        vfi_plan_image_bytes(planner->graph->width, planner->graph->height);
    size_t bytes = is_pair ? 0 : image_bytes;

    for (int i = 0; i < planner->n_items; i++) {
        VfiPlanItem *item = &planner->items[i];
        if (!item->alive || !item->pinned)
            continue;
        item->place = bytes;
        bytes += vfi_plan_align(vfi_plan_value_bytes(planner, item));
    }
    planner->frame_bytes = is_pair ? image_bytes : bytes;
    planner->pair_bytes = is_pair ? bytes : 0;
}

/* Channels last: from pixel to pixel of @root. */
static int channels_side_by_side(const VfiPlanner *planner, const VfiPlanItem *root)
{
    int block = planner->target.channel_block;

    return root->node.kind == VFI_NODE_INPUT
               ? root->node.block
               : (root->node.shape.c + block - 1) / block * block;
}

/* Whether other parts of a pixel follow @value, or what it lies in. */
static bool is_followed(const VfiPlanner *planner, VfiValue value)
{
    bool followed = planner->items[value].followed;

    while (planner->items[value].host != VFI_NO_VALUE) {
        value = planner->items[value].host;
        followed = followed || planner->items[value].followed;
    }
    return followed;
}

/* @group: the one that the operand's step is in. */
static VfiOperand operand_of(VfiPlanner *planner, VfiValue value, int group)
{
    size_t offset;
    const VfiPlanItem *root = vfi_plan_root(planner, value, &offset);
    VfiOperand operand = {.shape = planner->items[value].node.shape,
                          .block = planner->items[value].block,
                          .half = planner->items[value].node.half,
                          .followed = is_followed(planner, value)};

    if (operand.block > 1 && planner->target.channels_last)
        operand.block = channels_side_by_side(planner, root);
    if (root->in_rows) {
        operand.region = VFI_REGION_ROWS;
        operand.offset = vfi_plan_rows_place(planner, group, root) + offset;
    } else if (root->node.kind == VFI_NODE_INPUT) {
        operand.region = root->node.region;
        operand.offset = root->node.offset + offset;
    } else {
        operand.region = root->pinned ? planner->output_region : VFI_REGION_ARENA;
        operand.offset = root->place + offset;
    }
    return operand;
}

static VfiOp make_op(VfiPlanner *planner, const VfiPlanStep *step, GStringChunk *names)
{
    const VfiNode *node = &planner->items[step->value].node;
    VfiOp op;

    if (step->copy_of != VFI_NO_VALUE) {
        op = (VfiOp){.kind = VFI_OP_COPY, .n_src = 1, .name = "copy"};
        op.src[0] = operand_of(planner, step->copy_of, step->group);
        op.dst = operand_of(planner, step->value, step->group);
        op.dst.offset += step->offset;
        op.dst.followed = step->followed;
        /* A tensor in blocks is as many planes to whoever only copies it. */
        bool reorders = vfi_operand_is_blocked(&op.src[0]) && op.dst.block <= 1;
        if (!reorders && !planner->target.channels_last) {
            op.src[0].shape.c = (int)vfi_shape_floats((VfiShape){op.src[0].shape.c, 1, 1},
                                                      op.src[0].block);
            op.src[0].block = op.dst.block = 0;
        }
        op.dst.shape = op.src[0].shape;
        return op;
    }
    op = node->op;
    op.name = g_string_chunk_insert_const(names, op.name);
    op.n_src = node->n_sources;
    for (int s = 0; s < node->n_sources; s++)
        op.src[s] = operand_of(planner, node->source[s], step->group);
    op.dst = vfi_op_scalar(&op) >= 0 ? (VfiOperand){.shape = node->shape}
                                     : operand_of(planner, step->value, step->group);
    return op;
}

/* Copies the planner's findings into an immutable plan. */
void vfi_plan_emit(VfiPlanner *planner)
{
    const VfiGraph *graph = planner->graph;

    if (planner->error != NULL)
        return;
    VfiPlan *plan = planner->plan = g_new0(VfiPlan, 1);
    plan->arena_bytes = planner->arena_bytes;
    plan->frame_bytes = planner->frame_bytes;
    plan->pair_bytes = planner->pair_bytes;
    plan->names = g_string_chunk_new(1024);
    if (graph->weights != NULL)
        plan->packed_weights = vfi_weights_packed(graph->weights);
    plan->n_scalars = graph->n_scalars;
    plan->n_ops = (int)planner->steps->len;
    plan->ops = g_new0(VfiOp, plan->n_ops);
    for (int i = 0; i < plan->n_ops; i++)
        plan->ops[i] =
            make_op(planner, &g_array_index(planner->steps, VfiPlanStep, i), plan->names);

    plan->n_segments = (int)graph->segments->len;
    plan->segments = g_new0(VfiPlanSegment, plan->n_segments);
    for (int s = 0; s < plan->n_segments; s++) {
        plan->segments[s].first_op = s == 0 ? 0 : planner->segment_end[s - 1];
        plan->segments[s].n_ops = planner->segment_end[s] - plan->segments[s].first_op;
    }

    plan->n_row_groups = (int)planner->groups->len;
    plan->row_groups = g_new0(VfiRowGroup, plan->n_row_groups);
    for (int i = 0; i < plan->n_row_groups; i++) {
        const VfiPlanRowGroup *group =
            &g_array_index(planner->groups, VfiPlanRowGroup, i);
        plan->row_groups[i] = (VfiRowGroup){.first_op = group->first_step,
                                            .n_ops = group->n_steps,
                                            .h = group->h,
                                            .w = group->w,
                                            .n_planes = group->n_planes};
    }

    plan->n_outputs = (int)graph->outputs->len;
    plan->outputs = g_new0(VfiPlanOutput, plan->n_outputs);
    for (int i = 0; i < plan->n_outputs; i++) {
        const VfiGraphOutput *output = &g_array_index(graph->outputs, VfiGraphOutput, i);
        plan->outputs[i] = (VfiPlanOutput){
            .segment = output->segment,
            .name = g_string_chunk_insert_const(plan->names, output->name),
            .operand = operand_of(planner, vfi_plan_kept_output(planner, output->value),
                                  VFI_PLAN_NO_GROUP),
        };
    }
}

/* Room for all values that passes add, and an item for each of the graph's. */
static void planner_init(VfiPlanner *planner)
{
    const VfiGraph *graph = planner->graph;
    size_t n_segments = graph->segments->len;
    size_t most = (graph->nodes->len + (size_t)vfi_plan_most_splits(graph)) *
                  (5 + VFI_PLAN_MAX_COPIES);

    planner->n_items = (int)graph->nodes->len;
    planner->items = g_new0(VfiPlanItem, most);
    planner->spans = g_new(VfiPlanSpan, most * n_segments);
    planner->steps = g_array_new(FALSE, FALSE, sizeof(VfiPlanStep));
    planner->segment_end = g_new0(int, n_segments);
    planner->groups = g_array_new(FALSE, FALSE, sizeof(VfiPlanRowGroup));
    planner->own_parts = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    for (size_t i = 0; i < most * n_segments; i++)
        planner->spans[i] = (VfiPlanSpan){.first = G_MAXINT, .last = -1};
    for (int i = 0; i < planner->n_items; i++)
        planner->items[i] =
            (VfiPlanItem){.node = *vfi_graph_node(graph, i),
                          .host = VFI_NO_VALUE,
                          .after = VFI_NO_VALUE,
                          .kept_as = VFI_NO_VALUE,
                          .spans = &planner->spans[(size_t)i * n_segments]};
}

static void planner_clear(VfiPlanner *planner)
{
    vfi_plan_groups_clear(planner);
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
    item->spans = &planner->spans[(size_t)value * planner->graph->segments->len];
    item->host = VFI_NO_VALUE;
    item->after = VFI_NO_VALUE;
    item->kept_as = VFI_NO_VALUE;
    item->pinned = false;
    item->n_before = 0;
    return value;
}

void vfi_plan_compute_after(VfiPlanner *planner, VfiValue value, VfiValue added)
{
    while (planner->items[value].after != VFI_NO_VALUE)
        value = planner->items[value].after;
    planner->items[value].after = added;
}

VfiPlan *vfi_plan_new(const VfiGraph *graph, const VfiPlanTarget *target,
                      VfiRegion output_region, GError **error)
{
    return vfi_plan_new_traced(graph, target, output_region, NULL, error);
}

VfiPlan *vfi_plan_new_traced(const VfiGraph *graph, const VfiPlanTarget *target,
                             VfiRegion output_region, VfiPlanTrace *trace, GError **error)
{
    if (graph->error != NULL) {
        g_propagate_error(error, g_error_copy(graph->error));
        return NULL;
    }
    VfiPlanner planner = {
        .graph = graph,
        .output_region = output_region,
        .target = target == NULL ? (VfiPlanTarget){0} : *target,
    };

    planner_init(&planner);
    vfi_plan_run_passes(&planner, trace);
    if (planner.error != NULL)
        g_propagate_error(error, planner.error);
    else if (trace != NULL)
        vfi_plan_trace_result(trace, &planner);
    planner_clear(&planner);
    return planner.plan;
}

void vfi_plan_free(VfiPlan *plan)
{
    if (plan == NULL)
        return;
    g_string_chunk_free(plan->names);
    g_free(plan->ops);
    g_free(plan->segments);
    g_free(plan->row_groups);
    g_free(plan->outputs);
    g_free(plan);
}

const VfiPlanOutput *vfi_plan_output(const VfiPlan *plan, int segment, const char *name)
{
    for (int i = 0; i < plan->n_outputs; i++)
        if (plan->outputs[i].segment == segment &&
            strcmp(plan->outputs[i].name, name) == 0)
            return &plan->outputs[i];
    return NULL;
}

void vfi_plan_declare_outputs(const VfiPlan *plan, VfiGraph *graph)
{
    for (int i = 0; plan != NULL && i < plan->n_outputs; i++)
        if (plan->outputs[i].segment == 0)
            vfi_graph_declare_input(graph, plan->outputs[i].name,
                                    &plan->outputs[i].operand);
}
