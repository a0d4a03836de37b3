/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GROUP_NORM and CHANNEL_MEAN: what all pixels of a channel add up to. A channel block or
 * plane, a *unit*, is cut into bands of pixels; the sums of each band are kept in the
 * first thread's scratch, and when all chunks are done they are added up in order. So
 * they do not depend on threads. Sums of values and of squares are double: squares of
 * floats are exact there, and a variance is good to six digits where the mean is ten
 * thousand times the deviation. */
#include <math.h>

#include "cpu/algorithm.h"

/* Floats of a chunk, about; and most bands of a unit, for which there must be scratch. */
#define CHUNK_FLOATS 65536
#define MAX_BANDS 64

typedef struct {
    int block, units;
    int bands; /* of a unit; 1 where a chunk has several units */
    int chunk_units;
    size_t plane; /* pixels */
} Sums;

/* The sums of a channel's band: those of values, then those of squares. */
enum { VALUES, SQUARES, N_SUMS };

static size_t band_doubles(const Sums *sums)
{
    return (size_t)N_SUMS * (size_t)sums->block;
}

static bool prepare(VfiCpuOp *ready, GError **error)
{
    const VfiOperand *src = &ready->op.src[0];
    Sums *sums = g_new0(Sums, 1);

    ready->state = sums;
    sums->block = MAX(src->block, 1);
    sums->units = vfi_ceil_div(src->shape.c, sums->block);
    sums->plane = (size_t)src->shape.h * (size_t)src->shape.w;
    double chunks_of_unit = (double)sums->plane * sums->block / CHUNK_FLOATS;
    sums->bands = (int)CLAMP(ceil(chunks_of_unit), 1.0, (double)MAX_BANDS);
    sums->chunk_units = (int)CLAMP(1.0 / chunks_of_unit, 1.0, (double)sums->units);
    ready->scratch_bytes =
        (size_t)sums->units * (size_t)sums->bands * band_doubles(sums) * sizeof(double);
    return vfi_cpu_set_chunks(
        ready, (double)vfi_ceil_div(sums->units, sums->chunk_units) * (double)sums->bands,
        error);
}

/* Where the sums of band @band of unit @unit are: [N_SUMS][block]. */
static double *sums_of_band(const Sums *sums, const VfiCpuRun *run, int unit, int band)
{
    double *all = (double *)(void *)vfi_thread_scratch(run, 0);

    return all + ((size_t)unit * (size_t)sums->bands + (size_t)band) * band_doubles(sums);
}

/* First pixel of band @band: bands begin at whole runs of lanes. */
static size_t band_begin(const Sums *sums, int band)
{
    size_t runs = sums->plane / VFI_LANES;

    return band == sums->bands ? sums->plane
                               : runs * (size_t)band / (size_t)sums->bands * VFI_LANES;
}

static void sum_band(const VfiCpuOp *ready, const VfiCpuRun *run, int unit, int band)
{
    const Sums *sums = ready->state;
    size_t begin = band_begin(sums, band), block = (size_t)sums->block;
    double lanes[N_SUMS][VFI_LANES] = {{0.0}};
    const VfiMomentsRun moments = {
        .src = vfi_operand(run, &ready->op.src[0]) +
               ((size_t)unit * sums->plane + begin) * block,
        .sum = lanes[VALUES],
        .square = lanes[SQUARES],
        .n = (band_begin(sums, band + 1) - begin) * block,
    };
    double *result = sums_of_band(sums, run, unit, band);

    ready->kernels->moments(&moments);
    for (size_t k = 0; k < N_SUMS; k++)
        for (size_t c = 0; c < block; c++) {
            double sum = 0.0;
            for (size_t l = c; l < VFI_LANES; l += block)
                sum += lanes[k][l];
            result[k * block + c] = sum;
        }
}

