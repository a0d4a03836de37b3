/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* KEEP_INSIDE: the picture as it is where it shows what was given, and one value where it
 * shows the padding behind that. */
#include "op/descriptor.h"

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    double scale = op->u.keep_inside.scale;

    if (!(scale > 0.0 && scale <= 1.0))
        return vfi_op_refuse(op, error, "a scale of %g, expected above 0, 1 at most",
                             scale);
    *result = op->src[0].shape;
    return true;
}

/* The runner's picture is 33 × 18 (tests/ops/problem.c). */
static const VfiOpCase cases[] = {
    {.src = {{1, 1, 1}}, .params.keep_inside = {.scale = 1.0}},
    {.src = {{3, 24, 40}}, .params.keep_inside = {.scale = 1.0, .outside = -1.0f}},
    {.src = {{2, 24, 40}},
     .params.keep_inside = {.scale = 0.5, .outside = 0.25f},
     .values = VFI_VALUES_EXTREME},
    {.src = {{3, 10, 13}}, .params.keep_inside = {.scale = 0.7}}, /* 23 × 12: all */
    {.src = {{5, 14, 11}}, .params.keep_inside = {.scale = 0.3}},
    {.src = {{2, 200, 700}}, .params.keep_inside = {.scale = 0.01, .outside = 3.0f}},
};

const VfiOpDescriptor vfi_op_keep_inside = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_PIXEL, VFI_LAYOUT_PLANAR, true}},
    .result = VFI_LAYOUT_PLANAR,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_EXACT,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
