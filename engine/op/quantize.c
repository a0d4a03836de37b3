/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QUANTIZE: pixels become the nearest codes of a codebook. */
#include <stddef.h>

#include "op/descriptor.h"

#define MAX_CODES (1 << 24)

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    int n = op->u.quantize.n_codes;

    if (n < 1 || n > MAX_CODES)
        return vfi_op_refuse(op, error, "there must be 1 to %d codes, not %d", MAX_CODES,
                             n);
    if (op->src[0].shape.c % VFI_CODE_CHANNELS != 0)
        return vfi_op_refuse(op, error, "codes have %d channels, which must divide those",
                             VFI_CODE_CHANNELS);
    *result = op->src[0].shape;
    return true;
}

static double macs(const VfiOp *op)
{
    return (double)vfi_shape_elements(op->src[0].shape) * op->u.quantize.n_codes;
}

static int arrays(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS])
{
    arrays[0] = (VfiOpArray){"codes", offsetof(VfiOpParams, quantize.codes),
                             (size_t)op->u.quantize.n_codes * VFI_CODE_CHANNELS, false};
    return 1;
}

static const VfiOpCase cases[] = {
    {.src = {{3, 1, 1}}, .params.quantize.n_codes = 1},
    {.src = {{9, 5, 7}}, .params.quantize.n_codes = 700},
    {.src = {{3, 13, 33}}, .params.quantize.n_codes = 37, .scale = {2.0f}},
    {.src = {{6, 4, 20}}, .params.quantize.n_codes = 64, .values = VFI_VALUES_EXTREME},
};

const VfiOpDescriptor vfi_op_quantize = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_PIXEL, VFI_LAYOUT_PLANAR, false}},
    .result = VFI_LAYOUT_PLANAR,
    .infer = infer,
    .macs = macs,
    .arrays = arrays,
    .tolerance = VFI_TOLERANCE_EXACT,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
