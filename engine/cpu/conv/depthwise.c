/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution of each channel by itself (as many groups as channels), 3 × 3 and of stride
 * 1, between channel blocks. A chunk is some rows of one block. There are nine
 * multiply-adds for eight bytes, so this is a matter of memory and not of arithmetic. */
#include <string.h>

#include "base/alloc.h"
#include "cpu/conv/blocks.h"
#include "cpu/conv/conv.h"
#include "cpu/pack.h"

#define TAPS 9

/* Floats of a chunk's result, about: half a millisecond, and so many rows that the two
 * which neighbours read again count for little. */
#define CHUNK_FLOATS (512 * 1024)

typedef struct {
    int rows;  /* most of a chunk */
    int bands; /* chunks of a block */
    int n_blocks;
    float *epilogues;
} Depthwise;

static size_t weight_bytes(const VfiCpuOp *ready)
{
    const Depthwise *d = ready->state;

    return (size_t)d->n_blocks * TAPS * (size_t)ready->kernels->vector_floats *
           sizeof(float);
}

/* [block][tap][channel in the block]. */
static void pack_weights(const VfiCpuOp *ready, void *to)
{
    const VfiConvParams *p = &ready->op.u.conv;
    int block = ready->kernels->vector_floats;
    float *packed = to;

    memset(to, 0, weight_bytes(ready)); /* channels beyond the last */
    for (int c = 0; c < ready->op.dst.shape.c; c++) {
        const float *filter = p->weight + vfi_conv_filter(p, c, 0, 1) * TAPS;
        for (int tap = 0; tap < TAPS; tap++)
            packed[((size_t)(c / block) * TAPS + (size_t)tap) * (size_t)block +
                   (size_t)(c % block)] = filter[tap];
    }
}

static bool depthwise_prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape shape = ready->op.dst.shape;
    int block = ready->kernels->vector_floats;
    Depthwise *d = g_new0(Depthwise, 1);
    double row = (double)shape.w * block;

    ready->state = d;
    d->n_blocks = vfi_ceil_div(shape.c, block);
    d->rows = (int)CLAMP(CHUNK_FLOATS / row, 1.0, (double)shape.h);
    d->bands = vfi_ceil_div(shape.h, d->rows);
    if (!vfi_cpu_set_chunks(ready, (double)d->bands * d->n_blocks, error))
        return false;
    ready->scratch_bytes = (size_t)shape.w * (size_t)block * sizeof(float);
    d->epilogues = vfi_block_epilogue_new(&ready->op.u.conv, shape.c, block, error);
    return d->epilogues != NULL &&
           vfi_cpu_op_pack(ready, "depthwise", weight_bytes(ready), pack_weights, error);
}

static void depthwise_clear(VfiCpuOp *ready)
{
    Depthwise *d = ready->state;

    vfi_free(d->epilogues);
}

static void depthwise_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                            int thread)
{
    const Depthwise *d = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape shape = op->dst.shape;
    int block = ready->kernels->vector_floats, b = index / d->bands;
    int y = index % d->bands * d->rows, end = MIN(y + d->rows, shape.h);
    size_t line = (size_t)shape.w * (size_t)block;
    const float *src = vfi_operand_block(run, &op->src[0], b);
    float *zeros = vfi_thread_scratch(run, thread);
    VfiDepthwiseRow row = {
        .epilogue = vfi_block_epilogue(d->epilogues, &op->u.conv, shape.c, block, b),
        .weight = (const float *)ready->packed + (size_t)b * TAPS * (size_t)block,
        .n = shape.w,
    };

    memset(zeros, 0, line * sizeof *zeros);
    for (; y < end; y++) {
        for (int k = 0; k < 3; k++) {
            int from = y + k - 1;
            row.src[k] = from >= 0 && from < shape.h ? src + (size_t)from * line : zeros;
        }
        row.dst = vfi_operand_block(run, &op->dst, b) + (size_t)y * line;
        if (op->u.conv.residual != VFI_RESIDUAL_NONE)
            row.residual = vfi_operand_block(run, &op->src[1], b) + (size_t)y * line;
        ready->kernels->depthwise_row(&row);
    }
}

bool vfi_depthwise_suits(const VfiOp *op)
{
    const VfiConvParams *p = &op->u.conv;
    int in = op->src[0].shape.c; /* 0: not known yet */

    return op->kind == VFI_OP_CONV && p->groups > 1 && p->groups == p->out &&
           (in == 0 || in == p->groups) && p->kernel_h == 3 && p->kernel_w == 3 &&
           p->stride == 1 && p->pad_top == 1 && p->pad_left == 1 && p->pad_bottom == 1 &&
           p->pad_right == 1 && p->activation.kind != VFI_ACTIVATION_SIGMOID;
}

static bool depthwise_accepts(const VfiOp *op, const VfiCpuKernels *kernels)
{
    return kernels->depthwise_row != NULL && vfi_operand_is_blocked(&op->dst) &&
           vfi_operand_is_blocked(&op->src[0]) &&
           (op->n_src < 2 || vfi_operand_is_blocked(&op->src[1])) &&
           vfi_depthwise_suits(op);
}

const VfiCpuAlgorithm vfi_cpu_conv_depthwise = {
    .name = "depthwise",
    .accepts = depthwise_accepts,
    .prepare = depthwise_prepare,
    .chunk = depthwise_chunk,
    .clear = depthwise_clear,
};
