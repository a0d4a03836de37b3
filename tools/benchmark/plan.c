/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-bench --plan: the ops that the CUDA backend would run with precision f16, planned without
 * a device, for tools/roofline. */
#include "bench.h"

#include <stdio.h>

#include "session/stages.h"

static void plan_target(VfiDevice *device, VfiPlanTarget *target)
{
    (void)device;
    *target = vfi_plan_target_channels_last(true);
}

/* What the backend takes besides the plan's own memory is not asked here. */
static bool measure(VfiDevice *device, const VfiPlan *plan, VfiProgramNeed *need,
                    GError **error)
{
    (void)device, (void)plan, (void)error;
    *need = (VfiProgramNeed){0};
    return true;
}

/* Stands for the CUDA backend where plans are made. */
static const VfiBackend planner = {.abi = VFI_BACKEND_ABI,
                                   .name = "cuda",
                                   .plan_target = plan_target,
                                   .measure = measure};

/* @block: channels from pixel to pixel; 0: planes. @rows: no memory (VFI_REGION_ROWS). */
static void print_operand(const VfiOperand *operand)
{
    printf("{\"shape\": [%d, %d, %d], \"block\": %d, \"half\": %s, \"rows\": %s, "
           "\"region\": %d, \"offset\": %zu}",
           operand->shape.c, operand->shape.h, operand->shape.w,
           vfi_operand_is_blocked(operand) ? operand->block : 0,
           operand->half ? "true" : "false",
           operand->region == VFI_REGION_ROWS ? "true" : "false", operand->region,
           operand->offset);
}

/* The row group of op @index, or -1. */
static int group_of(const VfiPlan *plan, int index)
{
    for (int i = 0; i < plan->n_row_groups; i++) {
        const VfiRowGroup *group = &plan->row_groups[i];
        if (index >= group->first_op && index < group->first_op + group->n_ops)
            return i;
    }
    return -1;
}

static void print_op(const char *stage, const VfiPlan *plan, int index)
{
    const VfiOp *op = &plan->ops[index];
    g_autofree char *name = bench_json_string(op->name != NULL ? op->name : "");

    printf("{\"stage\": \"%s\", \"group\": %d, \"kind\": \"%s\", \"name\": %s, "
           "\"src\": [",
           stage, group_of(plan, index), vfi_op_kind_to_string(op->kind), name);
    for (int i = 0; i < op->n_src; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_operand(&op->src[i]);
    }
    printf("], \"dst\": ");
    print_operand(&op->dst);
    if (vfi_op_is_conv(op))
        printf(", \"gflop\": %.9g, \"kernel\": [%d, %d], \"groups\": %d",
               bench_op_flop(op) / 1e9, op->u.conv.kernel_h, op->u.conv.kernel_w,
               op->u.conv.groups);
    printf("}");
}

/* Through the segments that the family chooses where it reads zeros: nothing moves. */
static void print_ops(const VfiSession *session)
{
    static const char *const names[] = {[VFI_STAGE_FRAME] = "frame",
                                        [VFI_STAGE_PAIR] = "pair",
                                        [VFI_STAGE_TIME] = "time"};
    const VfiModel *model = session->model;
    const char *separator = "";

    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        const VfiPlan *plan = session->plans[stage];
        g_autofree float *scalars = NULL;
        int segment = 0;

        if (plan == NULL)
            continue;
        scalars = g_new0(float, plan->n_scalars + 1);
        while (segment >= 0) {
            const VfiPlanSegment *part = &plan->segments[segment];

            for (int i = part->first_op; i < part->first_op + part->n_ops; i++) {
                printf("%s", separator);
                print_op(names[stage], plan, i);
                separator = ", ";
            }
            segment = stage != VFI_STAGE_TIME || model->family->next_segment == NULL
                          ? -1
                          : model->family->next_segment(&model->setup, segment, scalars);
        }
    }
}

/* Bytes of device memory: the stages' arena, what is kept of each frame and of the pair. */
static void print_memory(const VfiSession *session)
{
    size_t arena = 0, frame = 0, pair = 0;

    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        const VfiPlan *plan = session->plans[stage];
        if (plan == NULL)
            continue;
        arena = MAX(arena, plan->arena_bytes);
        frame = stage == VFI_STAGE_FRAME ? plan->frame_bytes : frame;
        pair = stage == VFI_STAGE_PAIR ? plan->pair_bytes : pair;
    }
    printf("\"memory\": {\"arena\": %zu, \"frame\": %zu, \"pair\": %zu}", arena, frame,
           pair);
}

gboolean bench_plan(const Bench *bench, const VfiSessionConfig *config, GError **error)
{
    VfiSession session = {
        .model = bench->model, .video = config->video, .backend = &planner};
    const VfiModelInfo *info = vfi_model_info(bench->model);
    g_autofree char *name = bench_json_string(info->name);
    bool planned = vfi_session_plan(&session, config, error);

    if (planned) {
        const VfiModelFamily *family = bench->model->family;
        const char *output = family->output(&bench->model->setup) == VFI_OUTPUT_RGB
                                 ? "rgb"
                             : family->build == NULL ? "blend"
                                                     : "flow";

        printf("{\"model\": %s, \"family\": \"%s\", \"variant\": \"%s\", \"width\": %d, "
               "\"height\": %d, \"padded_width\": %d, \"padded_height\": %d, \"tiles\": "
               "%d, \"scale\": %g, \"output\": \"%s\", ",
               name, info->family, info->variant, config->video.width,
               config->video.height, session.padded_w, session.padded_h,
               session.tiling.x.n * session.tiling.y.n, session.scale, output);
        print_memory(&session);
        printf(", \"ops\": [");
        print_ops(&session);
        printf("]}\n");
    }
    vfi_session_free_plans(&session);
    return planned;
}
