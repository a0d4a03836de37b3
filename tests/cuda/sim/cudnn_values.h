/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated cuDNN's tensors, and their values to and from the f32 buffers of the
 * CPU's kernels. Those are planes or NCHWc blocks: [c / block][h][w][block]. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element (n, c, y, x) is at n * batch_stride + c * channel_stride + y * row_stride +
 * x * pixel_stride. Channel or pixel stride is 1. */
typedef struct {
    int c, h, w;
    ptrdiff_t batch_stride, channel_stride, row_stride, pixel_stride;
} VfiSimulatedTensor;

typedef struct {
    bool transposed;
    bool half;    /* tensors and filter are f16, else f32 */
    bool flipped; /* a convolution in the mathematical sense */
    int batch;
    VfiSimulatedTensor src, dst;
    int kernel_h, kernel_w;
    bool planar_filter;
    int stride, groups;
    int pad_top, pad_left, pad_bottom, pad_right;
    float alpha, beta; /* dst = alpha * sum + beta * dst */
} VfiSimulatedConvolution;

/* How exact an engine is. */
typedef enum {
    VFI_SIMULATED_EXACT,      /* f32 products and sums, one rounding to dst's type */
    VFI_SIMULATED_TF32,       /* factors rounded to ten mantissa bits */
    VFI_SIMULATED_F16_INPUTS, /* factors rounded to f16 */
    VFI_SIMULATED_VARYING,    /* results are a little off, by another amount each time */
} VfiSimulatedMath;

/* Rounds factors as an engine of that math does. */
void vfi_simulated_round_factors(VfiSimulatedMath math, float *values, size_t n);

/* Loads picture @n of src, rounded as factors, into such a buffer; @block 0: planes. */
void vfi_simulated_load(const VfiSimulatedConvolution *convolution, VfiSimulatedMath math,
                        int block, const void *src, int n, float *to);

/* Stores sums in picture @n of dst: @factor * sum + beta * what is there. */
void vfi_simulated_store(const VfiSimulatedConvolution *convolution, float factor,
                         int block, const float *from, int n, void *dst);

#ifdef __cplusplus
}
#endif
