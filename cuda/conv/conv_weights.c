/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv/conv_weights.h"

#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "base/f16.h"

/* The layout of the packed filter: the lengths of cuDNN's first and second axis, and the
 * strides of these and from tap to tap, in elements. */
typedef struct {
    size_t first, last;
    size_t first_stride, last_stride, tap_stride;
} PackedForm;

static PackedForm packed_form(const VfiCudaConvShape *shape)
{
    int first = shape->transposed ? shape->src.c : shape->dst.c;
    int last = (shape->transposed ? shape->dst.c : shape->src.c) / shape->groups;
    size_t taps = (size_t)shape->kernel_h * (size_t)shape->kernel_w;
    bool planar = shape->src.pixel_stride == 0;

    return (PackedForm){
        .first = (size_t)first,
        .last = (size_t)last,
        .first_stride = taps * (size_t)last,
        .last_stride = planar ? taps : 1,
        .tap_stride = planar ? 1 : (size_t)last,
    };
}

static size_t element_size(const VfiCudaConvShape *shape)
{
    return shape->math == VFI_CUDA_CONV_F16 ? sizeof(uint16_t) : sizeof(float);
}

bool vfi_cuda_conv_weight_bytes(const VfiCudaConvShape *shape, size_t *bytes,
                                GError **error)
{
    PackedForm form = packed_form(shape);
    size_t product;

    if (!vfi_size_mul(form.first, form.last, &product) ||
        !vfi_size_mul(product, (size_t)shape->kernel_h, &product) ||
        !vfi_size_mul(product, (size_t)shape->kernel_w, &product) ||
        !vfi_size_mul(product, element_size(shape), bytes)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
                    "the weights of a convolution of %d to %d channels with a kernel of "
                    "%d×%d are larger than memory can be",
                    shape->src.c, shape->dst.c, shape->kernel_h, shape->kernel_w);
        return false;
    }
    return true;
}

/* Stores the taps of one filter from element @at on. */
static void pack_filter(const VfiCudaConvShape *shape, const float *filter, void *packed,
                        size_t at, size_t tap_stride)
{
    size_t taps = (size_t)shape->kernel_h * (size_t)shape->kernel_w;

    if (shape->math == VFI_CUDA_CONV_F16)
        for (size_t tap = 0; tap < taps; tap++)
            ((uint16_t *)packed)[at + tap * tap_stride] = vfi_f16_from_float(filter[tap]);
    else
        for (size_t tap = 0; tap < taps; tap++)
            ((float *)packed)[at + tap * tap_stride] = filter[tap];
}

void vfi_cuda_conv_pack_weights(const VfiCudaConvShape *shape, const VfiOp *op,
                                void *packed)
{
    const VfiConvParams *conv = &op->u.conv;
    PackedForm form = packed_form(shape);
    size_t taps = (size_t)shape->kernel_h * (size_t)shape->kernel_w;
    int out = op->dst.shape.c, group_out = out / conv->groups;
    int group_in = op->src[0].shape.c / conv->groups;
    bool expanded = conv->groups != shape->groups;

    memset(packed, 0, form.first * form.first_stride * element_size(shape));
    for (int o = 0; o < out; o++)
        for (int i = 0; i < group_in; i++) {
            size_t filter, place;
            if (shape->transposed) {
                filter = (size_t)i * (size_t)vfi_conv_transpose_weight_channels(op) +
                         (size_t)o;
                place = (size_t)i * form.first_stride + (size_t)o * form.last_stride;
            } else {
                /* In a block-diagonal weight the group's inputs begin at its own
                 * block. */
                int input = expanded ? o / group_out * group_in + i : i;
                filter = vfi_conv_filter(conv, o, i, group_in);
                place = (size_t)o * form.first_stride + (size_t)input * form.last_stride;
            }
            pack_filter(shape, conv->weight + filter * taps, packed, place,
                        form.tap_stride);
        }
}
