/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MAX_ABS: max |src0|, a scalar that the host reads. */
#include "op/descriptor.h"

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    if (op->u.max_abs.scalar < 0)
        return vfi_op_refuse(op, error, "there is no scalar to write");
    *result = (VfiShape){1, 1, 1};
    return true;
}

static VfiShape picture(const VfiOp *op)
{
    return op->src[0].shape;
}

static const VfiOpCase cases[] = {
    {.src = {{1, 1, 1}}},
    {.src = {{3, 7, 33}}, .scale = {1e6f}},
    {.src = {{2, 64, 700}}},
    {.src = {{2, 9, 61}}, .values = VFI_VALUES_EXTREME},
};

const VfiOpDescriptor vfi_op_max_abs = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_PIXEL, VFI_LAYOUT_PLANAR, false}},
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .gives_scalar = true,
    .infer = infer,
    .picture = picture,
    .tolerance = VFI_TOLERANCE_EXACT,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
