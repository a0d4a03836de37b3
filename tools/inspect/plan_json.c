/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-inspect --plan=json, for tools/roofline and other programs. */
#include <stdio.h>

#include "inspected_plan.h"
#include "common/json_string.h"
#include "op/descriptor.h"

static const char *boolean(gboolean value)
{
    return value ? "true" : "false";
}

/* "NAME": "VALUE", or null. */
static void print_string(const char *name, const char *value)
{
    g_autofree char *json = value == NULL ? g_strdup("null") : json_string(value);

    printf("\"%s\": %s", name, json);
}

/* .block: channels from pixel to pixel; 0: planes. */
static void print_operand(const InspectedPlan *inspected, const VfiOperand *operand)
{
    printf("{\"shape\": [%d, %d, %d], \"layout\": \"%s\", \"block\": %d, \"half\": %s, "
           "\"region\": \"%s\", \"offset\": %zu}",
           operand->shape.c, operand->shape.h, operand->shape.w,
           inspected_layout(inspected, operand),
           vfi_operand_is_blocked(operand) ? operand->block : 0, boolean(operand->half),
           inspected_region(operand->region), operand->offset);
}

static void print_passes(const VfiPlanTrace *trace)
{
    printf("\"passes\": [");
    for (guint i = 0; i < trace->passes->len; i++) {
        const VfiPlanPassTrace *pass = &g_array_index(trace->passes, VfiPlanPassTrace, i);
        const char *separator = "";
        printf("%s{\"name\": \"%s\", \"ran\": %s, \"changed\": {", i > 0 ? ", " : "",
               pass->name, boolean(pass->ran));
        for (int c = 0; c < VFI_PLAN_COUNT_KINDS; c++) {
            if (pass->change[c] == 0)
                continue;
            printf("%s\"%s\": %" G_GINT64_FORMAT, separator,
                   vfi_plan_count_name((VfiPlanCount)c), (gint64)pass->change[c]);
            separator = ", ";
        }
        printf("}}");
    }
    printf("]");
}

static void print_segments(const InspectedStage *stage)
{
    printf("\"segments\": [");
    for (int i = 0; i < stage->plan->n_segments; i++) {
        const VfiPlanSegment *segment = &stage->plan->segments[i];
        printf("%s{\"follows\": %d, \"usual\": %s, \"first_op\": %d, \"ops\": %d, "
               "\"rounds\": %d, \"writes_state\": %s}",
               i > 0 ? ", " : "", inspected_follows(stage, i),
               boolean(stage->is_usual[i]), segment->first_op, segment->n_ops,
               segment->rounds, boolean(segment->writes_state));
    }
    printf("]");
}

static void print_groups(const VfiPlan *plan)
{
    printf("\"row_groups\": [");
    for (int i = 0; i < plan->n_row_groups; i++) {
        const VfiRowGroup *group = &plan->row_groups[i];
        printf("%s{\"first_op\": %d, \"ops\": %d, \"height\": %d, \"width\": %d, "
               "\"planes\": %d}",
               i > 0 ? ", " : "", group->first_op, group->n_ops, group->h, group->w,
               group->n_planes);
    }
    printf("]");
}

/* Per source of op @op: the ops, or else the inputs, that it is made of. */
static void print_origins(const InspectedStage *stage, int op, gboolean inputs)
{
    printf(", \"%s\": [", inputs ? "from_inputs" : "from_ops");
    for (int s = 0; s < stage->plan->ops[op].n_src; s++) {
        const char *separator = "";
        printf("%s[", s > 0 ? ", " : "");
        for (guint i = 0; i < stage->trace.edges->len; i++) {
            const VfiPlanEdge *edge = &g_array_index(stage->trace.edges, VfiPlanEdge, i);
            int from = inputs ? edge->from_input : edge->from_op;
            if (edge->op != op || edge->source != s || from < 0)
                continue;
            printf("%s%d", separator, from);
            separator = ", ";
        }
        printf("]");
    }
    printf("]");
}

static void print_conv(const VfiOp *op)
{
    const VfiConvParams *conv = &op->u.conv;

    printf(", \"kernel\": [%d, %d], \"stride\": %d, \"groups\": %d, \"macs\": %.0f, ",
           conv->kernel_h, conv->kernel_w, conv->stride, conv->groups, vfi_op_macs(op));
    print_string("residual", inspected_residual(op));
    printf(", \"weight_channels\": [");
    for (int i = 0; i < conv->n_runs; i++)
        printf("%s[%d, %d]", i > 0 ? ", " : "", conv->runs[i].first, conv->runs[i].count);
    printf("]");
}

