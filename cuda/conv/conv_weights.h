/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights in the order that cuDNN wants. */
#pragma once

#include <stddef.h>

#include "conv/conv_shape.h"

/* Bytes of the packed weights; false with VFI_ERROR_NO_MEMORY on overflow. */
bool vfi_cuda_conv_weight_bytes(const VfiCudaConvShape *shape, size_t *bytes,
                                GError **error);

/* Packs the weights of @op, from which @shape was made, into that many bytes of host
 * memory, f16 or f32. Channels last: [outputs][kernel_h][kernel_w][inputs/groups] for a
 * convolution, [inputs][kernel_h][kernel_w][outputs] for a transposed one. Planar:
 * [outputs][inputs/groups][kernel_h][kernel_w] and [inputs][outputs][kernel_h][kernel_w].
 * Writes every byte. */
void vfi_cuda_conv_pack_weights(const VfiCudaConvShape *shape, const VfiOp *op,
                                void *packed);
