/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the simulated cuDNN's tensors hold, to and from the f32 buffers of the CPU's kernels. Those
 * are planes, or blocks of channels: [c / block][h][w][block]. */
#pragma once

#include "cudnn_convolution.h"

/* As an engine of that math sees factors. */
void vfi_simulated_round_factors(VfiSimulatedMath math, float *values, size_t n);

/* Picture @n of src, as factors, into such a buffer of blocks; @block 0: planes. */
void vfi_simulated_load(const VfiSimulatedConvolution *convolution, VfiSimulatedMath math,
                        int block, const void *src, int n, float *to);

/* Sums into picture @n of dst: @factor * sum + beta * what is there. */
void vfi_simulated_store(const VfiSimulatedConvolution *convolution, float factor,
                         int block, const float *from, int n, void *dst);
