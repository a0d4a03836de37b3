/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inner loops of the CPU backend as a table of functions. Plain C fills all of it,
 * each instruction set then overwrites what it does better. Kernels see rows and runs
 * of floats only: no ops, no shapes, no threads. Pointers need the alignment of float
 * only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cpu/flow_kernels.h"
#include "machine/cpu_level.h"
#include "op/op.h"

/* What follows a convolution, for one row of one output channel. */
typedef struct {
    float *dst;            /* [n] */
    const float *acc;      /* [n] sums of products */
    const float *residual; /* [n] or NULL; may be dst */
    VfiResidual residual_place;
    float bias;
    VfiActivationKind activation;
    float slope; /* PRELU, LEAKY: factor of negative values */
    size_t n;
} VfiEpilogueRow;

/* One output row of a bilinear resize to fewer columns: dst[x] = mul * bilinear of two
 * source rows. */
typedef struct {
    float *dst;
    const float *top, *bottom; /* source rows y0, y0+1, [src_w] each */
    float *blend;              /* scratch [src_w + VFI_ROW_SLACK]: the rows blended */
    const int32_t
        *x0; /* [dst_w] left column, ascending; right one is x0+1 (edge repeats) */
    const float *x_weight; /* [dst_w] weight of the right column */
    float y_weight;        /* weight of the bottom row */
    float mul;
    int src_w, dst_w;
} VfiResizeRow;

/* A source row at an enlarged picture's columns, dst[x] = linear between columns x0 and
 * x0+1: the first half of a resize to more columns, done once for all rows that lie
 * between two of the source. */
typedef struct {
    float *dst;
    const float *src; /* [src_w] */
    float *copy;      /* scratch [src_w + VFI_ROW_SLACK] */
    const int32_t *x0;
    const float *x_weight;
    int src_w, dst_w;
} VfiStretchRow;

/* Pixels of one row of a backward warp, all channels. */
typedef struct {
    float *dst;                   /* channel 0, [n] */
    const float *src;             /* channel 0, row 0 */
    const float *x;               /* [n] columns of the pixels, ascending */
    const float *flow_x, *flow_y; /* [n] */
    size_t dst_plane, src_plane;  /* floats from channel to channel */
    int channels, src_w, src_h;
    int y, n;
} VfiWarpRow;

/* Pixels of one row of a backward warp of channel blocks. */
typedef struct {
    float *dst;                   /* block 0, [n][vector_floats] */
    const float *src;             /* block 0, row 0 */
    const float *flow_x, *flow_y; /* [n] */
    size_t dst_plane, src_plane;  /* floats from block to block */
    int blocks, src_w, src_h;
    int x, y, n; /* pixels x … x+n-1 of row y */
} VfiWarpBlocks;

/* One row of a CORRELATION (op/correlation.c) of channel blocks. */
typedef struct {
    float *dst;                    /* place 0, [w] */
    const float *src;              /* block 0, row 0 */
    const float *reference;        /* block 0, row y */
    const float *flow_x, *flow_y;  /* [w] */
    size_t dst_plane;              /* floats from place to place, … */
    size_t plane, reference_plane; /* … from block to block */
    int blocks, w, h, y;
} VfiCorrelationBlocks;

/* What CORRELATION adds to the sums of squares. */
#define VFI_CORRELATION_EPSILON 1e-12f

/* One row of a mean of 2 × 2 pixels, of channel blocks or (block 1) a plane. */
typedef struct {
    float *dst;                /* [n][block] */
    const float *top, *bottom; /* [2 * n][block] */
    size_t n, block;
} VfiPoolRow;

/* Runs of channel blocks, or of a plane, are walked this many floats at a time, which are
 * whole pixels of blocks: of floats i, i + VFI_LANES, … all are of the same channel. */
#define VFI_LANES 16

/* dst[i] = activation(src[i] * factor[i % VFI_LANES] + addend[i % VFI_LANES]), i < n. */
typedef struct {
    float *dst; /* may be src */
    const float *src;
    const float *factor, *addend; /* [VFI_LANES] */
    VfiActivationKind activation; /* NONE, LEAKY, SILU, GELU */
    float leak;
    size_t n;
} VfiScaleShiftRun;

/* Sums by lane: sum[i % VFI_LANES] += src[i], square[…] += src[i]² for i < n. */
typedef struct {
    const float *src;
    double *sum, *square; /* [VFI_LANES] */
    size_t n;
} VfiMomentsRun;

