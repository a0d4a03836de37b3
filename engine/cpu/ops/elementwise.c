/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Element-wise ops: the tensor as one run of floats, cut into chunks of equal size,
 * which are walked channel by channel: a PReLU has a slope per channel, and a second
 * source may have one channel for all. */
#include "cpu/ops/elementwise.h"

#include <string.h>

/* 128 KiB: a few microseconds of work, and both sources stay in the second-level
 * cache. */
#define CHUNK_FLOATS ((size_t)32768)

bool vfi_elementwise_prepare(VfiCpuOp *op, GError **error)
{
    size_t elements = vfi_shape_elements(op->op.dst.shape);
    size_t chunks = (elements + CHUNK_FLOATS - 1) / CHUNK_FLOATS;

    return vfi_cpu_set_chunks(op, (double)chunks, error);
}

/* Whether source @i has one channel for all of the result's. */
static bool is_shared(const VfiOp *op, int i)
{
    return op->src[i].shape.c == 1 && op->dst.shape.c > 1;
}

/* Elements @begin … @begin+@n-1, all of one @channel. */
static void run_piece(const VfiCpuOp *ready, const VfiCpuRun *run, int channel,
                      size_t begin, size_t n)
{
    const VfiOp *op = &ready->op;
    size_t plane = (size_t)op->dst.shape.h * (size_t)op->dst.shape.w;
    const float *src[VFI_OP_MAX_SOURCES] = {NULL};

    for (int i = 0; i < op->n_src; i++)
        src[i] = vfi_operand(run, &op->src[i]) +
                 (is_shared(op, i) ? begin - (size_t)channel * plane : begin);
    ready->algorithm->elements(ready, run, channel, vfi_operand(run, &op->dst) + begin,
                               src, n);
}

void vfi_elementwise_chunk(const VfiCpuOp *op, const VfiCpuRun *run, int index,
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

static void run_band(const VfiCpuOp *ready, const VfiCpuBand *band)
{
    const VfiOp *op = &ready->op;
    VfiCpuBandRows dst = vfi_band_rows(band, &op->dst), rows[VFI_OP_MAX_SOURCES];
    size_t n = (size_t)band->n * (size_t)band->picture->columns;
    const float *src[VFI_OP_MAX_SOURCES] = {NULL};

    for (int i = 0; i < op->n_src; i++) {
        rows[i] = vfi_band_rows(band, &op->src[i]);
        if (is_shared(op, i))
            rows[i].plane = 0;
    }
    for (int c = 0; c < op->dst.shape.c; c++) {
        for (int i = 0; i < op->n_src; i++)
            src[i] = rows[i].first + (size_t)c * rows[i].plane;
        ready->algorithm->elements(ready, band->run, c, dst.first + (size_t)c * dst.plane,
                                   src, n);
    }
}

const VfiCpuBandAlgorithm vfi_elementwise_band = {.run = run_band};

/* ---- the kinds --------------------------------------------------------------------- */

static void activate(const VfiCpuOp *op, const VfiCpuRun *run, int channel, float *dst,
                     const float *const *src, size_t n)
{
    const VfiActivation *activation = &op->op.u.activation;

    (void)run;
    switch (activation->kind) {
    case VFI_ACTIVATION_NONE:
        if (dst != src[0])
            memmove(dst, src[0], n * sizeof *dst);
        break;
    case VFI_ACTIVATION_PRELU:
        op->kernels->leaky(dst, src[0], activation->slope[channel], n);
        break;
    case VFI_ACTIVATION_LEAKY:
        op->kernels->leaky(dst, src[0], activation->leak, n);
        break;
    case VFI_ACTIVATION_SIGMOID:
        op->kernels->sigmoid(dst, src[0], n);
        break;
    case VFI_ACTIVATION_SILU:
    case VFI_ACTIVATION_GELU:
        break; /* SCALE_SHIFT's */
    }
}

static void add(const VfiCpuOp *op, const VfiCpuRun *run, int channel, float *dst,
                const float *const *src, size_t n)
{
    (void)run;
    (void)channel;
    op->kernels->add(dst, src[0], src[1], op->op.u.sum.scale, n);
}

static void sub(const VfiCpuOp *op, const VfiCpuRun *run, int channel, float *dst,
                const float *const *src, size_t n)
{
    (void)run;
    (void)channel;
    op->kernels->sub(dst, src[0], src[1], op->op.u.sum.scale, n);
}

static void mul(const VfiCpuOp *op, const VfiCpuRun *run, int channel, float *dst,
                const float *const *src, size_t n)
{
    (void)run;
    (void)channel;
    op->kernels->mul(dst, src[0], src[1], n);
}

static void affine(const VfiCpuOp *op, const VfiCpuRun *run, int channel, float *dst,
                   const float *const *src, size_t n)
{
    (void)run;
    (void)channel;
    op->kernels->affine(dst, src[0], op->op.u.affine.mul, op->op.u.affine.add, n);
}

static void clamp(const VfiCpuOp *op, const VfiCpuRun *run, int channel, float *dst,
                  const float *const *src, size_t n)
{
    (void)run;
    (void)channel;
    op->kernels->clamp(dst, src[0], op->op.u.clamp.low, op->op.u.clamp.high, n);
}

static void fill(const VfiCpuOp *op, const VfiCpuRun *run, int channel, float *dst,
                 const float *const *src, size_t n)
{
    const VfiFillParams *p = &op->op.u.fill;
    float value = run->inputs.value[p->input] * p->mul + p->add;

    (void)channel;
    (void)src;
    for (size_t i = 0; i < n; i++)
        dst[i] = value;
}

#define ONLY(identifier)                                                                 \
    static const VfiCpuAlgorithm identifier##_elements =                                 \
        VFI_ELEMENTWISE(#identifier, identifier);                                        \
    const VfiCpuAlgorithm *const vfi_cpu_##identifier[] = {&identifier##_elements, NULL}

ONLY(activate);
ONLY(add);
ONLY(sub);
ONLY(mul);
ONLY(affine);
ONLY(clamp);
ONLY(fill);
