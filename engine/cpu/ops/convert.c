/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CONVERT: f32 to f16 or back, in whatever layout. */
#include "cpu/algorithm.h"
#include "op/descriptor.h"

/* Elements of a chunk. */
#define CHUNK ((size_t)1 << 16)

static size_t elements(const VfiOp *op)
{
    return vfi_shape_floats(op->dst.shape, op->dst.block);
}

static bool accepts_any(const VfiOp *op, const VfiCpuKernels *kernels)
{
    (void)op;
    (void)kernels;
    return true;
}

static bool convert_prepare(VfiCpuOp *op, GError **error)
{
    if (op->op.src[0].half == op->op.dst.half)
        return vfi_op_refuse(&op->op, error, "one operand must be f16, the other f32");
    size_t chunks = (elements(&op->op) + CHUNK - 1) / CHUNK;
    return vfi_cpu_set_chunks(op, (double)chunks, error);
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

static const VfiCpuAlgorithm algorithm = {
    .name = "convert",
    .accepts = accepts_any,
    .prepare = convert_prepare,
    .chunk = convert_chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_convert[] = {&algorithm, NULL};
