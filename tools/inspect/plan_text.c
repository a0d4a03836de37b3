/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-inspect --plan, for people. */
#include <stdio.h>
#include <string.h>

#include "inspected_plan.h"
#include "session/steps.h"

#define MIB(bytes) ((double)(bytes) / 0x1p20)

/* Characters of the bar that shows how full the arena is. */
#define BAR 12

static void print_passes(const VfiPlanTrace *trace)
{
    printf("  passes\n");
    for (guint i = 0; i < trace->passes->len; i++) {
        const VfiPlanPassTrace *pass = &g_array_index(trace->passes, VfiPlanPassTrace, i);
        const char *separator = "";
        printf("    %-18s ", pass->name);
        for (int c = 0; c < VFI_PLAN_COUNT_KINDS; c++) {
            if (pass->change[c] == 0)
                continue;
            printf("%s%+" G_GINT64_FORMAT " %s", separator, (gint64)pass->change[c],
                   vfi_plan_count_name((VfiPlanCount)c));
            separator = ", ";
        }
        if (*separator == '\0')
            printf("%s", pass->ran ? "nothing that is counted" : "left out");
        printf("\n");
    }
}

/* "64×192×320 NCHW16c f16 arena+1024"; NHWC with the channels from pixel to pixel. */
static void print_operand(const InspectedPlan *inspected, const VfiOperand *operand)
{
    printf("%d×%d×%d", operand->shape.c, operand->shape.h, operand->shape.w);
    if (!vfi_operand_is_blocked(operand))
        printf(" planar");
    else if (inspected->channels_last)
        printf(" NHWC of %d", operand->block);
    else
        printf(" NCHW%dc", operand->block);
    printf("%s %s+%zu", operand->half ? " f16" : "", inspected_region(operand->region),
           operand->offset);
}

/* "conv 3×3 stride 2 + prelu, of channels 64…127" */
static void print_kind(const VfiOp *op)
{
    const VfiConvParams *conv = &op->u.conv;
    const char *activation = inspected_activation(op);

    printf("%s", vfi_op_kind_to_string(op->kind));
    if (!vfi_op_is_conv(op)) {
        printf("%s%s", activation != NULL ? " " : "",
               activation != NULL ? activation : "");
        return;
    }
    printf(" %d×%d", conv->kernel_h, conv->kernel_w);
    if (conv->stride != 1)
        printf(" stride %d", conv->stride);
    if (conv->groups != 1)
        printf(" groups %d", conv->groups);
    if (conv->depth > 0)
        printf(" slice %d of %d", conv->slice, conv->depth);
    if (conv->residual == VFI_RESIDUAL_BEFORE_ACTIVATION)
        printf(" + sum");
    if (activation != NULL)
        printf(" + %s", activation);
    if (conv->residual == VFI_RESIDUAL_AFTER_ACTIVATION)
        printf(" + sum");
    for (int i = 0; i < conv->n_runs; i++)
        printf("%s %d…%d", i == 0 ? ", of channels" : ",", conv->runs[i].first,
               conv->runs[i].first + conv->runs[i].count - 1);
}

static void print_in_use(const InspectedStage *stage, int segment, int op, int peak_op)
{
    size_t bytes = vfi_plan_trace_in_use(&stage->trace, segment, op);
    size_t whole = MAX(stage->plan->arena_bytes, 1);
    int full = (int)((double)bytes / (double)whole * BAR + 0.5);

    printf("  %4d %8.2f%c ", op, MIB(bytes), op == peak_op ? '*' : ' ');
    for (int i = 0; i < BAR; i++)
        printf("%c", i < full ? '#' : '.');
}

