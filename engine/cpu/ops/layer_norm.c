/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LAYER_NORM: chunks are strips of pixels with all their channels. A strip is walked unit
 * by unit (channel block or plane) three times: for the means, the deviations, and the
 * result; after the first time it is in the second-level cache. Sums are kept by lane, of
 * the channels of a block, and of RUN planes at a time. */
#include <math.h>
#include <string.h>

#include "cpu/ops/unit_rows.h"

/* Pixels of a strip. */
#define STRIP 64

/* Strips of a chunk. */
#define CHUNK_FLOATS 65536

/* Planes whose values are added up before they are added to the others'. */
#define RUN 16

typedef struct {
    int block, units;
    size_t plane;        /* pixels */
    size_t chunk_pixels; /* a multiple of STRIP */
} Cut;

static bool prepare(VfiCpuOp *ready, GError **error)
{
    const VfiOperand *dst = &ready->op.dst;
    Cut *cut = g_new0(Cut, 1);

    ready->state = cut;
    cut->block = MAX(dst->block, 1);
    cut->units = vfi_ceil_div(dst->shape.c, cut->block);
    cut->plane = (size_t)dst->shape.h * (size_t)dst->shape.w;
    size_t strip = (size_t)cut->units * (size_t)cut->block * STRIP;
    cut->chunk_pixels = STRIP * MAX(CHUNK_FLOATS / strip, 1);
    size_t chunks = (cut->plane + cut->chunk_pixels - 1) / cut->chunk_pixels;
    return vfi_cpu_set_chunks(ready, (double)chunks, error);
}

/* The strip that is computed. */
typedef struct {
    const VfiCpuOp *ready;
    const Cut *cut;
    const float *src;
    float *dst;
    size_t first, n; /* pixels */
    float mean[STRIP], factor[STRIP];
    float sums[STRIP * VFI_LANES], run[STRIP * VFI_LANES];
} Strip;

static size_t unit_place(const Strip *strip, int unit)
{
    return ((size_t)unit * strip->cut->plane + strip->first) * (size_t)strip->cut->block;
}

/* Adds up the values of all units by lane, or the squares of what they are off the means:
 * in .sums. */
static void add_units(Strip *strip, bool squares)
{
    const VfiCpuKernels *kernels = strip->ready->kernels;
    size_t block = (size_t)strip->cut->block, n = strip->n * block;
    int run = block == 1 ? RUN : strip->cut->units;

    memset(strip->sums, 0, n * sizeof(float));
    for (int unit = 0; unit < strip->cut->units; unit++) {
        const VfiLayerNormRun of = {.src = strip->src + unit_place(strip, unit),
                                    .mean = strip->mean,
                                    .n = strip->n,
                                    .block = block};
        if (unit % run == 0)
            memset(strip->run, 0, n * sizeof(float));
        if (squares)
            kernels->add_deviations(strip->run, &of);
        else
            kernels->add(strip->run, strip->run, of.src, 1.0f, n);
        if (unit % run == run - 1 || unit == strip->cut->units - 1)
            kernels->add(strip->sums, strip->sums, strip->run, 1.0f, n);
    }
}

/* Of the sums of pixel @i. */
static double total(const Strip *strip, size_t i)
{
    size_t block = (size_t)strip->cut->block;
    double sum = 0.0;

    for (size_t c = 0; c < block; c++)
        sum += (double)strip->sums[i * block + c];
    return sum;
}

static void find_moments(Strip *strip)
{
    int channels = strip->ready->op.dst.shape.c;
    /* What fills up the last block is zeros, which deviate by the mean. */
    int padding = strip->cut->units * strip->cut->block - channels;

    add_units(strip, false);
    for (size_t i = 0; i < strip->n; i++)
        strip->mean[i] = (float)(total(strip, i) / channels);
    add_units(strip, true);
    for (size_t i = 0; i < strip->n; i++) {
        float square = strip->mean[i] * strip->mean[i];
        double squares = total(strip, i) - padding * (double)square;
        double variance = MAX(squares, 0.0) / channels;
        strip->factor[i] =
            (float)(1.0 / sqrt(variance + (double)strip->ready->op.u.norm.eps));
    }
}

/* Values of the unit's channels, zeros behind the last one. */
static void take_channels(const Strip *strip, const float *values, int unit,
                          float taken[VFI_LANES])
{
    int channels = strip->ready->op.dst.shape.c, block = strip->cut->block;

    for (int c = 0; c < block; c++)
        taken[c] = unit * block + c < channels ? values[unit * block + c] : 0.0f;
}

/* Results behind the last channel may be NaN. */
static void clear_padding(const Strip *strip)
{
    int block = strip->cut->block, last = strip->cut->units - 1;
    int used = strip->ready->op.dst.shape.c - last * block;
    float *dst = strip->dst + unit_place(strip, last);

    for (size_t i = 0; i < strip->n; i++)
        for (int c = used; c < block; c++)
            dst[i * (size_t)block + (size_t)c] = 0.0f;
}

static void compute_strip(Strip *strip)
{
    const VfiNormParams *p = &strip->ready->op.u.norm;
    float weight[VFI_LANES], bias[VFI_LANES];

    find_moments(strip);
    for (int unit = 0; unit < strip->cut->units; unit++) {
        size_t at = unit_place(strip, unit);
        const VfiLayerNormRun of = {
            .src = strip->src + at,
            .dst = strip->dst + at,
            .mean = strip->mean,
            .factor = strip->factor,
            .weight = weight,
            .bias = bias,
            .n = strip->n,
            .block = (size_t)strip->cut->block,
        };
        take_channels(strip, p->weight, unit, weight);
        take_channels(strip, p->bias, unit, bias);
        strip->ready->kernels->layer_norm(&of);
    }
    clear_padding(strip);
}

static void chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const Cut *cut = ready->state;
    size_t begin = (size_t)index * cut->chunk_pixels;
    size_t end = MIN(begin + cut->chunk_pixels, cut->plane);
    Strip strip = {.ready = ready,
                   .cut = cut,
                   .src = vfi_operand(run, &ready->op.src[0]),
                   .dst = vfi_operand(run, &ready->op.dst)};
    (void)thread;

    for (strip.first = begin; strip.first < end; strip.first += STRIP) {
        strip.n = MIN(STRIP, end - strip.first);
        compute_strip(&strip);
    }
}

static const VfiCpuAlgorithm algorithm = {
    .name = "layer_norm",
    .accepts = vfi_accepts_units,
    .prepare = prepare,
    .chunk = chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_layer_norm[] = {&algorithm, NULL};
