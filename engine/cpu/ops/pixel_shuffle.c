/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PixelShuffle(2): two source rows, one of each of two channels, become one row of the result
 * with their pixels in turn. A chunk is some rows of all channels. */
#include "cpu/algorithm.h"

#include <vfi/error.h>

/* Floats of one chunk, about. */
#define CHUNK_FLOATS 65536

static int rows_of_chunk(const VfiCpuOp *ready)
{
    int row = MIN(CHUNK_FLOATS, ready->op.dst.shape.w);

    return CHUNK_FLOATS / row;
}

static bool pixel_shuffle_prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape shape = ready->op.dst.shape;
    int64_t chunks = ((int64_t)shape.c * shape.h - 1) / rows_of_chunk(ready) + 1;

    if (chunks > G_MAXINT / 2) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "pixel_shuffle to %d×%d×%d is too large", shape.c, shape.h, shape.w);
        return false;
    }
    ready->n_chunks = (int)chunks;
    return true;
}

void vfi_pixel_shuffle_row(const VfiCpuOp *ready, const VfiCpuRun *run, int c, int y,
                           float *dst)
{
    const VfiOperand *source = &ready->op.src[0];
    int first = 4 * c + 2 * (y % 2);

    ready->kernels->interleave(dst, vfi_operand_row(run, source, first, y / 2),
                               vfi_operand_row(run, source, first + 1, y / 2),
                               (size_t)source->shape.w);
}

void vfi_pixel_shuffle_samples(const VfiCpuOp *ready, const VfiCpuRun *run, int c, int y,
                               const float *x, int n, float *dst)
{
    const float *pair[2];

    for (int j = 0; j < 2; j++)
        pair[j] = vfi_operand_row(run, &ready->op.src[0], 4 * c + 2 * (y % 2) + j, y / 2);
    for (int i = 0; i < n; i++) {
        int column = (int)x[i];
        dst[i] = pair[column % 2][column / 2];
    }
}

static void pixel_shuffle_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                                int thread)
{
    const VfiOperand *result = &ready->op.dst;
    int64_t rows = rows_of_chunk(ready), row = index * rows;
    int64_t end = MIN(row + rows, (int64_t)result->shape.c * result->shape.h);
    (void)thread;

    for (; row < end; row++) {
        int c = (int)(row / result->shape.h), y = (int)(row % result->shape.h);
        vfi_pixel_shuffle_row(ready, run, c, y, vfi_operand_row(run, result, c, y));
    }
}

const VfiCpuAlgorithm vfi_cpu_pixel_shuffle = {
    .name = "pixel_shuffle",
    .prepare = pixel_shuffle_prepare,
    .chunk = pixel_shuffle_chunk,
};
