/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution and transposed convolution as their definitions say: one output row of one
 * channel at a time, sums in scratch. Any kernel, stride, padding, groups. */
#include "cpu/conv/conv.h"

#include <string.h>

/* Multiply-adds of one chunk, about: some milliseconds at this code's speed. */
#define CHUNK_PRODUCTS 8e6

/* A chunk is a rectangle of one output channel. */
typedef struct {
    int rows, cols;       /* most of a chunk */
    int bands_y, bands_x; /* chunks per channel */
} ReferenceState;

static bool reference_prepare(VfiCpuOp *op, GError **error)
{
    const VfiConvParams *p = &op->op.u.conv;
    VfiShape in = op->op.src[0].shape, out = op->op.dst.shape;
    ReferenceState *state = g_new0(ReferenceState, 1);
    double products = (double)in.c / p->groups * p->kernel_h * p->kernel_w;

    op->state = state;
    state->cols = (int)CLAMP(CHUNK_PRODUCTS / products, 1.0, (double)out.w);
    state->rows = (int)CLAMP(CHUNK_PRODUCTS / products / state->cols, 1.0, (double)out.h);
    state->bands_y = vfi_ceil_div(out.h, state->rows);
    state->bands_x = vfi_ceil_div(out.w, state->cols);
    if (!vfi_cpu_set_chunks(op, (double)out.c * state->bands_y * state->bands_x, error))
        return false;
    op->scratch_bytes = (size_t)state->cols * sizeof(float);
    return true;
}

/* Rounds towards minus infinity; @b > 0. */
static int floor_div(int a, int b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* acc[x] += weight * src[x * stride + shift] wherever that is inside [0, src_w). */
static void add_gathered(float *acc, int n, const float *src, int src_w, int stride,
                         int shift, float weight)
{
    int begin = MAX(0, floor_div(-shift + stride - 1, stride));
    int end = MIN(n, floor_div(src_w - 1 - shift, stride) + 1);

    for (int x = begin; x < end; x++)
        acc[x] += weight * src[(ptrdiff_t)x * stride + shift];
}

/* acc[x * stride + shift] += weight * src[x] wherever that is inside [0, n). */
static void add_scattered(float *acc, int n, const float *src, int src_w, int stride,
                          int shift, float weight)
{
    int begin = MAX(0, floor_div(-shift + stride - 1, stride));
    int end = MIN(src_w, floor_div(n - 1 - shift, stride) + 1);

    for (int x = begin; x < end; x++)
        acc[(ptrdiff_t)x * stride + shift] += weight * src[x];
}

/* Sums of columns @x … @x+@n-1 of row @y of output channel @o, a convolution's. */
static void conv_row(const VfiCpuOp *ready, const VfiCpuRun *run, int o, int y, int x,
                     int n, float *acc)
{
    const VfiOp *op = &ready->op;
    const VfiConvParams *p = &op->u.conv;
    VfiShape in = op->src[0].shape, out = op->dst.shape;
    int in_group = in.c / p->groups, first = o / (out.c / p->groups) * in_group;

    for (int i = 0; i < in_group; i++) {
        size_t filter = vfi_conv_filter(p, o, i, in_group);
        for (int ky = 0; ky < p->kernel_h; ky++) {
            int iy = y * p->stride - p->pad_top + ky;
            if (iy < 0 || iy >= in.h)
                continue;
            const float *src = vfi_operand_row(run, &op->src[0], first + i, iy);
            const float *weight =
                p->weight +
                (filter * (size_t)p->kernel_h + (size_t)ky) * (size_t)p->kernel_w;
            for (int kx = 0; kx < p->kernel_w; kx++)
                add_gathered(acc, n, src, in.w, p->stride,
                             x * p->stride + kx - p->pad_left, weight[kx]);
        }
    }
}

/* The same of a transposed convolution. */
static void conv_transpose_row(const VfiCpuOp *ready, const VfiCpuRun *run, int o, int y,
                               int x, int n, float *acc)
{
    const VfiOp *op = &ready->op;
    const VfiConvParams *p = &op->u.conv;
    VfiShape in = op->src[0].shape;

    for (int i = 0; i < in.c; i++) {
        size_t filter =
            (size_t)i * (size_t)vfi_conv_transpose_weight_channels(op) + (size_t)o;
        for (int ky = 0; ky < p->kernel_h; ky++) {
            int from = y + p->pad_top - ky;
            if (from < 0 || from % p->stride != 0 || from / p->stride >= in.h)
                continue;
            const float *src = vfi_operand_row(run, &op->src[0], i, from / p->stride);
            const float *weight =
                p->weight +
                (filter * (size_t)p->kernel_h + (size_t)ky) * (size_t)p->kernel_w;
            for (int kx = 0; kx < p->kernel_w; kx++)
                add_scattered(acc, n, src, in.w, p->stride, kx - p->pad_left - x,
                              weight[kx]);
        }
    }
}

static void reference_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                            int thread)
{
    const ReferenceState *state = ready->state;
    const VfiOp *op = &ready->op;
    const VfiConvParams *p = &op->u.conv;
    VfiShape out = op->dst.shape;
    int x = index % state->bands_x * state->cols;
    int y = index / state->bands_x % state->bands_y * state->rows;
    int y_end = MIN(y + state->rows, out.h), n = MIN(state->cols, out.w - x);
    int o = index / state->bands_x / state->bands_y;
    float *acc = vfi_thread_scratch(run, thread);
    VfiEpilogueRow row = vfi_epilogue_of(p, o);

    row.acc = acc;
    row.n = (size_t)n;
    for (; y < y_end; y++) {
        memset(acc, 0, (size_t)n * sizeof *acc);
        if (op->kind == VFI_OP_CONV)
            conv_row(ready, run, o, y, x, n, acc);
        else
            conv_transpose_row(ready, run, o, y, x, n, acc);
        row.dst = vfi_operand_row(run, &op->dst, o, y) + x;
        if (p->residual != VFI_RESIDUAL_NONE)
            row.residual = vfi_operand_row(run, &op->src[1], o, y) + x;
        ready->kernels->epilogue(&row);
    }
}

const VfiCpuAlgorithm vfi_cpu_conv_reference = {
    .name = "reference",
    .prepare = reference_prepare,
    .chunk = reference_chunk,
};
