/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations: what a planned program consists of. The graph builds them, the plan fuses and
 * places them, a backend runs them. Tensors are f32, one image: shape C × H × W, planar, each
 * channel plane H*W contiguous floats, channels contiguous after each other; so a run of
 * channels is a view of the same form. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Channels, height, width. The batch is always one. */
typedef struct {
    int c, h, w;
} VfiShape;

static inline size_t vfi_shape_elements(VfiShape s)
{
    return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

typedef enum {
    VFI_OP_CONV,           /* 2-D convolution with fused epilogue */
    VFI_OP_CONV_TRANSPOSE, /* transposed convolution with fused epilogue */
    VFI_OP_ACTIVATE,       /* activation alone */
    VFI_OP_ADD,            /* dst = scale * (src0 + src1) */
    VFI_OP_SUB,     /* dst = scale * (src0 - src1); src1 may have one channel for all */
    VFI_OP_MUL,     /* dst = src0 * src1; src1 may have one channel for all */
    VFI_OP_AFFINE,  /* dst = src0 * mul + add */
    VFI_OP_CLAMP,   /* dst = min(max(src0, low), high) */
    VFI_OP_COPY,    /* dst = src0 (a piece of a concat that could not be a view) */
    VFI_OP_CONVERT, /* dst = src0, one of them f16, the other f32; of one layout */
    VFI_OP_RESIZE,  /* bilinear, half-pixel centres, no antialias; values times mul */
    VFI_OP_AVG_POOL, /* mean of 2 × 2 pixels, stride 2; odd rows and columns are left out */
    VFI_OP_NEAREST, /* pixel (y, x) is src0's pixel floor(y * in / out), the same for x */
    /* a 2 × 2 convolution of an enlargement of src0, from its products with the four places of
     * the kernel: channel o at (y, x) is bias + the sum over ky, kx of channel
     * (2 * ky + kx) * C + o of NEAREST(src0) at (y + ky, x + kx), where that is inside */
    VFI_OP_UPSAMPLE_CONV_SUM,
    VFI_OP_PIXEL_SHUFFLE, /* dst[c, 2y+i, 2x+j] = src0[4c+2i+j, y, x] */
    VFI_OP_WARP, /* backward warp of src0 by the flow src1 (2 × H × W, pixels) */
    VFI_OP_TIME, /* dst = t * mul + add everywhere; t is the in-between's time */
    VFI_OP_IMAGE_MEAN, /* dst = mean * mul + add everywhere; mean is that of the pair's frames */
    VFI_OP_MAX_ABS, /* scalar read back by the host: max |src0| */
    VFI_OP_KIND_COUNT
} VfiOpKind;

typedef enum {
    VFI_ACTIVATION_NONE,
    VFI_ACTIVATION_PRELU,   /* x < 0 ? slope[c] * x : x */
    VFI_ACTIVATION_LEAKY,   /* x < 0 ? leak * x : x */
    VFI_ACTIVATION_SIGMOID, /* 1 / (1 + exp(-x)) */
} VfiActivationKind;

typedef struct {
    VfiActivationKind kind;
    const float *slope; /* PRELU: one a channel */
    float leak;         /* LEAKY */
} VfiActivation;

/* What follows a convolution, in this order: + bias, + residual (BEFORE), activation,
 * + residual (AFTER). The residual is the op's src[1], of dst's shape. */
typedef enum {
    VFI_RESIDUAL_NONE,
    VFI_RESIDUAL_BEFORE_ACTIVATION,
    VFI_RESIDUAL_AFTER_ACTIVATION,
} VfiResidual;

/* Channels @first … @first + @count - 1. */
typedef struct {
    int first, count;
} VfiChannelRun;

/* Most runs of input channels that a convolution takes of its weight. */
#define VFI_CONV_MAX_RUNS 4

/* VFI_OP_CONV: weight [out][in/groups][kernel_h][kernel_w]; zero padding.
 *   out size = (in + pad_begin + pad_end - kernel) / stride + 1 in each direction.
 * VFI_OP_CONV_TRANSPOSE: weight [in][weight_out][kernel_h][kernel_w]; output pixel (y,x) collects input
 *   (iy,ix) with y = iy*stride - pad_top + ky; out size = (in-1)*stride - 2*pad + kernel. */
typedef struct {
    const float *weight; /* lives as long as the model */
    const float *bias;   /* one an output channel, or NULL */
    int kernel_h, kernel_w;
    int stride;
    int pad_top, pad_left, pad_bottom, pad_right;
    int groups;
    int weight_out; /* CONV_TRANSPOSE: channels of weight, the first of which are dst's; 0: as many */
    /* CONV of one group that sees a part of the weight's input channels: how many the weight
     * has, and the runs of them that the op's channels are, in order. 0: all. */
    int weight_in;
    int n_runs;
    VfiChannelRun runs[VFI_CONV_MAX_RUNS];
    /* CONV of 1 × 1 and one group whose output channel t * tap_channels + o takes place t of
     * the @taps places that the weight's larger kernel has, to its output channel o. 0: not. */
    int taps, tap_channels;
    bool tolerates_bf16; /* may be rounded to it where the precision is bf16 */
    VfiActivation activation;
    VfiResidual residual;
} VfiConvParams;

/* Where in a CONV's weight the filter from its input channel @i, of @in in the group, to
 * output channel @o is: filters of the op's own size before it. */
static inline size_t vfi_conv_filter(const VfiConvParams *p, int o, int i, int in)
{
    int run = 0, tap = 0;

    if (p->taps > 0) {
        tap = o / p->tap_channels;
        o %= p->tap_channels;
    }
    if (p->weight_in > 0) {
        while (i >= p->runs[run].count)
            i -= p->runs[run++].count;
        i += p->runs[run].first;
        in = p->weight_in;
    }
    size_t filter = (size_t)o * (size_t)in + (size_t)i;
    return p->taps > 0 ? filter * (size_t)p->taps + (size_t)tap : filter;
}

/* Most inputs that an op reads. */
#define VFI_OP_MAX_SOURCES 2

/* Memory that operands lie in, bound anew at each run: the stage's own arena, what is kept
 * for each frame (its prepared image, the results of the per-frame stage), and what is kept for
 * the pair (the results of the per-pair stage). A frame stage sees its frame as FRAME0; the
 * other stages see the pair's frames, oldest first. VFI_REGION_ROWS is
 * not memory: what lies there is seen by one row group only (plan.h), whose runner keeps some
 * rows of it; offsets count as if all rows were there. */
typedef enum {
    VFI_REGION_ARENA,
    VFI_REGION_FRAME0,
    VFI_REGION_PAIR = VFI_REGION_FRAME0 + 8,
    VFI_MAX_REGIONS,
    VFI_REGION_ROWS = VFI_MAX_REGIONS,
} VfiRegion;

/* Where what is kept for frame @frame lies. */
static inline VfiRegion vfi_frame_region(int frame)
{
    return (VfiRegion)(VFI_REGION_FRAME0 + frame);
}

/* One operand or result: where it lies, what shape it has, and how it is laid out. Planar
 * (block 0 or 1): one plane a channel. Blocked: [channel blocks][h][w][block], the channels
 * rounded up to whole blocks, those that are too many hold zeros. Channels last, where the
 * plan's target asks for that: one block of all channels, or more where the operand is a part
 * of them; the offset then leads to its first channel. A part begins at a multiple of eight
 * channels where a CONV or CONV_TRANSPOSE takes it as its source, else anywhere. */
typedef struct {
    VfiShape shape;
    VfiRegion region;
    size_t offset; /* bytes from the start of the region, a multiple of an element's */
    int block;     /* channels that lie side by side at each pixel */
    bool half;     /* f16 instead of f32; who takes such but CONVERT says plan.h */
    /* Channels last, of a result: another part begins right behind its last channel. Else
     * whoever writes that channel also writes zeros up to the next multiple of eight. */
    bool followed;
} VfiOperand;

static inline bool vfi_operand_is_blocked(const VfiOperand *operand)
{
    return operand->block > 1;
}

/* Floats that a tensor of @shape takes in blocks of @block channels. */
static inline size_t vfi_shape_floats(VfiShape shape, int block)
{
    int channels = block > 1 ? (shape.c + block - 1) / block * block : shape.c;

    return (size_t)channels * (size_t)shape.h * (size_t)shape.w;
}

typedef struct {
    VfiOpKind kind;
    int n_src;
    VfiOperand src[VFI_OP_MAX_SOURCES];
    VfiOperand dst;   /* MAX_ABS: shape 1×1×1, no memory */
    const char *name; /* for errors, profiles: the weight's key or the kind */
    union {
        VfiConvParams conv;       /* CONV, CONV_TRANSPOSE */
        VfiActivation activation; /* ACTIVATE */
        struct {
            float mul, add;
        } affine; /* AFFINE, TIME, IMAGE_MEAN; mul alone: ADD, SUB (scale), RESIZE */
        struct {
            float low, high;
        } clamp;    /* CLAMP */
        int scalar; /* MAX_ABS: index of the scalar that is written */
    } u;
} VfiOp;

/* Whether it is a convolution, transposed or not. */
static inline bool vfi_op_is_conv(const VfiOp *op)
{
    return op->kind == VFI_OP_CONV || op->kind == VFI_OP_CONV_TRANSPOSE;
}

/* Output channels of a CONV_TRANSPOSE's weight. */
static inline int vfi_conv_transpose_weight_channels(const VfiOp *op)
{
    return op->u.conv.weight_out != 0 ? op->u.conv.weight_out : op->dst.shape.c;
}

/* Name of a kind for messages: "conv", "warp", … */
const char *vfi_op_kind_to_string(VfiOpKind kind);
