/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-inspect --plan=dot: for Graphviz, as in vfi-inspect --plan=dot … | dot -Tsvg
 * >plan.svg */
#include <stdio.h>

#include "inspected_plan.h"
#include "common/json_string.h"

/* @text in quotes; what JSON escapes, dot does, too. */
static void print_label(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void print_label(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *quoted = json_string(text);
    printf("label=%s", quoted);
}

static void print_op(const InspectedPlan *inspected, const InspectedStage *stage, int i)
{
    const VfiOp *op = &stage->plan->ops[i];
    const char *activation = inspected_activation(op);
    const VfiOperand *dst = &op->dst;

    printf("      %s%d [", stage->name, i);
    print_label("%d %s%s%s%s  %s  %d×%d×%d %s%s %s+%zu", i,
                vfi_op_kind_to_string(op->kind),
                activation != NULL && vfi_op_is_conv(op) ? " + " : "",
                activation != NULL && vfi_op_is_conv(op) ? activation : "",
                inspected_residual(op) != NULL ? " + sum" : "", op->name, dst->shape.c,
                dst->shape.h, dst->shape.w, inspected_layout(inspected, dst),
                dst->half ? " f16" : "", inspected_region(dst->region), dst->offset);
    printf("%s];\n", vfi_op_is_conv(op) ? ", style=filled, fillcolor=lightblue" : "");
}

static void print_segment(const InspectedPlan *inspected, const InspectedStage *stage,
                          int index)
{
    const VfiPlanSegment *segment = &stage->plan->segments[index];
    int open_group = -1;

    printf("    subgraph cluster_%s_segment%d {\n      ", stage->name, index);
    g_autofree char *rounds = inspected_rounds(segment);
    print_label("segment %d%s%s", index, rounds,
                stage->is_usual[index] ? "" : ", only where motion asks for it");
    printf(";\n");
    for (int i = segment->first_op; i < segment->first_op + segment->n_ops; i++) {
        int group = inspected_group_of(stage->plan, i);
        if (group != open_group && open_group >= 0)
            printf("      }\n");
        if (group != open_group && group >= 0) {
            const VfiRowGroup *rows = &stage->plan->row_groups[group];
            printf("      subgraph cluster_%s_rows%d {\n      ", stage->name, group);
            print_label("row group %d: %d×%d, %d planes", group, rows->h, rows->w,
                        rows->n_planes);
            printf(";\n");
        }
        open_group = group;
        print_op(inspected, stage, i);
    }
    printf("%s    }\n", open_group >= 0 ? "      }\n" : "");
}

static void print_edges(const InspectedStage *stage)
{
    for (guint i = 0; i < stage->trace.inputs->len; i++) {
        const VfiPlanInput *input = &g_array_index(stage->trace.inputs, VfiPlanInput, i);
        printf("    %s_input%u [shape=ellipse, ", stage->name, i);
        print_label("%s %s", inspected_region(input->region), input->name);
        printf("];\n");
    }
    for (guint i = 0; i < stage->trace.edges->len; i++) {
        const VfiPlanEdge *edge = &g_array_index(stage->trace.edges, VfiPlanEdge, i);
        if (edge->from_op >= 0)
            printf("    %s%d -> %s%d;\n", stage->name, edge->from_op, stage->name,
                   edge->op);
        else
            printf("    %s_input%d -> %s%d;\n", stage->name, edge->from_input,
                   stage->name, edge->op);
    }
}

void inspected_print_dot(const InspectedPlan *inspected)
{
    const VfiModelInfo *info = vfi_model_info(inspected->model);

    printf("digraph plan {\n  ");
    print_label("%s %s for %d×%d on %s", info->family, info->variant,
                inspected->session.video.width, inspected->session.video.height,
                inspected->device.name);
    printf(";\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (int s = 0; s < inspected->n_stages; s++) {
        const InspectedStage *stage = &inspected->stages[s];
        printf("  subgraph cluster_%s {\n    ", stage->name);
        print_label("%s stage: %.1f MiB arena", stage->name,
                    (double)stage->plan->arena_bytes / 0x1p20);
        printf(";\n");
        for (int i = 0; i < stage->plan->n_segments; i++)
            print_segment(inspected, stage, i);
        print_edges(stage);
        printf("  }\n");
    }
    inspected_print_steps_dot(inspected);
    printf("}\n");
}
