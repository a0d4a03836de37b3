/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LAYER_NORM: chunks are pixels with all their channels. In channel blocks a kernel does
 * all of it. In planes a strip of pixels is walked plane by plane three times: for the
 * means, the squares of what is off them, and the result; after the first time it is in
 * the second-level cache. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cpu/ops/unit_rows.h"

/* Pixels of a strip. */
#define STRIP 256

/* Floats of a chunk, about. */
#define CHUNK_FLOATS 65536

/* Planes whose values are added up before they are added to the others'. */
#define RUN 16

typedef struct {
    int block, blocks;   /* of channels; planes are blocks of one */
    size_t plane;        /* pixels */
    size_t chunk_pixels; /* a multiple of STRIP */
} Cut;

static bool prepare(VfiCpuOp *ready, GError **error)
{
    const VfiOperand *dst = &ready->op.dst;
    Cut *cut = g_new0(Cut, 1);

    ready->state = cut;
    cut->block = MAX(dst->block, 1);
    cut->blocks = vfi_ceil_div(dst->shape.c, cut->block);
    cut->plane = (size_t)dst->shape.h * (size_t)dst->shape.w;
    size_t strip = (size_t)cut->blocks * (size_t)cut->block * STRIP;
    cut->chunk_pixels = STRIP * MAX(CHUNK_FLOATS / strip, 1);
    size_t chunks = (cut->plane + cut->chunk_pixels - 1) / cut->chunk_pixels;
    return vfi_cpu_set_chunks(ready, (double)chunks, error);
}

/* First pixel and number of pixels of chunk @index. */
static size_t chunk_begin(const Cut *cut, int index, size_t *n)
{
    size_t begin = (size_t)index * cut->chunk_pixels;

    *n = MIN(cut->chunk_pixels, cut->plane - begin);
    return begin;
}

/* ---- channel blocks ---------------------------------------------------------------- */

static bool accepts_blocks(const VfiOp *op, const VfiCpuKernels *kernels)
{
    return vfi_accepts_units(op, kernels) && vfi_operand_is_blocked(&op->dst);
}

/* Weights and biases with the zeros that fill up the last block. */
static bool prepare_blocks(VfiCpuOp *ready, GError **error)
{
    const VfiNormParams *p = &ready->op.u.norm;
    size_t channels = (size_t)ready->op.dst.shape.c;

    if (!prepare(ready, error))
        return false;
    const Cut *cut = ready->state;
    size_t padded = (size_t)cut->blocks * (size_t)cut->block;
    float *weights = vfi_try_alloc0(2 * padded, sizeof(float), "weights", error);
    if (weights == NULL)
        return false;
    memcpy(weights, p->weight, channels * sizeof(float));
    memcpy(weights + padded, p->bias, channels * sizeof(float));
    ready->packed = weights;
    ready->packed_bytes = 2 * padded * sizeof(float);
    return true;
}

static void chunk_of_blocks(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                            int thread)
{
    const Cut *cut = ready->state;
    size_t block = (size_t)cut->block, n, begin = chunk_begin(cut, index, &n) * block;
    const float *weights = ready->packed;
    const VfiLayerNormBlocks pixels = {
        .dst = vfi_operand(run, &ready->op.dst) + begin,
        .src = vfi_operand(run, &ready->op.src[0]) + begin,
        .weight = weights,
        .bias = weights + (size_t)cut->blocks * block,
        .plane = cut->plane * block,
        .n = n,
        .blocks = cut->blocks,
        .channels = ready->op.dst.shape.c,
        .eps = ready->op.u.norm.eps,
    };
    (void)thread;

    ready->kernels->layer_norm_blocks(&pixels);
}

static const VfiCpuAlgorithm in_blocks = {
    .name = "layer_norm_blocks",
    .accepts = accepts_blocks,
    .prepare = prepare_blocks,
    .chunk = chunk_of_blocks,
};

/* ---- planes ------------------------------------------------------------------------ */

/* The strip that is computed: channel 0 of its first pixel. */
typedef struct {
    const VfiCpuOp *ready;
    const float *src;
    float *dst;
    size_t n, plane;
    float mean[STRIP], factor[STRIP];
    float sums[STRIP], run[STRIP];
} Strip;

/* Adds up the values of all planes, or the squares of what they are off the means: in
 * .sums, some planes at a time. */
static void add_planes(Strip *strip, bool squares)
{
    const VfiCpuKernels *kernels = strip->ready->kernels;
    int channels = strip->ready->op.dst.shape.c;

    memset(strip->sums, 0, strip->n * sizeof(float));
    for (int c = 0; c < channels; c++) {
        const float *src = strip->src + (size_t)c * strip->plane;
        if (c % RUN == 0)
            memset(strip->run, 0, strip->n * sizeof(float));
        if (squares)
            kernels->add_squares(strip->run, src, strip->mean, strip->n);
        else
            kernels->add(strip->run, strip->run, src, 1.0f, strip->n);
        if (c % RUN == RUN - 1 || c == channels - 1)
            kernels->add(strip->sums, strip->sums, strip->run, 1.0f, strip->n);
    }
}

static void compute_strip(Strip *strip)
{
    const VfiNormParams *p = &strip->ready->op.u.norm;
    int channels = strip->ready->op.dst.shape.c;

    add_planes(strip, false);
    for (size_t i = 0; i < strip->n; i++)
        strip->mean[i] = strip->sums[i] / (float)channels;
    add_planes(strip, true);
    for (size_t i = 0; i < strip->n; i++)
        strip->factor[i] = 1.0f / sqrtf(strip->sums[i] / (float)channels + p->eps);
    for (int c = 0; c < channels; c++) {
        const VfiNormaliseRun of = {
            .dst = strip->dst + (size_t)c * strip->plane,
            .src = strip->src + (size_t)c * strip->plane,
            .mean = strip->mean,
            .factor = strip->factor,
            .weight = p->weight[c],
            .bias = p->bias[c],
            .n = strip->n,
        };
        strip->ready->kernels->normalise_plane(&of);
    }
}

static void chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const Cut *cut = ready->state;
    size_t n, begin = chunk_begin(cut, index, &n);
    Strip strip = {.ready = ready, .plane = cut->plane};
    (void)thread;

    for (size_t first = 0; first < n; first += STRIP) {
        strip.src = vfi_operand(run, &ready->op.src[0]) + begin + first;
        strip.dst = vfi_operand(run, &ready->op.dst) + begin + first;
        strip.n = MIN(STRIP, n - first);
        compute_strip(&strip);
    }
}

static const VfiCpuAlgorithm in_planes = {
    .name = "layer_norm",
    .prepare = prepare,
    .chunk = chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_layer_norm[] = {&in_blocks, &in_planes, NULL};