/* Pixels of a plane, normalised over channels: dst[i] = (src[i] - mean[i]) * (factor[i] *
 * weight) + bias. */
typedef struct {
    float *dst; /* may be src */
    const float *src;
    const float *mean, *factor; /* [n] of the pixels; 1 / their standard deviation */
    float weight, bias;         /* of the plane */
    size_t n;
} VfiNormaliseRun;

/* The same of channel blocks, with mean and variance over all channels of each pixel. */
typedef struct {
    float *dst;       /* block 0, [n][vector_floats]; may be src */
    const float *src; /* likewise; zeros behind the last channel, as in dst then */
    const float *weight, *bias; /* [blocks * vector_floats]; zeros likewise */
    size_t plane;               /* floats from block to block */
    size_t n;
    int blocks, channels;
    float eps;
} VfiLayerNormBlocks;

/* One row of an UPSAMPLE_CONV_SUM, of channel blocks or (block 1) a plane: for i < n,
 * c < block
 *   dst[i][c] = bias[c] + tap[0][x[i]][c] + tap[1][x[i + 1]][c] + tap[2] … + tap[3] …;
 * the last pixel has no x[i + 1]. */
typedef struct {
    float *dst;
    const float *tap[4]; /* rows; the last two are NULL in the last row */
    const float *bias;   /* [block] */
    const int32_t *x;    /* [n] */
    size_t n, block;
} VfiTapRow;

/* One block of output channels over a band of flat pixels: for every o < n_out,
 * p < n_flat
 *   acc[o * acc_pitch + p] (+)= Σ_i Σ_t weight[(i * n_taps + t) * n_out + o]
 *                                       * in[i * in_plane + tap_offset[t] + p]
 * Writes up to n_flat rounded up to VFI_ROW_SLACK, and reads as far past the band's end.
 */
typedef struct {
    const float *in;
    const float *weight;
    float *acc;
    const int32_t *tap_offset;
    size_t in_plane, acc_pitch;
    int n_in, n_taps, n_out, n_flat;
    bool adds; /* add to acc, else set it */
} VfiConvBlock;

/* Where some rows of a weight matrix find their inputs. */
typedef struct {
    ptrdiff_t in; /* floats from VfiMultiply.in */
    size_t row;   /* first row of the weight matrix */
} VfiSegment;

/* A product of matrices, pixels by output channels: for p < n_pixels, o < n_vectors *
 * vector_floats
 *   out[p * out_pitch + o] =
 *     Σ_s Σ_{k < length} in[p * in_pitch + segments[s].in + k]
 *                        * weight[(segments[s].row + k) * n_vectors * vector_floats + o]
 * n_vectors is 1 to VFI_MULTIPLY_MAX_VECTORS. Each sum adds its products in the order of
 * the segments, whatever the number of pixels. */
typedef struct {
    const float *in;
    const float *weight;
    float *out;
    const VfiSegment *segments;
    ptrdiff_t in_pitch, out_pitch;
    int n_segments, length;
    int n_pixels, n_vectors;
} VfiMultiply;

#define VFI_MULTIPLY_MAX_VECTORS 3

/* Scores of @n keys for queries that lie side by side, two vectors of them (or of
 * VFI_PLAIN_FLOATS), which become their parts of a softmax: with m the greater of
 * .largest and all scores of a query,
 *   scores = exp(scores - m), keep = exp(largest - m), sum = sum * keep + Σ scores,
 *   largest = m. */
typedef struct {
    float *scores;               /* [n][queries] */
    float *largest, *sum, *keep; /* [queries] */
    int n;
} VfiSoftmaxTile;

/* What values of @n keys add up to by those parts, for a vector of channels (or
 * VFI_PLAIN_FLOATS):
 *   sums[c][query] = Σ_i values[i][c] * parts[i][query]
 * and keep[query] times what was there, unless .keep is NULL. */
typedef struct {
    const float *values; /* [n][channels] */
    const float *parts;  /* [n][queries] */
    const float *keep;   /* [queries] */
    float *sums;         /* [channels][queries] */
    int n;
} VfiWeighTile;

/* Nearest codes of a row's pixels, the first of equally near ones: index[i] is the c that
 * has the least
 *   (x0[i] - codes[3c])² + (x1[i] - codes[3c+1])² + (x2[i] - codes[3c+2])²,
 * each operation rounded; 0 where that is below infinity for none. The same bits at every
 * level. */
typedef struct {
    int32_t *index;    /* [n] */
    const float *x[3]; /* [n] each */
    const float *codes;
    size_t n;
    int n_codes;
} VfiNearestCodes;

