/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AVG_POOL: means of 2 × 2 pixels. */
#include "cpu/ops/unit_rows.h"

static bool pool_prepare(VfiCpuOp *ready, GError **error)
{
    VfiUnitRows *state = g_new0(VfiUnitRows, 1);

    ready->state = state;
    return vfi_cut_into_rows(ready, false, state, error);
}

static void pool_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const VfiUnitRows *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape in = op->src[0].shape, out = op->dst.shape;
    int unit = index / state->bands, y = index % state->bands * state->rows;
    int end = MIN(y + state->rows, out.h);
    (void)thread;

    for (; y < end; y++) {
        VfiPoolRow row = {
            .dst = vfi_unit_row(run, &op->dst, unit, y),
            .top = vfi_unit_row(run, &op->src[0], unit, 2 * y),
            .n = (size_t)out.w,
            .block = (size_t)state->block,
        };
        row.bottom = row.top + (size_t)in.w * row.block;
        ready->kernels->pool_row(&row);
    }
}

static const VfiCpuAlgorithm algorithm = {
    .name = "avg_pool",
    .accepts = vfi_accepts_units,
    .prepare = pool_prepare,
    .chunk = pool_chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_avg_pool[] = {&algorithm, NULL};
