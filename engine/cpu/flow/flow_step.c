/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/flow_step.h"

#include "cpu/flow/pass.h"

static const VfiFlowPass *const passes[VFI_FLOW_STEP_KINDS] = {
    [VFI_FLOW_STEP_LUMA] = &vfi_flow_luma,
    [VFI_FLOW_STEP_CHROMA] = &vfi_flow_chroma,
    [VFI_FLOW_STEP_HALVE] = &vfi_flow_halve,
    [VFI_FLOW_STEP_BEGIN] = &vfi_flow_begin,
    [VFI_FLOW_STEP_CROSS] = &vfi_flow_cross,
    [VFI_FLOW_STEP_SWEEP] = &vfi_flow_sweep,
    [VFI_FLOW_STEP_DENSIFY] = &vfi_flow_densify,
    [VFI_FLOW_STEP_RESIDUAL] = &vfi_flow_residual,
    [VFI_FLOW_STEP_TRUST] = &vfi_flow_trust,
    [VFI_FLOW_STEP_SPLAT] = &vfi_flow_splat,
    [VFI_FLOW_STEP_MERGE] = &vfi_flow_merge,
    [VFI_FLOW_STEP_PULL] = &vfi_flow_pull,
    [VFI_FLOW_STEP_PUSH] = &vfi_flow_push,
    [VFI_FLOW_STEP_MEDIAN] = &vfi_flow_median,
    [VFI_FLOW_STEP_SIDES] = &vfi_flow_sides,
};

static void run_chunk(void *data, int index, int thread)
{
    const VfiFlowWork *work = data;
    (void)thread;

    passes[work->step->kind]->chunk(work, index);
}

bool vfi_cpu_flow_step(VfiPool *pool, VfiCpuLevel level, const VfiFlowStep *step,
                       const VfiFlowArguments *arguments)
{
    const VfiFlowPass *pass = passes[step->kind];
    VfiFlowWork work = {step, arguments, vfi_cpu_kernels(level)};

    if (pass->begin != NULL)
        pass->begin(&work);
    return vfi_pool_run(pool, pass->chunks(step), run_chunk, &work, arguments->cancel);
}
