/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TIME and IMAGE_MEAN: what a run gives, everywhere. */
#include "op/descriptor.h"

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    const VfiAffineParams *p = &op->u.affine;

    if (p->height < 1 || p->width < 1)
        return vfi_op_refuse(op, error, "%d×%d is no size", p->height, p->width);
    *result = (VfiShape){1, p->height, p->width};
    return true;
}

static const VfiOpCase cases[] = {
    {.params.affine = {.mul = 1.0f, .height = 1, .width = 1}},
    {.params.affine = {.mul = 2.0f, .add = -1.0f, .height = 7, .width = 33}},
    {.params.affine = {.mul = 0.0f, .add = 0.5f, .height = 64, .width = 700}},
};

const VfiOpDescriptor vfi_op_time = {
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};

const VfiOpDescriptor vfi_op_image_mean = {
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
