/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STEP_EMBEDDING: a few hundred cosines, once a run. In double, for steps are counted up
 * to a thousand, and more. */
#include <math.h>

#include "cpu/algorithm.h"

static bool prepare(VfiCpuOp *ready, GError **error)
{
    return vfi_cpu_set_chunks(ready, 1.0, error);
}

static void chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const VfiStepEmbeddingParams *p = &ready->op.u.step_embedding;
    float *result = vfi_operand(run, &ready->op.dst);
    double value = (double)run->inputs.value[p->input], rate = log((double)p->base);
    int half = p->channels / 2;
    (void)index;
    (void)thread;

    for (int i = 0; i < half; i++) {
        double angle = value * exp(-rate * i / half);
        result[i] = (float)cos(angle);
        result[half + i] = (float)sin(angle);
    }
}

static const VfiCpuAlgorithm algorithm = {
    .name = "step_embedding",
    .prepare = prepare,
    .chunk = chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_step_embedding[] = {&algorithm, NULL};
