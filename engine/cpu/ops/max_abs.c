/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MAX_ABS: the largest of the chunks' results. Bits of floats without a sign are in the
 * order of their values, NaN above all. */
#include "cpu/band.h"

#include <string.h>

#define CHUNK_FLOATS ((size_t)32768)

/* One partial result per thread, this many bytes apart. */
#define PARTIAL_BYTES 64

static bool prepare(VfiCpuOp *op, GError **error)
{
    size_t elements = vfi_shape_elements(op->op.src[0].shape);
    size_t chunks = (elements + CHUNK_FLOATS - 1) / CHUNK_FLOATS;

    op->scratch_bytes = PARTIAL_BYTES;
    return vfi_cpu_set_chunks(op, (double)chunks, error);
}

static uint32_t *partial(const VfiCpuRun *run, int thread)
{
    return (uint32_t *)(void *)vfi_thread_scratch(run, thread);
}

static void begin(const VfiCpuOp *op, const VfiCpuRun *run)
{
    (void)op;
    for (int i = 0; i < vfi_pool_threads(run->pool); i++)
        *partial(run, i) = 0;
}

static void chunk(const VfiCpuOp *op, const VfiCpuRun *run, int index, int thread)
{
    size_t first = (size_t)index * CHUNK_FLOATS;
    size_t n = MIN(vfi_shape_elements(op->op.src[0].shape) - first, CHUNK_FLOATS);
    const float *src = vfi_operand(run, &op->op.src[0]) + first;
    uint32_t largest = op->kernels->max_abs(src, n);

    *partial(run, thread) = MAX(*partial(run, thread), largest);
}

static void end(const VfiCpuOp *op, const VfiCpuRun *run)
{
    uint32_t largest = 0;

    for (int i = 0; i < vfi_pool_threads(run->pool); i++)
        largest = MAX(largest, *partial(run, i));
    memcpy(&run->scalars[op->op.u.max_abs.scalar], &largest, sizeof largest);
}

static void run_band(const VfiCpuOp *ready, const VfiCpuBand *band)
{
    const VfiOperand *operand = &ready->op.src[0];
    VfiCpuBandRows src = vfi_band_rows(band, operand);
    size_t n = (size_t)band->n * (size_t)band->picture->columns;

    for (int c = 0; c < operand->shape.c; c++) {
        uint32_t largest = ready->kernels->max_abs(src.first + (size_t)c * src.plane, n);
        *band->largest = MAX(*band->largest, largest);
    }
}

static const VfiCpuBandAlgorithm band_algorithm = {.run = run_band};

static const VfiCpuAlgorithm algorithm = {
    .name = "max_abs",
    .prepare = prepare,
    .chunk = chunk,
    .begin = begin,
    .end = end,
    .band = &band_algorithm,
};

const VfiCpuAlgorithm *const vfi_cpu_max_abs[] = {&algorithm, NULL};
