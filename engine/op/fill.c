/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FILL: one channel of a number that the run is given. */
#include "op/descriptor.h"

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    const VfiFillParams *p = &op->u.fill;

    if ((unsigned)p->input >= VFI_RUN_INPUT_COUNT)
        return vfi_op_refuse(op, error, "there is no run input %d", (int)p->input);
    if (p->height < 1 || p->width < 1)
        return vfi_op_refuse(op, error, "%d×%d is no size", p->height, p->width);
    *result = (VfiShape){1, p->height, p->width};
    return true;
}

static const VfiOpCase cases[] = {
    {.params.fill = {VFI_RUN_INPUT_TIME, 1.0f, 0.0f, 1, 1}},
    {.params.fill = {VFI_RUN_INPUT_TIME, 2.0f, -1.0f, 7, 33}},
    {.params.fill = {VFI_RUN_INPUT_IMAGE_MEAN, -0.5f, 0.5f, 64, 700}},
    {.params.fill = {VFI_RUN_INPUT_STEP, 0.5f, 0.0f, 3, 5}},
    {.params.fill = {VFI_RUN_INPUT_NOISE_LEVEL, 1.0f, 0.25f, 2, 8}},
    {.params.fill = {VFI_RUN_INPUT_WEIGHT_0, 1.0f, 0.0f, 1, 9}},
    {.params.fill = {VFI_RUN_INPUT_WEIGHT_1, 1.0f, 0.0f, 1, 9}},
    {.params.fill = {VFI_RUN_INPUT_WEIGHT_2, 1.0f, 0.0f, 1, 9}},
    {.params.fill = {VFI_RUN_INPUT_WEIGHT_3, -3.0f, 1.0f, 5, 17}},
};

const VfiOpDescriptor vfi_op_fill = {
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
