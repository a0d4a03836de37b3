/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values between the simulated cuDNN's tensors and the f32 buffers of the CPU's kernels,
 * which are planes or NCHWc blocks: [c / block][h][w][block]. */
#pragma once

#include "cudnn_convolution.h"

/* Rounds factors as an engine of that math does. */
void vfi_simulated_round_factors(VfiSimulatedMath math, float *values, size_t n);

/* Loads picture @n of src, rounded as factors, into such a buffer; @block 0: planes. */
void vfi_simulated_load(const VfiSimulatedConvolution *convolution, VfiSimulatedMath math,
                        int block, const void *src, int n, float *to);

/* Stores sums in picture @n of dst: @factor * sum + beta * what is there. */
void vfi_simulated_store(const VfiSimulatedConvolution *convolution, float factor,
                         int block, const float *from, int n, void *dst);
