/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the CPU asks of an op beyond what every backend does (vfi_op_check()), before anything
 * is packed: blocks of the level's size, convolutions' layouts, and f32 but for CONVERT. */
#include "cpu/algorithm.h"
#include "op/descriptor.h"

static bool check_blocks(const VfiOp *op, int block, GError **error)
{
    for (int i = 0; i < op->n_src; i++)
        if (vfi_operand_is_blocked(&op->src[i]) && op->src[i].block != block)
            return vfi_op_refuse(op, error, "a source has blocks of the wrong size");
    if (vfi_operand_is_blocked(&op->dst) && op->dst.block != block)
        return vfi_op_refuse(op, error, "the result has blocks of the wrong size");
    return true;
}

static bool check_conv_layouts(const VfiOp *op, GError **error)
{
    bool src_blocked = vfi_operand_is_blocked(&op->src[0]);
    bool dst_blocked = vfi_operand_is_blocked(&op->dst);

    if ((src_blocked || dst_blocked) && op->u.conv.groups != 1 &&
        !(src_blocked && dst_blocked && vfi_winograd_suits(op)))
        return vfi_op_refuse(op, error,
                             "operands must be planar where groups are not whole blocks");
    if (dst_blocked && op->u.conv.activation.kind == VFI_ACTIVATION_SIGMOID)
        return vfi_op_refuse(op, error, "the result must be planar after a sigmoid");
    if (op->n_src == 2 && vfi_operand_is_blocked(&op->src[1]) != dst_blocked)
        return vfi_op_refuse(op, error, "the residual is not laid out as the result");
    return true;
}

static bool check_storage(const VfiOp *op, GError **error)
{
    bool any = op->dst.half;

    for (int i = 0; i < op->n_src; i++)
        any = any || op->src[i].half;
    if (op->kind == VFI_OP_CONVERT)
        return op->src[0].half != op->dst.half
                   ? true
                   : vfi_op_refuse(op, error, "one operand must be f16, the other f32");
    return any ? vfi_op_refuse(op, error, "operands must be f32") : true;
}

bool vfi_cpu_op_check(const VfiOp *op, int block, GError **error)
{
    return vfi_op_check(op, VFI_LAYOUT_BLOCKS, error) && check_blocks(op, block, error) &&
           (!vfi_op_is_conv(op) || check_conv_layouts(op, error)) &&
           check_storage(op, error);
}