/* What follows the sums of one channel block. The activation is x < 0 ? slope * x : x. */
typedef struct {
    const float *bias, *slope; /* [vector_floats] */
    VfiResidual residual_place;
} VfiBlockEpilogue;

/* The epilogue of n pixels of a channel block; dst and residual are pixel_pitch floats
 * apart from pixel to pixel. */
typedef struct {
    VfiBlockEpilogue epilogue;
    float *dst;
    const float *acc;
    const float *residual; /* or NULL */
    size_t acc_pitch, pixel_pitch;
    int n;
} VfiEpiloguePixels;

/* One row of a channel block, convolved by a 3 × 3 kernel for each channel: zero before
 * and behind it, rows @src above, at and below it. */
typedef struct {
    VfiBlockEpilogue epilogue;
    float *dst;            /* [n][vector_floats] */
    const float *src[3];   /* [n][vector_floats] each */
    const float *residual; /* [n][vector_floats] or NULL */
    const float *weight;   /* [3][3][vector_floats] */
    int n;
} VfiDepthwiseRow;

/* Forms of Winograd's algorithm for 3 × 3 kernels. */
typedef enum {
    VFI_WINOGRAD_4,          /* F(4×4, 3×3) */
    VFI_WINOGRAD_6,          /* F(6×6, 3×3) */
    VFI_WINOGRAD_4_STRIDE_2, /* four by four results of stride 2 */
    VFI_WINOGRAD_4_BF16,     /* F(4×4, 3×3) with points in pairs of bf16 */
    VFI_WINOGRAD_FORMS
} VfiWinogradForm;

/* The squares of a form, by their sides. */
typedef struct {
    int stride;
    int tile;  /* results of a tile */
    int patch; /* pixels that they are made of, and points that pixels are turned into */
    int sums;  /* sums of products, which are turned into results */
} VfiWinogradSize;

static const VfiWinogradSize vfi_winograd_sizes[VFI_WINOGRAD_FORMS] = {
    [VFI_WINOGRAD_4] = {1, 4, 6, 6},
    [VFI_WINOGRAD_6] = {1, 6, 8, 8},
    [VFI_WINOGRAD_4_STRIDE_2] = {2, 4, 9, 5},
    [VFI_WINOGRAD_4_BF16] = {1, 4, 6, 6},
};

/* Winograd's algorithm, input side: one tile and channel block. Pixel (y, x) of the
 * patch is src[y * row_pitch + x * vector_floats], its point p goes to dst[p *
 * point_pitch], in pairs of bf16 half as many floats. */
typedef struct {
    const float *src;
    float *dst;
    size_t row_pitch, point_pitch;
} VfiWinogradInput;

/* Output side: the sums of one tile and channel block, src + s * sum_pitch, to a square
 * of pixels with the epilogue; dst and residual have rows row_pitch floats apart. */
typedef struct {
    VfiBlockEpilogue epilogue;
    const float *src;
    float *dst;
    const float *residual; /* or NULL */
    size_t sum_pitch, row_pitch;
} VfiWinogradOutput;

/* Splits one row of a channel block into planes, with zeros around it, taking every
 * stride-th pixel: for i < n, c < channels
 *   dst[c * dst_pitch + i] = 0 ≤ x < w ? src[x * vector_floats + c] : 0
 * where x = x_begin + i * stride. */
typedef struct {
    float *dst;
    const float *src; /* [w][vector_floats], or NULL for a row of zeros */
    size_t dst_pitch;
    int w, x_begin, stride, n, channels;
} VfiUnblockRow;

/* The way back, without borders: dst[x * vector_floats + c] = c < channels ?
 * src[c * src_pitch + x] : 0 for x < w, c < vector_floats. */
typedef struct {
    float *dst;
    const float *src;
    size_t src_pitch;
    int w, channels;
} VfiBlockRow;

/* Copies one row with zeros around it, taking every stride-th element: for c < n
 *   dst[c] = 0 ≤ x < w ? src[x] : 0, x = x_begin + c * stride. */
typedef struct {
    float *dst;
    const float *src; /* [w], or NULL for a row of zeros */
    int w, x_begin, stride, n;
} VfiPackRow;

/* Floats that stand for a vector where a level has none. */
#define VFI_PLAIN_FLOATS 8

/* Floats past the end of a row or band that vector kernels may touch. */
#define VFI_ROW_SLACK 64

/* Most output channels of a VfiConvBlock. */
#define VFI_CONV_MAX_OUT 8

