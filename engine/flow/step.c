/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/step.h"

const char *vfi_flow_step_name(VfiFlowStepKind kind)
{
    static const char *const names[VFI_FLOW_STEP_KINDS] = {
        [VFI_FLOW_STEP_LUMA] = "luma",       [VFI_FLOW_STEP_CHROMA] = "chroma",
        [VFI_FLOW_STEP_HALVE] = "halve",     [VFI_FLOW_STEP_BEGIN] = "begin",
        [VFI_FLOW_STEP_CROSS] = "cross",     [VFI_FLOW_STEP_SWEEP] = "sweep",
        [VFI_FLOW_STEP_DENSIFY] = "densify", [VFI_FLOW_STEP_RESIDUAL] = "residual",
        [VFI_FLOW_STEP_TRUST] = "trust",     [VFI_FLOW_STEP_SPLAT] = "splat",
        [VFI_FLOW_STEP_MERGE] = "merge",     [VFI_FLOW_STEP_PULL] = "pull",
        [VFI_FLOW_STEP_PUSH] = "push",       [VFI_FLOW_STEP_MEDIAN] = "median",
        [VFI_FLOW_STEP_SIDES] = "sides",
    };

    return names[kind];
}

const VfiFlowPlane *vfi_flow_step_result(const VfiFlowStep *step)
{
    switch (step->kind) {
    case VFI_FLOW_STEP_LUMA:
        return &step->u.luma.picture;
    case VFI_FLOW_STEP_CHROMA:
        return &step->u.chroma.chroma[0];
    case VFI_FLOW_STEP_HALVE:
        return &step->u.halve.to.channel[0];
    case VFI_FLOW_STEP_BEGIN:
        return &step->u.begin.patches[0].x;
    case VFI_FLOW_STEP_CROSS:
        return &step->u.cross.other[0][0];
    case VFI_FLOW_STEP_SWEEP:
        return &step->u.sweep.patches[0].x;
    case VFI_FLOW_STEP_DENSIFY:
        return &step->u.densify.flow[0][0];
    case VFI_FLOW_STEP_RESIDUAL:
        return &step->u.residual.residual[0];
    case VFI_FLOW_STEP_TRUST:
        return &step->u.trust.weight[0];
    case VFI_FLOW_STEP_SPLAT:
        return &step->u.splat.sum[0].x;
    case VFI_FLOW_STEP_MERGE:
        return &step->u.merge.both.x;
    case VFI_FLOW_STEP_PULL:
        return &step->u.fill.coarse.x;
    case VFI_FLOW_STEP_PUSH:
        return &step->u.fill.fine.x;
    case VFI_FLOW_STEP_MEDIAN:
        return &step->u.median.to[0];
    case VFI_FLOW_STEP_SIDES:
        return &step->u.sides.side[0][0];
    case VFI_FLOW_STEP_KINDS:
        break;
    }
    return NULL;
}
