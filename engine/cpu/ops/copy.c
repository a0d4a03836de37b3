/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* COPY: as it is, or from planes to channel blocks or back, which a plan puts between
 * ops that want different layouts. A chunk of the latter is some rows of one channel
 * block. */
#include "cpu/ops/elementwise.h"

#include <string.h>

/* Floats of one chunk, about. */
#define CHUNK_FLOATS 65536

typedef struct {
    int rows;            /* most of a chunk */
    int bands, n_blocks; /* chunks of a block; blocks */
} Reorder;

static bool reorder_accepts(const VfiOp *op, const VfiCpuKernels *kernels)
{
    (void)kernels;
    return vfi_operand_is_blocked(&op->dst) != vfi_operand_is_blocked(&op->src[0]);
}

static bool reorder_prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape shape = ready->op.dst.shape;
    int block = ready->kernels->vector_floats;
    Reorder *state = g_new0(Reorder, 1);

    (void)error;
    ready->state = state;
    state->rows = CLAMP(CHUNK_FLOATS / block / shape.w, 1, shape.h);
    state->bands = vfi_ceil_div(shape.h, state->rows);
    state->n_blocks = vfi_ceil_div(shape.c, block);
    ready->n_chunks = state->bands * state->n_blocks;
    return true;
}

static void reorder_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                          int thread)
{
    const Reorder *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape shape = op->dst.shape;
    int block = ready->kernels->vector_floats;
    int b = index / state->bands, y = index % state->bands * state->rows;
    size_t plane = (size_t)shape.h * (size_t)shape.w;
    int channels = MIN(block, shape.c - b * block);
    bool to_blocks = vfi_operand_is_blocked(&op->dst);
    float *planes =
        vfi_operand_row(run, to_blocks ? &op->src[0] : &op->dst, b * block, y);
    float *blocks = vfi_operand(run, to_blocks ? &op->dst : &op->src[0]) +
                    ((size_t)b * plane + (size_t)y * (size_t)shape.w) * (size_t)block;
    (void)thread;

    for (int end = MIN(y + state->rows, shape.h); y < end; y++) {
        if (to_blocks) {
            VfiBlockRow row = {blocks, planes, plane, shape.w, channels};
            ready->kernels->block_row(&row);
        } else {
            VfiUnblockRow row = {.dst = planes,
                                 .src = blocks,
                                 .dst_pitch = plane,
                                 .w = shape.w,
                                 .stride = 1,
                                 .n = shape.w,
                                 .channels = channels};
            ready->kernels->unblock_row(&row);
        }
        planes += shape.w;
        blocks += (size_t)shape.w * (size_t)block;
    }
}

static void copy(const VfiCpuOp *op, const VfiCpuRun *run, int channel, float *dst,
                 const float *const *src, size_t n)
{
    (void)op;
    (void)run;
    (void)channel;
    if (dst != src[0])
        memmove(dst, src[0], n * sizeof *dst);
}

static const VfiCpuAlgorithm reorder = {
    .name = "reorder",
    .accepts = reorder_accepts,
    .prepare = reorder_prepare,
    .chunk = reorder_chunk,
};

static const VfiCpuAlgorithm copy_elements = VFI_ELEMENTWISE("copy", copy);

const VfiCpuAlgorithm *const vfi_cpu_copy[] = {&reorder, &copy_elements, NULL};