typedef struct {
    /* Element-wise; dst may be one of the sources. */
    void (*add)(float *dst, const float *a, const float *b, float scale, size_t n);
    void (*sub)(float *dst, const float *a, const float *b, float scale, size_t n);
    void (*mul)(float *dst, const float *a, const float *b, size_t n);
    void (*affine)(float *dst, const float *src, float mul, float add, size_t n);
    void (*clamp)(float *dst, const float *src, float low, float high, size_t n);
    void (*leaky)(float *dst, const float *src, float slope, size_t n);
    void (*sigmoid)(float *dst, const float *src, size_t n);
    void (*scale_shift)(const VfiScaleShiftRun *run);
    void (*moments)(const VfiMomentsRun *run);
    /* sum[i] += (src[i] - mean[i])² */
    void (*add_squares)(float *sum, const float *src, const float *mean, size_t n);
    void (*normalise_plane)(const VfiNormaliseRun *run);
    void (*layer_norm_blocks)(const VfiLayerNormBlocks *pixels); /* NULL without blocks */
    /* dst[2i] = even[i], dst[2i+1] = odd[i] for i < n. */
    void (*interleave)(float *dst, const float *even, const float *odd, size_t n);
    /* Bits of the largest |x|; NaN counts as larger than infinity. */
    uint32_t (*max_abs)(const float *src, size_t n);
    /* Of all @n, in double. */
    double (*sum)(const float *src, size_t n);
    /* f32 to f16, rounded to nearest even, beyond ±65504 that; NaN stays NaN. And
     * back. */
    void (*narrow)(uint16_t *dst, const float *src, size_t n);
    void (*widen)(float *dst, const uint16_t *src, size_t n);
    void (*epilogue)(const VfiEpilogueRow *row);
    void (*softmax_tile)(const VfiSoftmaxTile *tile);
    void (*weigh_tile)(const VfiWeighTile *tile);
    void (*nearest_codes)(const VfiNearestCodes *row);
    /* The second half of a resize to more columns: mul * (a + weight * (b - a)). */
    void (*blend_rows)(float *dst, const float *a, const float *b, float weight,
                       float mul, size_t n);

    void (*resize_row)(const VfiResizeRow *row);
    void (*stretch_row)(const VfiStretchRow *row);
    void (*warp_row)(const VfiWarpRow *row);
    void (*warp_blocks)(const VfiWarpBlocks *row); /* NULL at a level without blocks */
    void (*correlation_blocks)(const VfiCorrelationBlocks *row); /* likewise */
    void (*pool_row)(const VfiPoolRow *row);
    void (*tap_row)(const VfiTapRow *row);

    /* Direct convolution. NULL at a level without one; then the reference is taken. */
    void (*conv_block)(const VfiConvBlock *block);
    void (*pack_row)(const VfiPackRow *row);
    void (*unblock_row)(const VfiUnblockRow *row);
    void (*block_row)(const VfiBlockRow *row);
    /* Convolution to channel blocks of vector_floats; NULL at a level without. */
    void (*multiply)(const VfiMultiply *product);
    int multiply_rows; /* pixels that multiply does best with: a multiple of this */
    /* The same on pairs of bf16, in and weight holding a pair in place of a float;
     * NULL, as the transforms of bf16 forms, where the CPU cannot. */
    void (*multiply_bf16)(const VfiMultiply *product);
    void (*epilogue_pixels)(const VfiEpiloguePixels *pixels);
    void (*depthwise_row)(const VfiDepthwiseRow *row);
    void (*winograd_input[VFI_WINOGRAD_FORMS])(const VfiWinogradInput *input);
    void (*winograd_output[VFI_WINOGRAD_FORMS])(const VfiWinogradOutput *output);
    int conv_out_block; /* output channels that conv_block does best with */
    int vector_floats; /* floats of a vector; conv_block rounds n_flat up to a multiple */

    VfiFlowKernels flow;
} VfiCpuKernels;

/* Each overwrites the entries that its level improves. */
void vfi_cpu_kernels_fill_c(VfiCpuKernels *kernels);
void vfi_cpu_kernels_fill_avx2(VfiCpuKernels *kernels);
void vfi_cpu_kernels_fill_avx512(VfiCpuKernels *kernels);
void vfi_cpu_kernels_fill_avx512_bf16(VfiCpuKernels *kernels);

/* The table of a level that the machine has. */
const VfiCpuKernels *vfi_cpu_kernels(VfiCpuLevel level);
