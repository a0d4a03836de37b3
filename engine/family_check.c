/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a family's graphs can be built on given weights. */
#include "family.h"

#include "plan.h"

bool vfi_family_check(const VfiModelFamily *family, const VfiModelSetup *setup,
                      const VfiWeights *weights, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (family->build == NULL)
        return true;
    int size = family->size_multiple == NULL ? 1 : family->size_multiple(setup, 1.0);
    size = MAX(size, family->least_size);
    VfiGraph *frame = vfi_graph_new(weights, NULL, size, size);
    VfiPlan *frame_plan = NULL;
    if (family->build(frame, setup, VFI_STAGE_FRAME, 1.0))
        frame_plan = vfi_plan_new(frame, NULL, true, &reason);
    VfiGraph *time = vfi_graph_new(weights, frame_plan, size, size);
    if (reason == NULL) {
        family->build(time, setup, VFI_STAGE_TIME, 1.0);
        if (vfi_graph_error(time) != NULL)
            reason = g_error_copy(vfi_graph_error(time));
    }
    vfi_graph_free(time);
    vfi_plan_free(frame_plan);
    vfi_graph_free(frame);
    bool builds = reason == NULL;
    if (!builds)
        g_propagate_error(error, g_steal_pointer(&reason));
    return builds;
}