static void print_op(const InspectedPlan *inspected, const InspectedStage *stage, int i)
{
    const VfiOp *op = &stage->plan->ops[i];
    int segment = inspected_segment_of(stage->plan, i);

    printf("{\"segment\": %d, \"row_group\": %d, \"kind\": \"%s\", ", segment,
           inspected_group_of(stage->plan, i), vfi_op_kind_to_string(op->kind));
    print_string("name", op->name);
    printf(", ");
    print_string("activation", inspected_activation(op));
    if (vfi_op_is_conv(op))
        print_conv(op);
    printf(", \"src\": [");
    for (int s = 0; s < op->n_src; s++) {
        printf("%s", s > 0 ? ", " : "");
        print_operand(inspected, &op->src[s]);
    }
    printf("], \"dst\": ");
    print_operand(inspected, &op->dst);
    print_origins(stage, i, FALSE);
    print_origins(stage, i, TRUE);
    printf(", \"arena_in_use\": %zu}", vfi_plan_trace_in_use(&stage->trace, segment, i));
}

static void print_inputs(const VfiPlanTrace *trace)
{
    printf("\"inputs\": [");
    for (guint i = 0; i < trace->inputs->len; i++) {
        const VfiPlanInput *input = &g_array_index(trace->inputs, VfiPlanInput, i);
        printf("%s{", i > 0 ? ", " : "");
        print_string("name", input->name);
        printf(", \"region\": \"%s\", \"offset\": %zu}", inspected_region(input->region),
               input->offset);
    }
    printf("]");
}

static void print_outputs(const InspectedPlan *inspected, const VfiPlan *plan)
{
    printf("\"outputs\": [");
    for (int i = 0; i < plan->n_outputs; i++) {
        const VfiPlanOutput *output = &plan->outputs[i];
        printf("%s{", i > 0 ? ", " : "");
        print_string("name", output->name);
        printf(", \"segment\": %d, \"operand\": ", output->segment);
        print_operand(inspected, &output->operand);
        printf("}");
    }
    printf("]");
}

static void print_arena(const InspectedStage *stage)
{
    int peak_op;
    size_t peak = inspected_peak(stage, &peak_op);

    printf(
        "\"arena\": {\"bytes\": %zu, \"peak_in_use\": %zu, \"peak_op\": %d, \"values\": "
        "[",
        stage->plan->arena_bytes, peak, peak_op);
    for (guint i = 0; i < stage->trace.tenants->len; i++) {
        const VfiPlanTenant *tenant =
            &g_array_index(stage->trace.tenants, VfiPlanTenant, i);
        const char *separator = "";
        printf("%s{", i > 0 ? ", " : "");
        print_string("name", tenant->name);
        printf(", \"offset\": %zu, \"bytes\": %zu, \"kept\": [", tenant->offset,
               tenant->bytes);
        for (int s = 0; s < stage->plan->n_segments; s++) {
            const VfiPlanSpan *span = &tenant->spans[s];
            if (span->first > span->last)
                continue;
            printf("%s{\"segment\": %d, \"first_op\": %d, \"last_op\": %d}", separator, s,
                   span->first, span->last);
            separator = ", ";
        }
        printf("]}");
    }
    printf("]}");
}

static void print_stage(const InspectedPlan *inspected, const InspectedStage *stage)
{
    printf("{\"stage\": \"%s\", ", stage->name);
    print_passes(&stage->trace);
    printf(", ");
    print_segments(stage);
    printf(", ");
    print_groups(stage->plan);
    printf(", ");
    print_inputs(&stage->trace);
    printf(", ");
    print_outputs(inspected, stage->plan);
    printf(", \"ops\": [");
    for (int i = 0; i < stage->plan->n_ops; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_op(inspected, stage, i);
    }
    printf("], ");
    print_arena(stage);
    printf("}");
}

void inspected_print_json(const InspectedPlan *inspected)
{
    const VfiModelInfo *info = vfi_model_info(inspected->model);
    const VfiSession *session = &inspected->session;
    InspectedMemory memory = inspected_plan_memory(inspected);

    printf("{");
    print_string("model", info->name);
    printf(", \"family\": \"%s\", \"variant\": \"%s\", ", info->family, info->variant);
    print_string("device", inspected->device.name);
    printf(", ");
    print_string("level", inspected->device.level);
    printf(
        ", \"precision\": \"%s\", \"width\": %d, \"height\": %d, \"padded_width\": %d, "
        "\"padded_height\": %d, \"tiles\": %d, \"scale\": %g, \"output\": \"%s\", "
        "\"memory\": {\"arena\": %zu, \"frame\": %zu, \"pair\": %zu, \"constant\": %zu, "
        "\"states\": %zu}, "
        "\"stages\": [",
        vfi_precision_to_string(inspected->device.precision), session->video.width,
        session->video.height, session->padded_w, session->padded_h,
        session->tiling.x.n * session->tiling.y.n, session->scale,
        inspected_plan_output(inspected), memory.arena, memory.frame, memory.pair,
        memory.constant, memory.states);
    for (int i = 0; i < inspected->n_stages; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_stage(inspected, &inspected->stages[i]);
    }
    printf("]");
    inspected_print_steps_json(inspected);
    printf("}\n");
}
