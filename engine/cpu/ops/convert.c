/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VFI_OP_CONVERT: f32 to f16 or back, in whatever layout. */
#include "cpu/algorithm.h"

/* Elements of a chunk. */
#define CHUNK ((size_t)1 << 16)

static size_t elements(const VfiOp *op)
{
    return vfi_shape_floats(op->dst.shape, op->dst.block);
}

static bool convert_prepare(VfiCpuOp *op, GError **error)
{
    (void)error;
    op->n_chunks = (int)((elements(&op->op) + CHUNK - 1) / CHUNK);
    return true;
}

static void convert_chunk(const VfiCpuOp *op, const VfiCpuRun *run, int index, int thread)
{
    size_t begin = (size_t)index * CHUNK, n = MIN(CHUNK, elements(&op->op) - begin);
    const VfiOperand *src = &op->op.src[0], *dst = &op->op.dst;

    (void)thread;
    if (dst->half)
        op->kernels->narrow(vfi_half_operand(run, dst) + begin,
                            vfi_operand(run, src) + begin, n);
    else
        op->kernels->widen(vfi_operand(run, dst) + begin,
                           vfi_half_operand(run, src) + begin, n);
}

const VfiCpuAlgorithm vfi_cpu_convert = {
    .name = "convert",
    .prepare = convert_prepare,
    .chunk = convert_chunk,
};
