/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv/conv_op.h"

static bool has_planes(VfiCudaConvMath math)
{
    return math == VFI_CUDA_CONV_F32;
}

size_t vfi_cuda_element_bytes(VfiCudaConvMath math)
{
    return math == VFI_CUDA_CONV_F16 ? 2 : 4;
}

int vfi_cuda_sums_stride(VfiCudaConvMath math, const VfiOp *op)
{
    return has_planes(math) ? 0 : vfi_cuda_conv_channels(op->dst.shape.c);
}

static int stride_of(const VfiOperand *operand)
{
    return vfi_operand_is_blocked(operand) ? operand->block : 0;
}

/* Whether the operand is a part of a pixel's channels that a convolution cannot write:
 * the zeros that pad its own channels would overwrite the next part. */
static bool is_within_pixel(const VfiOperand *operand)
{
    size_t group = 8 * (operand->half ? 2 : sizeof(float));

    return vfi_operand_is_blocked(operand) &&
           (operand->followed || operand->offset % group != 0);
}

bool vfi_cuda_needs_scratch(VfiCudaConvMath math, const VfiOp *op)
{
    const VfiOperand *residual = &op->src[1], *dst = &op->dst;

    return stride_of(dst) != vfi_cuda_sums_stride(math, op) || is_within_pixel(dst) ||
           (dst->half && math != VFI_CUDA_CONV_F16) ||
           (op->u.conv.residual != VFI_RESIDUAL_NONE && residual->region == dst->region &&
            residual->offset == dst->offset);
}

bool vfi_cuda_shape_of_op(VfiCudaConvMath math, const VfiOp *op, VfiCudaConvShape *shape,
                          GError **error)
{
    return vfi_cuda_conv_shape_init(shape, op, math, stride_of(&op->src[0]),
                                    vfi_cuda_sums_stride(math, op), error);
}