static void chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const Sums *sums = ready->state;
    int unit = index / sums->bands * sums->chunk_units, band = index % sums->bands;
    int end = MIN(unit + sums->chunk_units, sums->units);
    (void)thread;

    for (; unit < end; unit++)
        sum_band(ready, run, unit, band);
}

/* Adds what there is of channel @c. */
static void add_channel(const VfiCpuOp *ready, const VfiCpuRun *run, int c,
                        double total[N_SUMS])
{
    const Sums *sums = ready->state;

    for (int band = 0; band < sums->bands; band++) {
        const double *of = sums_of_band(sums, run, c / sums->block, band);
        for (int k = 0; k < N_SUMS; k++)
            total[k] += of[k * sums->block + c % sums->block];
    }
}

/* ---- CHANNEL_MEAN ------------------------------------------------------------------ */

static void end_mean(const VfiCpuOp *ready, const VfiCpuRun *run)
{
    const Sums *sums = ready->state;
    float *result = vfi_operand(run, &ready->op.dst);

    for (int c = 0; c < ready->op.dst.shape.c; c++) {
        double total[N_SUMS] = {0.0};
        add_channel(ready, run, c, total);
        result[c] = (float)(total[VALUES] / (double)sums->plane);
    }
}

/* ---- GROUP_NORM -------------------------------------------------------------------- */

/* Mean and 1 / standard deviation of channels @first … @first+@count-1 of each frame. */
typedef struct {
    double mean, factor;
} Group;

static Group find_group(const VfiCpuOp *ready, const VfiCpuRun *run, int first, int count)
{
    const Sums *sums = ready->state;
    const VfiNormParams *p = &ready->op.u.norm;
    int channels = ready->op.dst.shape.c / 2;
    double total[N_SUMS] = {0.0}, n = (double)sums->plane * count * p->frames;

    for (int frame = 0; frame < p->frames; frame++)
        for (int c = first; c < first + count; c++)
            add_channel(ready, run, frame * channels + c, total);
    double mean = total[VALUES] / n;
    double variance = MAX(total[SQUARES] / n - mean * mean, 0.0);
    return (Group){mean, 1.0 / sqrt(variance + (double)p->eps)};
}

static void end_norm(const VfiCpuOp *ready, const VfiCpuRun *run)
{
    const VfiOp *op = &ready->op;
    const VfiNormParams *p = &op->u.norm;
    int channels = op->dst.shape.c / 2, count = channels / p->groups;
    const float *film = op->n_src > 1 ? vfi_operand(run, &op->src[1]) : NULL;
    float *result = vfi_operand(run, &op->dst);
    Group group = {0.0, 0.0};

    for (int c = 0; c < channels; c++) {
        if (c % count == 0)
            group = find_group(ready, run, c, count);
        double factor = (double)p->weight[c] * group.factor;
        double addend = (double)p->bias[c] - group.mean * factor;
        double scale = film != NULL ? 1.0 + (double)film[c] : 1.0;
        double shift = film != NULL ? (double)film[channels + c] : 0.0;
        result[c] = (float)(factor * scale);
        result[channels + c] = (float)(addend * scale + shift);
    }
}

/* The first source has any layout, all else is planar. */
static bool accepts(const VfiOp *op, const VfiCpuKernels *kernels)
{
    (void)kernels;
    return !vfi_operand_is_blocked(&op->dst) &&
           (op->n_src < 2 || !vfi_operand_is_blocked(&op->src[1]));
}

static const VfiCpuAlgorithm channel_mean = {
    .name = "channel_mean",
    .accepts = accepts,
    .prepare = prepare,
    .chunk = chunk,
    .end = end_mean,
};

static const VfiCpuAlgorithm group_norm = {
    .name = "group_norm",
    .accepts = accepts,
    .prepare = prepare,
    .chunk = chunk,
    .end = end_norm,
};

const VfiCpuAlgorithm *const vfi_cpu_channel_mean[] = {&channel_mean, NULL};
const VfiCpuAlgorithm *const vfi_cpu_group_norm[] = {&group_norm, NULL};
