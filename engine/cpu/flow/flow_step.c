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

/* Samples of a chunk: enough to be worth waking a thread for, few enough to end soon
 * after a cancel. */
#define CHUNK_SAMPLES 8192

static int chunk_rows(const VfiFlowArea *area)
{
    return MAX(CHUNK_SAMPLES / area->width, 1);
}

static int area_chunks(const VfiFlowArea *area)
{
    return (area->layers * area->rows + chunk_rows(area) - 1) / chunk_rows(area);
}

/* All layers' rows are counted through; a chunk is some of them. */
static void run_rows(const VfiFlowPass *pass, const VfiFlowWork *work, int index)
{
    VfiFlowArea area = pass->area(work->step);
    int begin = index * chunk_rows(&area);
    int end = MIN(begin + chunk_rows(&area), area.layers * area.rows);

    while (begin < end) {
        int layer = begin / area.rows, first = begin % area.rows;
        int n = MIN(area.rows - first, end - begin);
        pass->rows(work, layer, first, first + n);
        begin += n;
    }
}

static void run_chunk(void *data, int index, int thread)
{
    const VfiFlowWork *work = data;
    const VfiFlowPass *pass = passes[work->step->kind];
    (void)thread;

    if (pass->area != NULL)
        run_rows(pass, work, index);
    else
        pass->chunk(work, index);
}

bool vfi_cpu_flow_step(VfiPool *pool, VfiCpuLevel level, const VfiFlowStep *step,
                       const VfiFlowArguments *arguments)
{
    const VfiFlowPass *pass = passes[step->kind];
    VfiFlowWork work = {step, arguments, vfi_cpu_kernels(level)};
    int chunks;

    if (pass->area != NULL) {
        VfiFlowArea area = pass->area(step);
        chunks = area_chunks(&area);
    } else {
        chunks = pass->chunks(step);
    }
    if (pass->begin != NULL)
        pass->begin(&work);
    return vfi_pool_run(pool, chunks, run_chunk, &work, arguments->cancel);
}
