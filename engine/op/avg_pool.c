/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AVG_POOL: the mean of 2 × 2 pixels, stride 2; odd rows and columns are left out. */
#include "op/descriptor.h"

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    VfiShape in = op->src[0].shape;

    if (in.h < 2 || in.w < 2)
        return vfi_op_refuse(op, error, "%d×%d cannot be halved", in.h, in.w);
    *result = (VfiShape){in.c, in.h / 2, in.w / 2};
    return true;
}

static const VfiOpCase cases[] = {
    {.src = {{1, 2, 2}}},    {.src = {{3, 7, 33}}, .values = VFI_VALUES_EXTREME},
    {.src = {{17, 18, 41}}}, {.src = {{32, 9, 70}}},
    {.src = {{265, 4, 6}}},
};

#define PIXELS (VFI_LAYOUT_ALL | VFI_LAYOUT_HALF)

const VfiOpDescriptor vfi_op_avg_pool = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_HALO, PIXELS, false}},
    .result = PIXELS | VFI_LAYOUT_LIKE_SOURCE,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
