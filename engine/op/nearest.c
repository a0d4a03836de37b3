/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NEAREST, and what is left of a 2 × 2 convolution after it: UPSAMPLE_CONV_SUM. */
#include <stddef.h>

#include "op/descriptor.h"

#define PIXELS (VFI_LAYOUT_ALL | VFI_LAYOUT_HALF)

static bool check_size(const VfiOp *op, GError **error)
{
    const VfiNearestParams *p = &op->u.nearest;
    VfiShape in = op->src[0].shape;

    return in.h <= p->height && in.w <= p->width
               ? true
               : vfi_op_refuse(
                     op, error,
                     "to %d×%d makes it smaller: the result must be as large as the "
                     "source or larger",
                     p->height, p->width);
}

static bool infer_nearest(const VfiOp *op, VfiShape *result, GError **error)
{
    *result = (VfiShape){op->src[0].shape.c, op->u.nearest.height, op->u.nearest.width};
    return check_size(op, error);
}

static bool infer_sum(const VfiOp *op, VfiShape *result, GError **error)
{
    int channels = op->src[0].shape.c;

    if (channels % 4 != 0)
        return vfi_op_refuse(op, error,
                             "the source must have four times the result's channels");
    *result = (VfiShape){channels / 4, op->u.nearest.height, op->u.nearest.width};
    return check_size(op, error);
}

static int sum_arrays(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS])
{
    arrays[0] = (VfiOpArray){"bias", offsetof(VfiOpParams, nearest.bias),
                             (size_t)op->src[0].shape.c / 4, true};
    return 1;
}

static const VfiOpCase nearest_cases[] = {
    {.src = {{1, 1, 1}}, .params.nearest = {.height = 3, .width = 5}},
    {.src = {{3, 7, 33}},
     .params.nearest = {.height = 14, .width = 66},
     .values = VFI_VALUES_EXTREME},
    {.src = {{17, 9, 13}}, .params.nearest = {.height = 11, .width = 40}},
    {.src = {{32, 5, 21}}, .params.nearest = {.height = 10, .width = 43}},
    {.src = {{8, 6, 6}}, .params.nearest = {.height = 6, .width = 6}},
    {.src = {{265, 3, 2}}, .params.nearest = {.height = 6, .width = 5}},
};

const VfiOpDescriptor vfi_op_nearest = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_ANYWHERE, PIXELS, false}},
    .result = PIXELS | VFI_LAYOUT_LIKE_SOURCE,
    .infer = infer_nearest,
    .tolerance = VFI_TOLERANCE_EXACT,
    .cases = nearest_cases,
    .n_cases = G_N_ELEMENTS(nearest_cases),
};

static const VfiOpCase sum_cases[] = {
    {.src = {{4, 1, 1}}, .params.nearest = {.height = 2, .width = 3}},
    {.src = {{12, 7, 33}}, .params.nearest = {.height = 14, .width = 66}},
    {.src = {{128, 5, 21}}, .params.nearest = {.height = 10, .width = 43}},
    {.src = {{64, 6, 9}}, .params.nearest = {.height = 13, .width = 18}, .without = 1},
    {.src = {{1060, 1, 2}}, .params.nearest = {.height = 3, .width = 4}},
};

const VfiOpDescriptor vfi_op_upsample_conv_sum = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_ANYWHERE, PIXELS, false}},
    .result = PIXELS | VFI_LAYOUT_LIKE_SOURCE,
    .whole_blocks = true,
    .infer = infer_sum,
    .arrays = sum_arrays,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = sum_cases,
    .n_cases = G_N_ELEMENTS(sum_cases),
};
