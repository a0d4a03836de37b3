/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Element-wise ops: the tensor as one run of floats, cut into chunks of equal size. Where
 * a channel matters (PReLU's slope, a one-channel second source) a chunk is walked
 * channel by channel. */
#include "cpu/algorithm.h"

#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"

/* 128 KiB: a few microseconds of work, and both sources stay in the second-level cache.
 */
#define CHUNK_FLOATS ((size_t)32768)

/* MAX_ABS keeps one partial result a thread, this many bytes apart. */
#define PARTIAL_BYTES 64

static bool set_chunks(VfiCpuOp *op, size_t elements, GError **error)
{
    size_t chunks = elements / CHUNK_FLOATS + (elements % CHUNK_FLOATS != 0);

    if (chunks > G_MAXINT / 2) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "%s of %zu elements is too large", vfi_op_kind_to_string(op->op.kind),
                    elements);
        return false;
    }
    op->n_chunks = (int)chunks;
    return true;
}

static bool elementwise_prepare(VfiCpuOp *op, GError **error)
{
    return set_chunks(op, vfi_shape_elements(op->op.dst.shape), error);
}

static bool max_abs_prepare(VfiCpuOp *op, GError **error)
{
    op->scratch_bytes = PARTIAL_BYTES;
    return set_chunks(op, vfi_shape_elements(op->op.src[0].shape), error);
}

static void activate(const VfiCpuOp *op, const VfiActivation *activation, int channel,
                     float *dst, const float *src, size_t n)
{
    switch (activation->kind) {
    case VFI_ACTIVATION_NONE:
        if (dst != src)
            memmove(dst, src, n * sizeof *dst);
        break;
    case VFI_ACTIVATION_PRELU:
        op->kernels->leaky(dst, src, activation->slope[channel], n);
        break;
    case VFI_ACTIVATION_LEAKY:
        op->kernels->leaky(dst, src, activation->leak, n);
        break;
    case VFI_ACTIVATION_SIGMOID:
        op->kernels->sigmoid(dst, src, n);
        break;
    }
}

static void fill(float *dst, float value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = value;
}

void vfi_elementwise_run(const VfiCpuOp *ready, const VfiCpuRun *run, int channel,
                         float *dst, const float *a, const float *b, size_t n)
{
    const VfiOp *op = &ready->op;
    const VfiCpuKernels *k = ready->kernels;

    switch (op->kind) {
    case VFI_OP_ADD:
        k->add(dst, a, b, op->u.sum.scale, n);
        break;
    case VFI_OP_SUB:
        k->sub(dst, a, b, op->u.sum.scale, n);
        break;
    case VFI_OP_MUL:
        k->mul(dst, a, b, n);
        break;
    case VFI_OP_AFFINE:
        k->affine(dst, a, op->u.affine.mul, op->u.affine.add, n);
        break;
    case VFI_OP_CLAMP:
        k->clamp(dst, a, op->u.clamp.low, op->u.clamp.high, n);
        break;
    case VFI_OP_ACTIVATE:
        activate(ready, &op->u.activation, channel, dst, a, n);
        break;
    case VFI_OP_FILL:
        fill(dst, run->inputs.value[op->u.fill.input] * op->u.fill.mul + op->u.fill.add,
             n);
        break;
    default: /* COPY */
        if (dst != a)
            memmove(dst, a, n * sizeof *dst);
        break;
    }
}

/* Elements @begin … @begin+@n-1, all of one @channel. */
static void run_piece(const VfiCpuOp *ready, const VfiCpuRun *run, int channel,
                      size_t begin, size_t n)
{
    const VfiOp *op = &ready->op;
    VfiShape shape = op->dst.shape;
    const float *a = NULL, *b = NULL;

    if (op->n_src > 0)
        a = vfi_operand(run, &op->src[0]) + begin;
    if (op->kind == VFI_OP_ADD || op->kind == VFI_OP_SUB || op->kind == VFI_OP_MUL) {
        size_t plane = (size_t)shape.h * (size_t)shape.w;
        bool shared = op->src[1].shape.c == 1;
        b = vfi_operand(run, &op->src[1]) +
            (shared ? begin - (size_t)channel * plane : begin);
    }
    vfi_elementwise_run(ready, run, channel, vfi_operand(run, &op->dst) + begin, a, b, n);
}

static void elementwise_chunk(const VfiCpuOp *op, const VfiCpuRun *run, int index,
                              int thread)
{
    VfiShape shape = op->op.dst.shape;
    size_t total = vfi_shape_elements(shape), plane = (size_t)shape.h * (size_t)shape.w;
    size_t begin = (size_t)index * CHUNK_FLOATS;
    size_t end = MIN(begin + CHUNK_FLOATS, total);

    (void)thread;
    while (begin < end) {
        size_t channel = begin / plane;
        size_t n = MIN(end, (channel + 1) * plane) - begin;
        run_piece(op, run, (int)channel, begin, n);
        begin += n;
    }
}

const VfiCpuAlgorithm vfi_cpu_elementwise = {
    .name = "elementwise",
    .prepare = elementwise_prepare,
    .chunk = elementwise_chunk,
};

static uint32_t *partial(const VfiCpuRun *run, int thread)
{
    return (uint32_t *)(void *)vfi_thread_scratch(run, thread);
}

static void max_abs_begin(const VfiCpuOp *op, const VfiCpuRun *run)
{
    (void)op;
    for (int i = 0; i < vfi_pool_threads(run->pool); i++)
        *partial(run, i) = 0;
}

static void max_abs_chunk(const VfiCpuOp *op, const VfiCpuRun *run, int index, int thread)
{
    size_t begin = (size_t)index * CHUNK_FLOATS;
    size_t n = MIN(vfi_shape_elements(op->op.src[0].shape) - begin, CHUNK_FLOATS);
    const float *src = vfi_operand(run, &op->op.src[0]) + begin;
    uint32_t largest = op->kernels->max_abs(src, n);

    *partial(run, thread) = MAX(*partial(run, thread), largest);
}

static void max_abs_end(const VfiCpuOp *op, const VfiCpuRun *run)
{
    uint32_t largest = 0;

    for (int i = 0; i < vfi_pool_threads(run->pool); i++)
        largest = MAX(largest, *partial(run, i));
    memcpy(&run->scalars[op->op.u.max_abs.scalar], &largest, sizeof largest);
}

const VfiCpuAlgorithm vfi_cpu_max_abs = {
    .name = "max_abs",
    .prepare = max_abs_prepare,
    .chunk = max_abs_chunk,
    .begin = max_abs_begin,
    .end = max_abs_end,
};
