/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The convolution that cuDNN is asked for, made from an op's. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "op/op.h"

/* The channels of a channels-last tensor are rounded up to a multiple of it; those that
 * are added hold zeros. With less than 8 f16 channels (16 bytes) most tensor-core engines
 * do not work. */
#define VFI_CUDA_CONV_CHANNELS 8

static inline int vfi_cuda_conv_channels(int channels)
{
    return vfi_channels_in_blocks(channels, VFI_CUDA_CONV_CHANNELS);
}

typedef enum {
    VFI_CUDA_CONV_F16, /* f16 tensors, sums in f32, rounded once at the end */
    /* f32 tensors, products and sums in f32. The engines without tensor cores are made
     * for planes: given channels last, they copy both tensors to planes in the
     * workspace. */
    VFI_CUDA_CONV_F32,
    VFI_CUDA_CONV_TF32, /* f32 tensors, factors rounded to ten bits of mantissa */
} VfiCudaConvMath;

/* Channels last: element (channel, y, x) is at (y * w + x) * pixel_stride + channel.
 * Planar (pixel_stride 0): at (channel * h + y) * w + x. A pixel stride larger than c
 * works, but engines then copy the tensor through the workspace: let a convolution write
 * its sums to memory of their own, and the epilogue put them where they belong. */
typedef struct {
    int c, h, w;
    int pixel_stride;
} VfiCudaConvTensor;

/* What cuDNN is told. */
typedef struct {
    bool transposed;
    VfiCudaConvMath math;
    VfiCudaConvTensor src, dst;
    int kernel_h, kernel_w;
    int stride;
    int pad_top, pad_left, pad_bottom, pad_right;
    int groups;
} VfiCudaConvShape;

/* Fills in the convolution that computes the CONV or CONV_TRANSPOSE @op between tensors
 * of those pixel strides (0: planar; else at least vfi_cuda_conv_channels() of the op's
 * channels). Channels of channels-last tensors are rounded up, and all of dst's are
 * written. Groups whose channels are no multiple of 8 then become one group with a
 * block-diagonal weight. False with VFI_ERROR_UNSUPPORTED for other kinds of ops. */
bool vfi_cuda_conv_shape_init(VfiCudaConvShape *shape, const VfiOp *op,
                              VfiCudaConvMath math, int src_pixel_stride,
                              int dst_pixel_stride, GError **error);

/* A text that is the same for equal shapes only: "conv f16 64x360x640:64 …". It has
 * neither '=' nor '[', as keys of key files must not. Free with g_free(). */
char *vfi_cuda_conv_shape_key(const VfiCudaConvShape *shape);
