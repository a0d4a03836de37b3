/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans as everybody outside of this folder sees them. How they come about: passes.c. */
#include "plan/plan.h"

#include <string.h>

#include "base/alloc.h"

size_t vfi_plan_image_bytes(int width, int height)
{
    return vfi_align_up((size_t)3 * (size_t)width * (size_t)height * sizeof(float),
                        VFI_ALIGNMENT);
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
