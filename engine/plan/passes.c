/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The planner's passes in the order in which they run, and when: a new pass is a row
 * here. Each finds what those before it have left in the planner (planner.h) and adds to
 * that. */
#include <vfi/error.h>

#include "plan/planner.h"
#include "plan/tracer.h"

static bool keeps_outputs(const VfiPlanner *planner)
{
    return planner->output_region != VFI_REGION_ARENA;
}

static bool has_states(const VfiPlanner *planner)
{
    return planner->graph->states->len > 0;
}

static bool has_blocks(const VfiPlanner *planner)
{
    return planner->target.channel_block > 1;
}

static bool has_f16_blocks(const VfiPlanner *planner)
{
    return has_blocks(planner) && planner->target.half_pixels;
}

static bool has_row_groups(const VfiPlanner *planner)
{
    return planner->target.row_groups;
}

static bool joins_parts(const VfiPlanner *planner)
{
    return has_blocks(planner) && planner->target.channels_last &&
           has_row_groups(planner);
}

/* Where convolutions compute with f32, an output is rounded by an op of its own, for
 * which a layout is chosen as for others. Where blocks are f16, most outputs are so by
 * their layout. */
static bool rounds_by_op(const VfiPlanner *planner)
{
    return planner->target.half_outputs && !planner->target.half_pixels;
}

static bool rounds_what_is_left(const VfiPlanner *planner)
{
    return planner->target.half_outputs && planner->target.half_pixels;
}

static bool reads_f16_in_rows(const VfiPlanner *planner)
{
    return planner->target.half_pixels && has_row_groups(planner);
}

static const struct {
    const char *name;
    bool (*when)(const VfiPlanner *planner); /* NULL: always */
    void (*run)(VfiPlanner *planner);
} passes[] = {
    {"mark-alive", NULL, vfi_plan_mark_alive},
    {"fuse", NULL, vfi_plan_fuse},
    {"split-convs", NULL, vfi_plan_split_convs},
    {"pin-outputs", keeps_outputs, vfi_plan_pin_outputs},
    {"pin-states", has_states, vfi_plan_pin_states},
    {"widen-inputs", NULL, vfi_plan_widen_inputs},
    {"narrow-outputs", rounds_by_op, vfi_plan_narrow_outputs},
    {"find-joins", joins_parts, vfi_plan_find_joins},
    {"choose-layouts", has_blocks, vfi_plan_choose_layouts},
    {"join-parts", joins_parts, vfi_plan_join_parts},
    {"mark-halves", has_f16_blocks, vfi_plan_mark_halves},
    {"narrow-outputs", rounds_what_is_left, vfi_plan_narrow_outputs},
    {"narrow-shuffles", reads_f16_in_rows, vfi_plan_narrow_shuffles},
    {"share-sums", NULL, vfi_plan_share_sums},
    {"work-in-place", has_blocks, vfi_plan_work_in_place},
    {"find-cheap-values", has_row_groups, vfi_plan_find_cheap_values},
    {"place-views", NULL, vfi_plan_place_views},
    {"group-rows", has_row_groups, vfi_plan_group_rows},
    {"lay-out-rows", has_row_groups, vfi_plan_lay_out_rows},
    {"compute-lifetimes", NULL, vfi_plan_compute_lifetimes},
    {"lay-out-outputs", NULL, vfi_plan_lay_out_outputs},
    {"lay-out-arena", NULL, vfi_plan_lay_out_arena},
    {"emit", NULL, vfi_plan_emit},
};

static void run_passes(VfiPlanner *planner, VfiPlanTrace *trace)
{
    for (size_t i = 0; i < G_N_ELEMENTS(passes); i++) {
        bool runs = passes[i].when == NULL || passes[i].when(planner);
        if (runs)
            passes[i].run(planner);
        if (trace != NULL)
            vfi_plan_trace_pass(trace, passes[i].name, runs, planner);
    }
}

static const char *stage_of(VfiRegion output_region)
{
    return output_region == VFI_REGION_PAIR       ? "per-pair"
           : output_region == VFI_REGION_CONSTANT ? "constant"
                                                  : "per-frame";
}

/* Whether @op reads something that differs from frame to frame, or from tile to tile. */
static bool depends_on_frames(const VfiOp *op)
{
    for (int i = 0; i < op->n_src; i++)
        if (op->src[i].region >= VFI_REGION_FRAME0 && op->src[i].region < VFI_REGION_PAIR)
            return true;
    if (op->kind == VFI_OP_KEEP_INSIDE)
        return true;
    return op->kind == VFI_OP_FILL && (op->u.fill.input == VFI_RUN_INPUT_TIME ||
                                       op->u.fill.input == VFI_RUN_INPUT_IMAGE_WIDTH ||
                                       op->u.fill.input == VFI_RUN_INPUT_IMAGE_HEIGHT);
}

/* What a constant stage computes serves all frames, and tiles wherever they are. */
static void check_constant(VfiPlanner *planner)
{
    const VfiPlan *plan = planner->plan;

    for (int i = 0; plan != NULL && planner->error == NULL && i < plan->n_ops; i++)
        if (depends_on_frames(&plan->ops[i]))
            planner->error = g_error_new_literal(
                VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "the constant stage reads a frame, its size or the time: expected what "
                "is the same for all of them");
}

/* Whether the graph is whole, and fits a stage that has its outputs in
 * @output_region. */
static bool check_graph(const VfiGraph *graph, VfiRegion output_region, GError **error)
{
    if (!vfi_graph_check(graph, error))
        return false;
    if (output_region == VFI_REGION_ARENA || (graph->loop < 0 && graph->n_noises == 0))
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "the %s stage %s: expected that in the time stage, whose results are not "
                "kept for other in-betweens",
                stage_of(output_region), graph->loop >= 0 ? "has a loop" : "draws noise");
    return false;
}

VfiPlan *vfi_plan_new(const VfiGraph *graph, const VfiPlanTarget *target,
                      VfiRegion output_region, GError **error)
{
    return vfi_plan_new_traced(graph, target, output_region, NULL, error);
}

VfiPlan *vfi_plan_new_traced(const VfiGraph *graph, const VfiPlanTarget *target,
                             VfiRegion output_region, VfiPlanTrace *trace, GError **error)
{
    if (!check_graph(graph, output_region, error))
        return NULL;
    VfiPlanner planner = {
        .graph = graph,
        .output_region = output_region,
        .target = target == NULL ? (VfiPlanTarget){0} : *target,
    };

    vfi_planner_init(&planner);
    run_passes(&planner, trace);
    if (output_region == VFI_REGION_CONSTANT)
        check_constant(&planner);
    if (planner.error != NULL) {
        g_clear_pointer(&planner.plan, vfi_plan_free);
        g_propagate_error(error, planner.error);
    } else if (trace != NULL) {
        vfi_plan_trace_result(trace, &planner);
    }
    vfi_planner_clear(&planner);
    return planner.plan;
}
