/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ops that compute each element from those at the same place: ACTIVATE, ADD, SUB, MUL,
 * AFFINE, CLAMP. */
#include <stddef.h>

#include "op/descriptor.h"

#define ELEMENT                                                                          \
    {                                                                                    \
        VFI_READS_PIXEL, VFI_LAYOUT_PLANAR, true                                         \
    }

static int activation_arrays(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS])
{
    arrays[0] = (VfiOpArray){"slope", offsetof(VfiOpParams, activation.slope),
                             (size_t)op->src[0].shape.c, false};
    return op->u.activation.kind == VFI_ACTIVATION_PRELU ? 1 : 0;
}

static bool infer_activate(const VfiOp *op, VfiShape *result, GError **error)
{
    if (!vfi_activation_is_short(op->u.activation.kind))
        return vfi_op_refuse(op, error, "SiLU and GELU are SCALE_SHIFT's");
    *result = op->src[0].shape;
    return true;
}

static const VfiOpCase activate_cases[] = {
    {.src = {{3, 7, 33}}, .params.activation.kind = VFI_ACTIVATION_NONE},
    {.src = {{5, 9, 13}},
     .params.activation.kind = VFI_ACTIVATION_PRELU,
     .values = VFI_VALUES_EXTREME},
    {.src = {{2, 64, 700}}, .params.activation.kind = VFI_ACTIVATION_PRELU},
    {.src = {{3, 5, 61}},
     .params.activation = {.kind = VFI_ACTIVATION_LEAKY, .leak = 0.2f},
     .values = VFI_VALUES_EXTREME},
    {.src = {{1, 17, 41}},
     .params.activation.kind = VFI_ACTIVATION_SIGMOID,
     .values = VFI_VALUES_EXTREME},
    {.src = {{2, 31, 29}},
     .params.activation.kind = VFI_ACTIVATION_SIGMOID,
     .scale = {20}},
};

const VfiOpDescriptor vfi_op_activate = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {ELEMENT},
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = infer_activate,
    .arrays = activation_arrays,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = activate_cases,
    .n_cases = G_N_ELEMENTS(activate_cases),
};

/* @may_share: src1 may have one channel for all. */
static bool infer_binary(const VfiOp *op, bool may_share, VfiShape *result,
                         GError **error)
{
    VfiShape a = op->src[0].shape, b = op->src[1].shape, expected = a;

    if (may_share && b.c == 1)
        expected.c = 1;
    if (!vfi_shape_equal(b, expected))
        return vfi_op_refuse(op, error, "the operands' shapes differ");
    *result = a;
    return true;
}

static bool infer_equal(const VfiOp *op, VfiShape *result, GError **error)
{
    return infer_binary(op, false, result, error);
}

static bool infer_shared(const VfiOp *op, VfiShape *result, GError **error)
{
    return infer_binary(op, true, result, error);
}

static const VfiOpCase add_cases[] = {
    {.src = {{1, 1, 1}, {1, 1, 1}}, .params.sum.scale = 1.0f},
    {.src = {{3, 7, 33}, {3, 7, 33}},
     .params.sum.scale = 0.5f,
     .values = VFI_VALUES_EXTREME},
    {.src = {{2, 64, 700}, {2, 64, 700}}, .params.sum.scale = 0.3f},
};

const VfiOpDescriptor vfi_op_add = {
    .min_sources = 2,
    .max_sources = 2,
    .source = {ELEMENT, ELEMENT},
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = infer_equal,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = add_cases,
    .n_cases = G_N_ELEMENTS(add_cases),
};

static const VfiOpCase sub_cases[] = {
    {.src = {{1, 1, 1}, {1, 1, 1}}, .params.sum.scale = 1.0f},
    {.src = {{3, 7, 33}, {3, 7, 33}},
     .params.sum.scale = 0.3f,
     .values = VFI_VALUES_EXTREME},
    {.src = {{5, 9, 61}, {1, 9, 61}}, .params.sum.scale = 1.0f},
};

const VfiOpDescriptor vfi_op_sub = {
    .min_sources = 2,
    .max_sources = 2,
    .source = {ELEMENT, ELEMENT},
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = infer_shared,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = sub_cases,
    .n_cases = G_N_ELEMENTS(sub_cases),
};

static const VfiOpCase mul_cases[] = {
    {.src = {{1, 1, 1}, {1, 1, 1}}},
    {.src = {{3, 7, 33}, {3, 7, 33}}, .values = VFI_VALUES_EXTREME},
    {.src = {{5, 9, 61}, {1, 9, 61}}},
};

const VfiOpDescriptor vfi_op_mul = {
    .min_sources = 2,
    .max_sources = 2,
    .source = {ELEMENT, ELEMENT},
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = infer_shared,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = mul_cases,
    .n_cases = G_N_ELEMENTS(mul_cases),
};

static const VfiOpCase affine_cases[] = {
    {.src = {{1, 1, 1}}, .params.affine = {.mul = 1.7f, .add = -0.3f}},
    {.src = {{3, 7, 33}},
     .params.affine = {.mul = -2.0f, .add = 0.75f},
     .values = VFI_VALUES_EXTREME},
    {.src = {{2, 64, 700}}, .params.affine = {.mul = 0.5f, .add = 0.0f}},
};

const VfiOpDescriptor vfi_op_affine = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {ELEMENT},
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = vfi_op_infer_same,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = affine_cases,
    .n_cases = G_N_ELEMENTS(affine_cases),
};

static const VfiOpCase clamp_cases[] = {
    {.src = {{1, 1, 1}}, .params.clamp = {.low = 0.0f, .high = 1.0f}},
    {.src = {{3, 7, 33}},
     .params.clamp = {.low = -0.25f, .high = 0.5f},
     .values = VFI_VALUES_EXTREME},
    {.src = {{2, 64, 700}}, .params.clamp = {.low = 0.1f, .high = 0.8f}},
};

const VfiOpDescriptor vfi_op_clamp = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {ELEMENT},
    .result = VFI_LAYOUT_PLANAR,
    .row_local = true,
    .infer = vfi_op_infer_same,
    .tolerance = VFI_TOLERANCE_EXACT,
    .cases = clamp_cases,
    .n_cases = G_N_ELEMENTS(clamp_cases),
};
