/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/cuda_op.h"

#include "op/descriptor.h"

/* Kernels count pixels in an unsigned. */
#define MAX_SIDE 65535

static const VfiCudaOpEntry *const ops[] = {
#define VFI_CUDA_OP_ENTRY(SUFFIX, identifier)                                            \
    [VFI_OP_##SUFFIX] = &vfi_cuda_op_##identifier,
    VFI_OP_LIST(VFI_CUDA_OP_ENTRY)
#undef VFI_CUDA_OP_ENTRY
};
G_STATIC_ASSERT(G_N_ELEMENTS(ops) == VFI_OP_KIND_COUNT);

const VfiCudaOpEntry *vfi_cuda_op(VfiOpKind kind)
{
    return (unsigned)kind < G_N_ELEMENTS(ops) && ops[kind]->launch != NULL ? ops[kind]
                                                                           : NULL;
}

/* Whether kernels take it: f16 only in layouts where the descriptor has that. */
static bool operand_is_possible(const VfiOperand *operand, unsigned layouts)
{
    unsigned half =
        vfi_operand_is_blocked(operand) ? VFI_LAYOUT_HALF : VFI_LAYOUT_HALF_PLANES;

    return operand->shape.h <= MAX_SIDE && operand->shape.w <= MAX_SIDE &&
           (!operand->half || (layouts & half) != 0);
}

static bool check(const VfiOp *op, GError **error)
{
    const VfiCudaOpEntry *entry = vfi_cuda_op(op->kind);

    if (entry == NULL)
        return vfi_op_refuse(op, error, "there are no kernels for this kind of op");
    if (!vfi_op_check(op, VFI_LAYOUT_CHANNELS_LAST, error))
        return false;
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);
    for (int i = 0; i < op->n_src; i++)
        if (!operand_is_possible(&op->src[i], descriptor->source[i].layouts))
            return vfi_op_refuse(op, error, "source %d is f16, or larger than %d × %d", i,
                                 MAX_SIDE, MAX_SIDE);
    if (!operand_is_possible(&op->dst, descriptor->result))
        return vfi_op_refuse(op, error, "the result is f16, or larger than %d × %d",
                             MAX_SIDE, MAX_SIDE);
    if (vfi_operand_is_blocked(&op->dst) &&
        (descriptor->result & (VFI_LAYOUT_CHANNELS_LAST | VFI_LAYOUT_LIKE_SOURCE)) == 0)
        return vfi_op_refuse(op, error, "the result must be planar");
    return entry->supports == NULL || entry->supports(op, error);
}

bool vfi_cuda_op_check(const VfiOp *op, GError **error)
{
    if (check(op, error))
        return true;
    g_prefix_error(error, "the CUDA backend cannot compute ");
    return false;
}
