/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv/conv_shape.h"

#include <vfi/error.h>

static VfiCudaConvTensor describe(VfiShape shape, int pixel_stride)
{
    return (VfiCudaConvTensor){
        .c = pixel_stride != 0 ? vfi_cuda_conv_channels(shape.c) : shape.c,
        .h = shape.h,
        .w = shape.w,
        .pixel_stride = pixel_stride,
    };
}

/* Whether each group's channels are a multiple of 8, so that rounding up does not move
 * them and cuDNN can take the groups. */
static bool groups_are_whole(int channels, int groups, int pixel_stride)
{
    return groups == 1 || pixel_stride == 0 ||
           channels / groups % VFI_CUDA_CONV_CHANNELS == 0;
}

bool vfi_cuda_conv_shape_init(VfiCudaConvShape *shape, const VfiOp *op,
                              VfiCudaConvMath math, int src_pixel_stride,
                              int dst_pixel_stride, GError **error)
{
    const VfiConvParams *conv = &op->u.conv;

    if (!vfi_op_is_conv(op)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "%s is an op of kind %d, expected a convolution", op->name, op->kind);
        return false;
    }
    bool whole = groups_are_whole(op->src[0].shape.c, conv->groups, src_pixel_stride) &&
                 groups_are_whole(op->dst.shape.c, conv->groups, dst_pixel_stride);
    *shape = (VfiCudaConvShape){
        .transposed = op->kind == VFI_OP_CONV_TRANSPOSE,
        .math = math,
        .src = describe(op->src[0].shape, src_pixel_stride),
        .dst = describe(op->dst.shape, dst_pixel_stride),
        .kernel_h = conv->kernel_h,
        .kernel_w = conv->kernel_w,
        .stride = conv->stride,
        .pad_top = conv->pad_top,
        .pad_left = conv->pad_left,
        .pad_bottom = conv->pad_bottom,
        .pad_right = conv->pad_right,
        .groups = whole ? conv->groups : 1,
    };
    return true;
}

char *vfi_cuda_conv_shape_key(const VfiCudaConvShape *shape)
{
    static const char *const math_names[] = {
        [VFI_CUDA_CONV_F16] = "f16",
        [VFI_CUDA_CONV_F32] = "f32",
        [VFI_CUDA_CONV_TF32] = "tf32",
    };
    const VfiCudaConvTensor *src = &shape->src, *dst = &shape->dst;

    return g_strdup_printf(
        "%s %s %dx%dx%d:%d to %dx%dx%d:%d kernel %dx%d stride %d pad "
        "%d,%d,%d,%d groups %d",
        shape->transposed ? "conv_transpose" : "conv", math_names[shape->math], src->c,
        src->h, src->w, src->pixel_stride, dst->c, dst->h, dst->w, dst->pixel_stride,
        shape->kernel_h, shape->kernel_w, shape->stride, shape->pad_top, shape->pad_left,
        shape->pad_bottom, shape->pad_right, shape->groups);
}
