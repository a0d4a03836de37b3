/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What plans for the device look like, by how convolutions compute. Pure functions. */
#pragma once

#include "conv/conv_shape.h"
#include "plan/plan.h"

/* Most workspace that a convolution may want: more is for transforms and copies of whole tensors,
 * and takes what the next session would use. */
#define VFI_CUDA_WORKSPACE_LIMIT ((size_t)128 << 20)

/* Engines without tensor cores are made for planes, the others for channels last. */
VfiPlanTarget vfi_cuda_target(VfiCudaConvMath math);

/* Bytes of an element of a convolution's tensors. */
size_t vfi_cuda_element_bytes(VfiCudaConvMath math);

/* The pixel stride of the sums that CONV or CONV_TRANSPOSE @op writes, which lie by themselves: 0 in
 * planes. */
int vfi_cuda_sums_stride(VfiCudaConvMath math, const VfiOp *op);

/* Whether these are written elsewhere than the result: that has another layout, is a part of a
 * tensor, or holds the residual. */
bool vfi_cuda_needs_scratch(VfiCudaConvMath math, const VfiOp *op);

/* The shape that cuDNN sees. */
bool vfi_cuda_shape_of_op(VfiCudaConvMath math, const VfiOp *op, VfiCudaConvShape *shape,
                          GError **error);
