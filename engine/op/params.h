/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parameters of ops, a struct per kind or family. Together with the sources' shapes
 * they give the shape of the result (descriptor.h). Arrays belong to the model and
 * outlive the op. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "op/run_inputs.h"

typedef enum {
    VFI_ACTIVATION_NONE,
    VFI_ACTIVATION_PRELU,   /* x < 0 ? slope[c] * x : x */
    VFI_ACTIVATION_LEAKY,   /* x < 0 ? leak * x : x */
    VFI_ACTIVATION_SIGMOID, /* 1 / (1 + exp(-x)) */
    VFI_ACTIVATION_SILU,    /* x / (1 + exp(-x)) */
    VFI_ACTIVATION_GELU,    /* x * Φ(x), Φ the normal distribution's: exact, by erf */
} VfiActivationKind;

/* ACTIVATE, and what convolutions end with: not SILU or GELU, which are SCALE_SHIFT's. */
typedef struct {
    VfiActivationKind kind;
    const float *slope; /* PRELU: one per channel */
    float leak;         /* LEAKY */
} VfiActivation;

/* Whether ACTIVATE computes it, and convolutions may end with it. */
static inline bool vfi_activation_is_short(VfiActivationKind kind)
{
    return kind != VFI_ACTIVATION_SILU && kind != VFI_ACTIVATION_GELU;
}

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

/* CONV: weight [out][in/groups][kernel_h][kernel_w], or a slice of one with three
 *   dimensions (.depth); zero padding;
 *   out size = (in + pad_begin + pad_end - kernel) / stride + 1 in each direction.
 * CONV_TRANSPOSE: weight [in][weight_out][kernel_h][kernel_w]; output pixel (y,x)
 *   collects input (iy,ix) with y = iy*stride - pad_top + ky;
 *   out size = (in-1)*stride - 2*pad + kernel. */
typedef struct {
    const float *weight;
    const float *bias; /* one per output channel, or NULL */
    int out;           /* channels of the result */
    int kernel_h, kernel_w;
    int stride;
    int pad_top, pad_left, pad_bottom, pad_right;
    int groups;
    int weight_out; /* CONV_TRANSPOSE: channels of weight, the first of which are the
                     * result's; 0: as many */
    /* CONV of one group that sees a part of the weight's input channels: how many the
     * weight has, and the runs of them that the op's channels are, in order. 0: all. */
    int weight_in;
    int n_runs;
    VfiChannelRun runs[VFI_CONV_MAX_RUNS];
    /* CONV of 1 × 1 and one group whose output channel t * tap_channels + o takes place
     * t of the @taps places that the weight's larger kernel has, to its output channel
     * o. 0: not. */
    int taps, tap_channels;
    /* CONV whose weight is [out][in/groups][depth][kernel_h][kernel_w], of which it takes
     * slice @slice: a convolution in time is a sum of such, one for each frame that it
     * sees. 0: no such dimension. */
    int depth, slice;
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
    if (p->depth > 0)
        return filter * (size_t)p->depth + (size_t)p->slice;
    return p->taps > 0 ? filter * (size_t)p->taps + (size_t)tap : filter;
}

/* ADD: scale * (src0 + src1). SUB: scale * (src0 - src1), where src1 may have one
 * channel for all; so may MUL's, which has no parameters. */
typedef struct {
    float scale;
} VfiSumParams;

/* AFFINE: src0 * mul + add. */
typedef struct {
    float mul, add;
} VfiAffineParams;

/* FILL: one channel of @height × @width times the run's @input * mul + add. */
typedef struct {
    VfiRunInput input;
    float mul, add;
    int height, width;
} VfiFillParams;

/* NOISE: @channels × @height × @width standard normal numbers, which the run's
 * VfiNoiseInputs and @stream choose (noise.h); height and width are below 65536, there
 * are VFI_NOISE_MAX_CHANNELS and VFI_NOISE_MAX_STREAMS at the most. Each of them is
 * that of a place in the whole image's noise: @reduction pixels of the image in each
 * direction are one of the noise, so that a tile's is a part of it if the tile begins at
 * a multiple of that. The place's x and y must be below 65536, which no frame exceeds. */
#define VFI_NOISE_MAX_CHANNELS 256
#define VFI_NOISE_MAX_STREAMS 64

typedef struct {
    int channels, height, width;
    uint32_t stream; /* ops with different ones are independent of each other */
    int reduction;   /* 1 or more */
} VfiNoiseParams;

/* CLAMP: min(max(src0, low), high) */
typedef struct {
    float low, high;
} VfiClampParams;

/* GROUP_NORM: src0 is a volume of @frames frames of C channels each, channel f * C + c.
 * Over the C / groups channels of a group, in all frames and at all pixels, it finds the
 * mean and the variance (of all, not of a sample), and gives what makes x the normalised
 * x * result[c] + result[C + c]:
 *   factor = weight[c] / sqrt(variance + eps), addend = bias[c] - mean * factor.
 * src1, if there is one, has C scales and C shifts, by which that is then modulated:
 *   factor * (1 + scale[c]), addend * (1 + scale[c]) + shift[c].
 *
 * LAYER_NORM: (x - mean) / sqrt(variance + eps) * weight[c] + bias[c] with mean and
 * variance over all channels of a pixel; .groups and .frames are 0. */