static void print_op(const InspectedPlan *inspected, const InspectedStage *stage, int i,
                     int peak_op)
{
    const VfiOp *op = &stage->plan->ops[i];
    gboolean in_group = inspected_group_of(stage->plan, i) >= 0;

    print_in_use(stage, inspected_segment_of(stage->plan, i), i, peak_op);
    printf("  %s", in_group ? "| " : "");
    print_kind(op);
    if (strcmp(op->name, vfi_op_kind_to_string(op->kind)) != 0)
        printf("  %s", op->name);
    if (op->dst.shape.c * op->dst.shape.h * op->dst.shape.w > 1) {
        printf(": ");
        print_operand(inspected, &op->dst);
    }
    for (int s = 0; s < op->n_src; s++) {
        printf(s == 0 ? " <- " : ", ");
        print_operand(inspected, &op->src[s]);
    }
    printf("\n");
}

static void print_segment(const InspectedPlan *inspected, const InspectedStage *stage,
                          int index, int peak_op)
{
    const VfiPlanSegment *segment = &stage->plan->segments[index];
    int follows = inspected_follows(stage, index), last_group = -1;

    printf("  segment %d", index);
    if (follows >= 0)
        printf(", after segment %d", follows);
    g_autofree char *rounds = inspected_rounds(segment);
    printf("%s: %d ops%s\n", rounds, segment->n_ops,
           stage->is_usual[index] ? "" : ", only where motion asks for it");
    for (int i = segment->first_op; i < segment->first_op + segment->n_ops; i++) {
        int group = inspected_group_of(stage->plan, i);
        if (group >= 0 && group != last_group) {
            const VfiRowGroup *rows = &stage->plan->row_groups[group];
            printf("  %*s  row group %d: %d ops on %d×%d, %d planes in cache\n", 15 + BAR,
                   "", group, rows->n_ops, rows->h, rows->w, rows->n_planes);
        }
        last_group = group;
        print_op(inspected, stage, i, peak_op);
    }
}

static void print_stage(const InspectedPlan *inspected, const InspectedStage *stage)
{
    const VfiPlan *plan = stage->plan;
    int peak_op;
    size_t peak = inspected_peak(stage, &peak_op);

    printf(
        "\n%s stage: %d ops, %d row groups, arena %.2f MiB, of which %.2f MiB are in use "
        "at op %d (*)\n",
        stage->name, plan->n_ops, plan->n_row_groups, MIB(plan->arena_bytes), MIB(peak),
        peak_op);
    print_passes(&stage->trace);
    for (int i = 0; i < plan->n_segments; i++)
        print_segment(inspected, stage, i, peak_op);
    for (int i = 0; i < plan->n_outputs; i++) {
        printf("  output %s of segment %d: ", plan->outputs[i].name,
               plan->outputs[i].segment);
        print_operand(inspected, &plan->outputs[i].operand);
        printf("\n");
    }
}

void inspected_print_text(const InspectedPlan *inspected)
{
    const VfiModelInfo *info = vfi_model_info(inspected->model);
    const VfiSession *session = &inspected->session;
    InspectedMemory memory = inspected_plan_memory(inspected);

    const char *variant = vfi_session_variant(session);

    printf("plan:        %s%s%s for %d×%d on %s (%s), precision %s\n", info->family,
           variant[0] != '\0' ? " " : "", variant, session->video.width,
           session->video.height, inspected->device.name, inspected->device.level,
           vfi_precision_to_string(inspected->device.precision));
    printf("             padded to %d×%d, %d tiles, scale %g, output: %s\n",
           session->padded_w, session->padded_h,
           session->tiling.x.n * session->tiling.y.n, session->scale,
           inspected_plan_output(inspected));
    printf("memory:      arena %.2f MiB, %.2f a frame, %.2f a pair, %.2f for states, "
           "%.2f once\n",
           MIB(memory.arena), MIB(memory.frame), MIB(memory.pair), MIB(memory.states),
           MIB(memory.constant));
    for (int i = 0; i < inspected->n_stages; i++)
        print_stage(inspected, &inspected->stages[i]);
    inspected_print_steps_text(inspected);
}
