/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Planned convolutions (CONV and CONV_TRANSPOSE) as cuDNN sees them. Pure functions. */
#pragma once

#include "conv/conv_shape.h"

/* The limit of a convolution's workspace. Engines that want more transform or copy whole
 * tensors, and would take memory that the next session needs. */
#define VFI_CUDA_WORKSPACE_LIMIT ((size_t)128 << 20)

/* Bytes of an element of a convolution's tensors. */
size_t vfi_cuda_element_bytes(VfiCudaConvMath math);

/* The pixel stride of the sums that a CONV or CONV_TRANSPOSE writes to memory of their
 * own (0: planar). */
int vfi_cuda_sums_stride(VfiCudaConvMath math, const VfiOp *op);

/* Whether the sums must be written elsewhere than the result, because that has another
 * layout, is a part of a tensor, or holds the residual. */
bool vfi_cuda_needs_scratch(VfiCudaConvMath math, const VfiOp *op);

/* The shape that cuDNN is told. */
bool vfi_cuda_shape_of_op(VfiCudaConvMath math, const VfiOp *op, VfiCudaConvShape *shape,
                          GError **error);
