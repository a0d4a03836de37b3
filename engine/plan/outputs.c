/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The passes pin-outputs and lay-out-outputs: what a stage computes for later ones gets
 * memory of its own, one output after the other in the region that is
 * kept. */
#include "plan/planner.h"

#include <vfi/error.h>

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
        item->output.pinned = true;
        item->output.region = planner->output_region;
    }
}

/* Those of a frame stage lie after the image. */
void vfi_plan_lay_out_outputs(VfiPlanner *planner)
{
    VfiRegion region = planner->output_region;
    size_t image_bytes =
        vfi_plan_image_bytes(planner->graph->width, planner->graph->height);
    size_t bytes = region == VFI_REGION_FRAME0 ? image_bytes : 0;

    for (int i = 0; i < planner->n_items; i++) {
        VfiPlanItem *item = &planner->items[i];
        if (!item->use.alive || !item->output.pinned || vfi_plan_writes_state(item))
            continue;
        item->memory.place = bytes;
        bytes += vfi_plan_align(vfi_plan_value_bytes(planner, item));
    }
    planner->frame_bytes = region == VFI_REGION_FRAME0 ? bytes : image_bytes;
    planner->pair_bytes = region == VFI_REGION_PAIR ? bytes : 0;
    planner->constant_bytes = region == VFI_REGION_CONSTANT ? bytes : 0;
}
