/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kinds of ops, one row each: suffix of the enumerator, identifier. The
 * enumerators, the names and every table by kind come from this list. A new kind is a
 * row here, a descriptor vfi_op_IDENTIFIER (descriptor.h), and what each backend lists
 * for it; whatever is forgotten does not link. */
#pragma once

/* clang-format off */
#define VFI_OP_LIST(OP) \
    OP(CONV, conv)                             /* 2-D convolution with fused epilogue */ \
    OP(CONV_TRANSPOSE, conv_transpose)         /* transposed convolution, likewise */ \
    OP(ACTIVATE, activate)                     /* activation alone */ \
    OP(ADD, add)                               /* scale * (src0 + src1) */ \
    OP(SUB, sub)                               /* scale * (src0 - src1) */ \
    OP(MUL, mul)                               /* src0 * src1 */ \
    OP(AFFINE, affine)                         /* src0 * mul + add */ \
    OP(CLAMP, clamp)                           /* min(max(src0, low), high) */ \
    OP(GROUP_NORM, group_norm)                 /* what normalises groups of channels */ \
    OP(SCALE_SHIFT, scale_shift)               /* activated src0 * factor + addend */ \
    OP(CHANNEL_MEAN, channel_mean)             /* mean of each channel */ \
    OP(LAYER_NORM, layer_norm)                 /* each pixel normalised over channels */ \
    OP(STEP_EMBEDDING, step_embedding)         /* a run input as cosines and sines */ \
    OP(COPY, copy)                             /* src0, in whatever layout */ \
    OP(CONVERT, convert)                       /* src0 in the other of f16 and f32 */ \
    OP(RESIZE, resize)                         /* bilinear, half-pixel centres */ \
    OP(AVG_POOL, avg_pool)                     /* mean of 2 × 2 pixels, stride 2 */ \
    OP(NEAREST, nearest)                       /* nearest enlargement */ \
    OP(UPSAMPLE_CONV_SUM, upsample_conv_sum)   /* products of a 2 × 2 convolution */ \
    OP(PIXEL_SHUFFLE, pixel_shuffle)           /* 4 channels to 1 of twice the size */ \
    OP(WARP, warp)                             /* backward warp by the flow src1 */ \
    OP(CORRELATION, correlation)               /* src2 and src0 at 3 × 3 places */ \
    OP(HAAR, haar)                             /* a level of a 3-D wavelet transform */ \
    OP(KEEP_INSIDE, keep_inside)               /* src0 but for its padding */ \
    OP(FILL, fill)                             /* a run input * mul + add everywhere */ \
    OP(NOISE, noise)                           /* standard normal numbers */ \
    OP(ATTENTION, attention)                   /* softmax(scale * q·kᵀ + bias)·v */ \
    OP(QUANTIZE, quantize)                     /* nearest codes of a codebook */ \
    OP(MAX_ABS, max_abs)                       /* max |src0|, for the host to read */
/* clang-format on */

typedef enum {
#define VFI_OP_KIND(SUFFIX, identifier) VFI_OP_##SUFFIX,
    VFI_OP_LIST(VFI_OP_KIND)
#undef VFI_OP_KIND
        VFI_OP_KIND_COUNT
} VfiOpKind;
