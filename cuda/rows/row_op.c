/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows/row_op.h"

#include "op/descriptor.h"
#include "op/resize.h"

static void set_sum(VfiRowInstruction *code, const VfiOp *op, int channel)
{
    (void)channel;
    code->p = op->u.sum.scale;
}

static void set_affine(VfiRowInstruction *code, const VfiOp *op, int channel)
{
    (void)channel;
    code->p = op->u.affine.mul;
    code->q = op->u.affine.add;
}

static void set_clamp(VfiRowInstruction *code, const VfiOp *op, int channel)
{
    (void)channel;
    code->p = op->u.clamp.low;
    code->q = op->u.clamp.high;
}

static bool has_slopes(const VfiOp *op)
{
    return op->u.activation.kind == VFI_ACTIVATION_PRELU;
}

static void set_activation(VfiRowInstruction *code, const VfiOp *op, int channel)
{
    const VfiActivation *activation = &op->u.activation;

    code->is_sigmoid = activation->kind == VFI_ACTIVATION_SIGMOID;
    code->p = has_slopes(op)                             ? activation->slope[channel]
              : activation->kind == VFI_ACTIVATION_LEAKY ? activation->leak
                                                         : 1.0f;
}

static void set_fill(VfiRowInstruction *code, const VfiOp *op, int channel)
{
    (void)channel;
    code->input = (uint8_t)op->u.fill.input;
    code->p = op->u.fill.mul;
    code->q = op->u.fill.add;
}

static void set_resize(VfiRowInstruction *code, const VfiOp *op, int channel)
{
    (void)channel;
    code->is_down = vfi_op_factor_down(op) != 0;
    code->p = op->u.resize.mul;
}

static const VfiRowOp ops[VFI_OP_KIND_COUNT] = {
    [VFI_OP_ADD] = {.operation = VFI_ROW_ADD, .set_parameters = set_sum},
    [VFI_OP_SUB] = {.operation = VFI_ROW_SUB, .set_parameters = set_sum},
    [VFI_OP_MUL] = {.operation = VFI_ROW_MUL},
    [VFI_OP_AFFINE] = {.operation = VFI_ROW_AFFINE, .set_parameters = set_affine},
    [VFI_OP_CLAMP] = {.operation = VFI_ROW_CLAMP, .set_parameters = set_clamp},
    [VFI_OP_ACTIVATE] = {.operation = VFI_ROW_ACTIVATE,
                         .set_parameters = set_activation,
                         .differs_by_channel = has_slopes},
    [VFI_OP_FILL] = {.operation = VFI_ROW_FILL, .set_parameters = set_fill},
    [VFI_OP_COPY] = {.operation = VFI_ROW_COPY},
    [VFI_OP_RESIZE] = {.operation = VFI_ROW_RESIZE, .set_parameters = set_resize},
    [VFI_OP_WARP] = {.operation = VFI_ROW_WARP, .has_flow = true},
    [VFI_OP_PIXEL_SHUFFLE] = {.operation = VFI_ROW_PIXEL_SHUFFLE,
                              .source_channels = 4,
                              .takes_pixels = true},
    [VFI_OP_MAX_ABS] = {.operation = VFI_ROW_MAX_ABS},
};

const VfiRowOp *vfi_row_op(VfiOpKind kind)
{
    return &ops[kind];
}

bool vfi_row_op_exists(const VfiOp *op)
{
    return (unsigned)op->kind < G_N_ELEMENTS(ops) && ops[op->kind].operation != 0;
}

/* Instructions have 16 bits for sizes. */
static bool fits(VfiShape shape)
{
    return shape.c <= UINT16_MAX && shape.h <= UINT16_MAX && shape.w <= UINT16_MAX;
}

static bool check(const VfiOp *op, GError **error)
{
    if (!vfi_row_op_exists(op))
        return vfi_op_refuse(op, error, "row groups do not know this kind of op");
    if (!vfi_op_check(op, VFI_LAYOUT_CHANNELS_LAST, error))
        return false;
    for (int i = 0; i < op->n_src; i++) {
        bool is_blocked = vfi_operand_is_blocked(&op->src[i]);
        if ((is_blocked && (i > 0 || !ops[op->kind].takes_pixels)) ||
            (op->src[i].half && i > 0))
            return vfi_op_refuse(op, error, "source %d must be planar f32", i);
        if (!fits(op->src[i].shape))
            return vfi_op_refuse(op, error, "source %d is larger than %d", i, UINT16_MAX);
    }
    return fits(op->dst.shape)
               ? true
               : vfi_op_refuse(op, error, "the result is larger than %d", UINT16_MAX);
}

bool vfi_row_op_check(const VfiOp *op, GError **error)
{
    if (check(op, error))
        return true;
    g_prefix_error(error, "the CUDA backend cannot compute ");
    return false;
}
