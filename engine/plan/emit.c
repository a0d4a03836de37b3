/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last pass, emit: copies what the others found into an immutable plan. */
#include "plan/planner.h"

/* Channels from pixel to pixel of @root, where channels are last. */
static int pixel_stride(const VfiPlanner *planner, const VfiPlanItem *root)
{
    if (root->node.kind == VFI_NODE_INPUT)
        return root->node.input.block;
    return vfi_channels_in_blocks(root->node.shape.c, planner->target.channel_block);
}

/* Whether other parts of a pixel follow @value, or a host of it. */
static bool is_followed(const VfiPlanner *planner, VfiValue value)
{
    bool followed = planner->items[value].view.followed;

    while (planner->items[value].view.host != VFI_NO_VALUE) {
        value = planner->items[value].view.host;
        followed = followed || planner->items[value].view.followed;
    }
    return followed;
}

/* @group: the row group of the step that the operand belongs to. */
static VfiOperand operand_of(VfiPlanner *planner, VfiValue value, int group)
{
    size_t offset;
    const VfiPlanItem *root = vfi_plan_root(planner, value, &offset);
    VfiOperand operand = {.shape = planner->items[value].node.shape,
                          .block = planner->items[value].layout.block,
                          .half = planner->items[value].node.half,
                          .followed = is_followed(planner, value)};

    if (operand.block > 1 && planner->target.channels_last)
        operand.block = pixel_stride(planner, root);
    if (root->rows.is_local) {
        operand.region = VFI_REGION_ROWS;
        operand.offset = vfi_plan_rows_place(planner, group, root) + offset;
    } else if (root->node.kind == VFI_NODE_INPUT) {
        operand.region = root->node.input.region;
        operand.offset = root->node.input.offset + offset;
    } else {
        operand.region = root->output.pinned ? root->output.region : VFI_REGION_ARENA;
        operand.offset = root->memory.place + offset;
    }
    return operand;
}

/* The op that copies a part into a concat. */
static VfiOp make_copy(VfiPlanner *planner, const VfiPlanStep *step)
{
    VfiOp op = {.kind = VFI_OP_COPY,
                .n_src = 1,
                .name = "copy",
                .src = {operand_of(planner, step->copy_of, step->group)},
                .dst = operand_of(planner, step->value, step->group)};

    op.dst.offset += step->offset;
    op.dst.followed = step->followed;
    /* For a plain copy, a tensor in blocks is as many planes. */
    bool reorders = vfi_operand_is_blocked(&op.src[0]) && op.dst.block <= 1;
    if (!reorders && !planner->target.channels_last) {
        op.src[0].shape.c = vfi_channels_in_blocks(op.src[0].shape.c, op.src[0].block);
        op.src[0].block = op.dst.block = 0;
    }
    op.dst.shape = op.src[0].shape;
    return op;
}

static VfiOp make_op(VfiPlanner *planner, const VfiPlanStep *step, GStringChunk *names)
{
    const VfiNode *node = &planner->items[step->value].node;
    VfiOp op = node->op;

    op.name = g_string_chunk_insert_const(names, op.name);
    op.n_src = node->n_sources;
    for (int s = 0; s < node->n_sources; s++)
        op.src[s] = operand_of(planner, node->source[s], step->group);
    op.dst = vfi_op_scalar(&op) >= 0 ? (VfiOperand){.shape = node->shape}
                                     : operand_of(planner, step->value, step->group);
    return op;
}

static void emit_ops(VfiPlanner *planner, VfiPlan *plan)
{
    plan->n_ops = (int)planner->steps->len;
    plan->ops = g_new0(VfiOp, plan->n_ops);
    for (int i = 0; i < plan->n_ops; i++) {
        const VfiPlanStep *step = vfi_plan_step(planner, i);
        plan->ops[i] = vfi_plan_step_copies(step) ? make_copy(planner, step)
                                                  : make_op(planner, step, plan->names);
    }
}

static bool writes_state(const VfiGraph *graph, int segment)
{
    return graph->states->len > 0 &&
           (segment == graph->loop || segment == vfi_graph_state_at(graph, 0)->segment);
}

static void emit_segments(const VfiPlanner *planner, VfiPlan *plan)
{
    const VfiGraph *graph = planner->graph;

    plan->n_segments = (int)graph->segments->len;
    plan->segments = g_new0(VfiPlanSegment, plan->n_segments);
    for (int s = 0; s < plan->n_segments; s++) {
        int first = s == 0 ? 0 : planner->segment_end[s - 1];
        plan->segments[s] =
            (VfiPlanSegment){.first_op = first,
                             .n_ops = planner->segment_end[s] - first,
                             .rounds = s == graph->loop ? graph->rounds : 1,
                             .writes_state = writes_state(graph, s)};
    }
}

static void emit_row_groups(const VfiPlanner *planner, VfiPlan *plan)
{
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
}

static void emit_outputs(VfiPlanner *planner, VfiPlan *plan)
{
    const GArray *outputs = planner->graph->outputs;

    plan->n_outputs = (int)outputs->len;
    plan->outputs = g_new0(VfiPlanOutput, plan->n_outputs);
    for (int i = 0; i < plan->n_outputs; i++) {
        const VfiGraphOutput *output = &g_array_index(outputs, VfiGraphOutput, i);
        plan->outputs[i] = (VfiPlanOutput){
            .segment = output->segment,
            .name = g_string_chunk_insert_const(plan->names, output->name),
            .operand = operand_of(planner, vfi_plan_kept_output(planner, output->value),
                                  VFI_PLAN_NO_GROUP),
        };
    }
}

/* Whether the passes left ops that any backend could run. */
static bool check_ops(VfiPlanner *planner, const VfiPlan *plan)
{
    unsigned blocked =
        planner->target.channels_last ? VFI_LAYOUT_CHANNELS_LAST : VFI_LAYOUT_BLOCKS;

    for (int i = 0; i < plan->n_ops; i++)
        if (!vfi_op_check(&plan->ops[i], blocked, &planner->error))
            return false;
    return true;
}

void vfi_plan_emit(VfiPlanner *planner)
{
    const VfiGraph *graph = planner->graph;

    if (planner->error != NULL)
        return;
    planner->plan = g_new(VfiPlan, 1);
    *planner->plan = (VfiPlan){
        .n_scalars = graph->n_scalars,
        .arena_bytes = planner->arena_bytes,
        .frame_bytes = planner->frame_bytes,
        .pair_bytes = planner->pair_bytes,
        .constant_bytes = planner->constant_bytes,
        .state_bytes = planner->state_bytes,
        .packed_weights =
            graph->weights == NULL ? NULL : vfi_weights_packed(graph->weights),
        .names = g_string_chunk_new(1024),
    };
    emit_ops(planner, planner->plan);
    emit_segments(planner, planner->plan);
    emit_row_groups(planner, planner->plan);
    emit_outputs(planner, planner->plan);
    if (!check_ops(planner, planner->plan))
        g_clear_pointer(&planner->plan, vfi_plan_free);
}
