/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the simulated cuDNN computes: convolutions of tensors, planar or channels last, by
 * the engine's own CPU kernels. */
#pragma once

#include "cudnn_values.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A convolution and the filters that it has prepared; users of the same convolution share
 * it. Any thread. */
typedef struct VfiSimulatedConvolver VfiSimulatedConvolver;

/* NULL if the CPU's kernels cannot do it. */
VfiSimulatedConvolver *
vfi_simulated_convolver_new(const VfiSimulatedConvolution *convolution,
                            VfiSimulatedMath math);
void vfi_simulated_convolver_free(VfiSimulatedConvolver *convolver);

/* @filter is [K][kernel_h][kernel_w][C], or planar [K][C][kernel_h][kernel_w]: K is dst's
 * channels and C src's, per group; the other way round if transposed. Aborts when memory
 * runs out. */
void vfi_simulated_convolve(VfiSimulatedConvolver *convolver, const void *src,
                            const void *filter, void *dst);

#ifdef __cplusplus
}
#endif
