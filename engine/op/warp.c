/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WARP: backward warp of src0 by the flow src1 (2 × H × W: dx, dy in pixels), bilinear,
 * borders repeated. The result has the flow's size. */
#include "op/descriptor.h"

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    VfiShape image = op->src[0].shape, flow = op->src[1].shape;

    if (flow.c != 2)
        return vfi_op_refuse(op, error, "the flow must have 2 channels");
    *result = (VfiShape){image.c, flow.h, flow.w};
    return true;
}

static const VfiOpCase cases[] = {
    {.src = {{1, 1, 1}, {2, 1, 1}}},
    {.src = {{3, 17, 41}, {2, 17, 41}}, .scale = {1, 3}},
    {.src = {{5, 19, 47}, {2, 19, 47}},
     .scale = {1, 0.4f}}, /* neighbours stay together */
    {.src = {{8, 13, 30}, {2, 13, 30}}, .scale = {1, 40}},
    {.src = {{32, 11, 37}, {2, 11, 37}}, .scale = {1, 5}},
    {.src = {{265, 3, 2}, {2, 3, 2}}, .scale = {1, 2}},
    {.src = {{2, 9, 33}, {2, 9, 33}}, .scale = {1, 1e6f}, .values = VFI_VALUES_EXTREME},
};

const VfiOpDescriptor vfi_op_warp = {
    .min_sources = 2,
    .max_sources = 2,
    .source = {{VFI_READS_ANYWHERE,
                VFI_LAYOUT_ALL | VFI_LAYOUT_HALF | VFI_LAYOUT_HALF_PLANES, false},
               {VFI_READS_PIXEL, VFI_LAYOUT_PLANAR, false}},
    .result = VFI_LAYOUT_ALL | VFI_LAYOUT_HALF | VFI_LAYOUT_LIKE_SOURCE,
    .row_local = true,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
