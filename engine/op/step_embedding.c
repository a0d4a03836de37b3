/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STEP_EMBEDDING: a number that the run is given, as cosines and sines. */
#include "op/descriptor.h"

#define MAX_CHANNELS 65536

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    const VfiStepEmbeddingParams *p = &op->u.step_embedding;

    if ((unsigned)p->input >= VFI_RUN_INPUT_COUNT)
        return vfi_op_refuse(op, error, "there is no run input %d", (int)p->input);
    if (p->channels < 2 || p->channels > MAX_CHANNELS || p->channels % 2 != 0)
        return vfi_op_refuse(op, error, "%d channels, expected an even number of 2 to %d",
                             p->channels, MAX_CHANNELS);
    if (!(p->base > 1.0f))
        return vfi_op_refuse(op, error, "a base of %g, expected more than 1",
                             (double)p->base);
    *result = (VfiShape){p->channels, 1, 1};
    return true;
}

static const VfiOpCase cases[] = {
    {.params.step_embedding = {VFI_RUN_INPUT_STEP, 2, 10000.0f}},
    {.params.step_embedding = {VFI_RUN_INPUT_STEP, 128, 10000.0f}},
    {.params.step_embedding = {VFI_RUN_INPUT_TIME, 30, 100.0f}},
    {.params.step_embedding = {VFI_RUN_INPUT_WEIGHT_1, 1030, 1e4f}},
};

const VfiOpDescriptor vfi_op_step_embedding = {
    .result = VFI_LAYOUT_PLANAR,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
