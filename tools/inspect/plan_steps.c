/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-inspect --plan of models that have steps in place of a network, or beside one. With
 * tiles: of the first one. */
#include <stdio.h>

#include "inspected_plan.h"
#include "session/steps.h"

static const char *const stage_names[VFI_FLOW_STAGES] = {
    [VFI_FLOW_STAGE_FRAME] = "frame",
    [VFI_FLOW_STAGE_PAIR] = "pair",
    [VFI_FLOW_STAGE_TIME] = "time",
};

static const char *region_name(VfiFlowRegion region)
{
    static const char *const names[VFI_FLOW_REGIONS] = {
        [VFI_FLOW_FRAME0] = "frame0",
        [VFI_FLOW_FRAME1] = "frame1",
        [VFI_FLOW_PAIR] = "pair",
        [VFI_FLOW_ARENA] = "arena",
    };

    return names[region];
}

/* What runs; NULL: the model has no steps. */
static const VfiFlowPlan *plan_of(const InspectedPlan *inspected)
{
    const VfiSession *session = &inspected->session;

    return session->motion.plan == NULL || vfi_tiling_is_one(&session->tiling)
               ? session->motion.plan
               : vfi_session_tile_plan(session, 0, 0);
}

void inspected_print_steps_text(const InspectedPlan *inspected)
{
    const VfiFlowPlan *plan = plan_of(inspected);

    if (plan == NULL)
        return;
    printf("motion:      quality %s, a cell is %d×%d pixels, %d flows and %d shifts of "
           "the first%s\n",
           vfi_session_quality(&inspected->session), 1 << plan->shape.level,
           1 << plan->shape.level, plan->shape.n_flows, plan->shape.n_shifts,
           inspected->n_stages > 0 ? ", and the network's flows" : "");
    for (int stage = 0; stage < VFI_FLOW_STAGES; stage++) {
        printf("\n%s stage: %d steps\n", stage_names[stage], plan->n_steps[stage]);
        for (int i = 0; i < plan->n_steps[stage]; i++) {
            const VfiFlowStep *step = &plan->steps[stage][i];
            const VfiFlowPlane *result = vfi_flow_step_result(step);
            printf("  %4d %-10s %d×%d %s+%zu\n", i, vfi_flow_step_name(step->kind),
                   result->w, result->h, region_name(result->region), result->offset);
        }
    }
}

void inspected_print_steps_json(const InspectedPlan *inspected)
{
    const VfiFlowPlan *plan = plan_of(inspected);
    const char *separator = "";

    if (plan == NULL)
        return;
    printf(", \"quality\": \"%s\", \"level\": %d, \"flows\": %d, \"shifts\": %d, "
           "\"steps\": [",
           vfi_session_quality(&inspected->session), plan->shape.level,
           plan->shape.n_flows, plan->shape.n_shifts);
    for (int stage = 0; stage < VFI_FLOW_STAGES; stage++)
        for (int i = 0; i < plan->n_steps[stage]; i++) {
            const VfiFlowStep *step = &plan->steps[stage][i];
            const VfiFlowPlane *result = vfi_flow_step_result(step);
            printf("%s{\"stage\": \"%s\", \"kind\": \"%s\", \"width\": %d, \"height\": "
                   "%d, \"region\": \"%s\", \"offset\": %zu}",
                   separator, stage_names[stage], vfi_flow_step_name(step->kind),
                   result->w, result->h, region_name(result->region), result->offset);
            separator = ", ";
        }
    printf("]");
}

void inspected_print_steps_dot(const InspectedPlan *inspected)
{
    const VfiFlowPlan *plan = plan_of(inspected);

    for (int stage = 0; plan != NULL && stage < VFI_FLOW_STAGES; stage++) {
        printf("  subgraph cluster_motion_%s {\n    label=\"%s stage\";\n",
               stage_names[stage], stage_names[stage]);
        for (int i = 0; i < plan->n_steps[stage]; i++) {
            const VfiFlowStep *step = &plan->steps[stage][i];
            const VfiFlowPlane *result = vfi_flow_step_result(step);
            printf("    motion_%s%d [label=\"%d %s  %d×%d %s+%zu\"];\n",
                   stage_names[stage], i, i, vfi_flow_step_name(step->kind), result->w,
                   result->h, region_name(result->region), result->offset);
            if (i > 0)
                printf("    motion_%s%d -> motion_%s%d;\n", stage_names[stage], i - 1,
                       stage_names[stage], i);
        }
        printf("  }\n");
    }
}