typedef struct {
    int groups, frames;
    float eps;
    const float *weight, *bias; /* [C] */
} VfiNormParams;

/* SCALE_SHIFT: activation(src0 * factor[c mod C] + addend[c mod C]), where src1 has C
 * factors or, if @adds, C factors and then C addends: src0 may be a volume of several
 * frames of C channels each. Without src1: activation(src0). */
typedef struct {
    bool adds;                    /* with src1 */
    VfiActivationKind activation; /* NONE, LEAKY, SILU, GELU */
    float leak;                   /* LEAKY */
} VfiScaleShiftParams;

/* STEP_EMBEDDING: channel i < @channels / 2 is cos(v * f), channel @channels / 2 + i
 * sin(v * f), where v is the run's @input and f = exp(-log(base) * i / (channels / 2)),
 * in 1 × 1. */
typedef struct {
    VfiRunInput input;
    int channels;
    float base;
} VfiStepEmbeddingParams;

/* RESIZE: bilinear to @height × @width, half-pixel centres, no antialias; values times
 * @mul. */
typedef struct {
    int height, width;
    float mul;
} VfiResizeParams;

/* NEAREST: pixel (y, x) of the @height × @width result is src0's pixel (floor(y * in /
 * out), floor(x * in / out)).
 *
 * UPSAMPLE_CONV_SUM: a 2 × 2 convolution of such an enlargement of src0, from its
 * products with the four places of the kernel: channel o at (y, x) is bias + the sum
 * over ky, kx of channel (2 * ky + kx) * C + o of NEAREST(src0) at (y + ky, x + kx),
 * where that is inside. */
typedef struct {
    int height, width;
    const float *bias; /* UPSAMPLE_CONV_SUM: one per channel of the result, or NULL */
} VfiNearestParams;

/* KEEP_INSIDE: src0 where y < floor(IMAGE_HEIGHT * scale) and x < floor(IMAGE_WIDTH *
 * scale), which are run inputs, and @outside elsewhere. */
typedef struct {
    double scale; /* above 0, 1 at most */
    float outside;
} VfiKeepInsideParams;

/* Which pixels of a volume see one another. */
typedef enum {
    VFI_ATTENTION_GLOBAL, /* all of all frames */
    VFI_ATTENTION_BLOCKS, /* those of a square of window × window */
    /* Those at (i * H / window + y, j * W / window + x) for all i, j < window. */
    VFI_ATTENTION_GRID,
} VfiAttentionKind;

/* The largest window. */
#define VFI_ATTENTION_MAX_WINDOW 16

/* ATTENTION of one head: softmax(scale * q·kᵀ + bias)·v, where rows of q, k and v (src0,
 * src1 and src2, of one shape) are pixels of @frames frames, one after the other along
 * channels, and columns a frame's channels. With windows each is a softmax of its own. A
 * pixel whose q, or any of the k that it sees, has a NaN or an infinity gets NaN. */
typedef struct {
    VfiAttentionKind kind;
    int frames;
    int window; /* BLOCKS, GRID: 1 to VFI_ATTENTION_MAX_WINDOW, a divisor of H and W */
    float scale;
    /* BLOCKS, GRID: (2 * window - 1)² numbers, that of (dy + window - 1) * (2 * window -
     * 1) + dx + window - 1 for a query that is dy rows and dx columns of the window after
     * the key; or NULL. */
    const float *bias;
} VfiAttentionParams;

/* Channels of a QUANTIZE's codes. */
#define VFI_CODE_CHANNELS 3

/* QUANTIZE: every three channels z of a pixel become those of the code e with the least
 *   (z0 - e0)² + (z1 - e1)² + (z2 - e2)²,
 * each operation rounded to f32, the first of several; the first of all where no such sum
 * is below infinity. */
typedef struct {
    const float *codes; /* [n_codes][3] */
    int n_codes;
} VfiQuantizeParams;

/* MAX_ABS */
typedef struct {
    int scalar; /* index of the scalar that is written */
} VfiMaxAbsParams;

typedef union {
    VfiConvParams conv;                    /* CONV, CONV_TRANSPOSE */
    VfiActivation activation;              /* ACTIVATE */
    VfiSumParams sum;                      /* ADD, SUB */
    VfiAffineParams affine;                /* AFFINE */
    VfiFillParams fill;                    /* FILL */
    VfiNoiseParams noise;                  /* NOISE */
    VfiClampParams clamp;                  /* CLAMP */
    VfiNormParams norm;                    /* GROUP_NORM, LAYER_NORM */
    VfiScaleShiftParams scale_shift;       /* SCALE_SHIFT */
    VfiStepEmbeddingParams step_embedding; /* STEP_EMBEDDING */
    VfiResizeParams resize;                /* RESIZE */
    VfiNearestParams nearest;              /* NEAREST, UPSAMPLE_CONV_SUM */
    VfiMaxAbsParams max_abs;               /* MAX_ABS */
    VfiKeepInsideParams keep_inside;       /* KEEP_INSIDE */
    VfiAttentionParams attention;          /* ATTENTION */
    VfiQuantizeParams quantize;            /* QUANTIZE */
} VfiOpParams;
