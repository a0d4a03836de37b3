/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the simulated cuDNN computes: convolutions of tensors, planar or channels last, by
 * the engine's own CPU kernels. */
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
