/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RESIZE: bilinear, half-pixel centres, no antialias. */
#include "op/resize.h"

#include "op/descriptor.h"

int vfi_op_factor_down(const VfiOp *op)
{
    VfiShape in = op->src[0].shape, out = op->dst.shape;

    if (op->kind != VFI_OP_RESIZE)
        return 0;
    for (int factor = 2; factor <= VFI_RESIZE_FACTOR_MAX; factor *= 2)
        if (in.h == factor * out.h && in.w == factor * out.w)
            return factor;
    return 0;
}

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    const VfiResizeParams *p = &op->u.resize;

    if (p->height < 1 || p->width < 1)
        return vfi_op_refuse(op, error, "%d×%d is no size", p->height, p->width);
    *result = (VfiShape){op->src[0].shape.c, p->height, p->width};
    return true;
}

static VfiReading reading(const VfiOp *op, int i)
{
    (void)i;
    return vfi_op_factor_down(op) != 0 ? VFI_READS_PIXEL : VFI_READS_ANYWHERE;
}

/* To a smaller size, the source's rows, which bands begin at multiples of the factor
 * of. */
static VfiShape picture(const VfiOp *op)
{
    VfiShape in = op->src[0].shape, out = op->dst.shape;

    if (in.h <= out.h && in.w <= out.w)
        return out;
    return vfi_op_factor_down(op) != 0 ? in : (VfiShape){0, 0, 0};
}

#define TO(h, w, factor)                                                                 \
    .params.resize = {                                                                   \
        .height = (h),                                                                   \
        .width = (w),                                                                    \
        .mul = (factor),                                                                 \
    }

static const VfiOpCase cases[] = {
    {.src = {{1, 1, 1}}, TO(1, 1, 1.0f)},
    {.src = {{1, 1, 1}}, TO(5, 7, 2.0f)},
    {.src = {{2, 9, 13}}, TO(18, 26, 2.0f)},
    {.src = {{2, 9, 13}}, TO(144, 208, 16.0f)},
    {.src = {{3, 7, 33}}, TO(11, 40, 0.7f), .values = VFI_VALUES_EXTREME},
    {.src = {{2, 18, 66}}, TO(9, 33, 0.5f)},
    {.src = {{2, 64, 96}}, TO(4, 6, 1.0f), .values = VFI_VALUES_EXTREME},
    {.src = {{1, 37, 53}}, TO(11, 17, 1.0f)},
    {.src = {{2, 12, 60}}, TO(24, 30, 1.0f)},
    {.src = {{1, 24, 30}}, TO(12, 61, 1.0f)},
};

const VfiOpDescriptor vfi_op_resize = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_ANYWHERE, VFI_LAYOUT_PLANAR | VFI_LAYOUT_HALF_PLANES, false}},
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = infer,
    .reading = reading,
    .picture = picture,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
