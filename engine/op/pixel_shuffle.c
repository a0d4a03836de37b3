/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PIXEL_SHUFFLE: dst[c, 2y+i, 2x+j] = src0[4c+2i+j, y, x]. */
#include "op/descriptor.h"

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    VfiShape in = op->src[0].shape;

    if (in.c % 4 != 0)
        return vfi_op_refuse(op, error, "%d channels are not a multiple of 4", in.c);
    if (in.h > G_MAXINT / 2 || in.w > G_MAXINT / 2)
        return vfi_op_refuse(op, error, "twice the size is too large");
    *result = (VfiShape){in.c / 4, 2 * in.h, 2 * in.w};
    return true;
}

static const VfiOpCase cases[] = {
    {.src = {{4, 1, 1}}},
    {.src = {{12, 7, 33}}, .values = VFI_VALUES_EXTREME},
    {.src = {{24, 13, 30}}},
    {.src = {{1060, 2, 3}}},
};

const VfiOpDescriptor vfi_op_pixel_shuffle = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_ANYWHERE,
                VFI_LAYOUT_PLANAR | VFI_LAYOUT_CHANNELS_LAST | VFI_LAYOUT_HALF, false}},
    .result = VFI_LAYOUT_PLANAR | VFI_LAYOUT_HALF_PLANES,
    .row_local = true,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_EXACT,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
