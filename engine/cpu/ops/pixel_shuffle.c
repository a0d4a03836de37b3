/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PixelShuffle(2): two source rows, one of each of two channels, become one row of the
 * result with their pixels in turn. A chunk is some rows of all channels. */
#include "cpu/band.h"

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

    return vfi_cpu_set_chunks(ready, (double)chunks, error);
}

/* Row @y of channel @c. */
static void shuffle_row(const VfiCpuOp *ready, const VfiCpuRun *run, int c, int y,
                        float *dst)
{
    const VfiOperand *source = &ready->op.src[0];
    int first = 4 * c + 2 * (y % 2);

    ready->kernels->interleave(dst, vfi_operand_row(run, source, first, y / 2),
                               vfi_operand_row(run, source, first + 1, y / 2),
                               (size_t)source->shape.w);
}

/* Of that, the @n columns @x. */
static void shuffle_samples(const VfiCpuOp *ready, const VfiCpuRun *run, int c, int y,
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
        shuffle_row(ready, run, c, y, vfi_operand_row(run, result, c, y));
    }
}

static void run_band(const VfiCpuOp *ready, const VfiCpuBand *band)
{
    const VfiCpuBandPicture *picture = band->picture;
    VfiCpuBandRows dst = vfi_band_rows(band, &ready->op.dst);

    for (int c = 0; c < ready->op.dst.shape.c; c++) {
        for (int i = 0; i < band->n; i++) {
            int y = vfi_band_place(picture, band->first + i);
            float *row =
                dst.first + (size_t)c * dst.plane + (size_t)i * (size_t)picture->columns;
            if (picture->sampling == 0)
                shuffle_row(ready, band->run, c, y, row);
            else
                shuffle_samples(ready, band->run, c, y, picture->x, picture->columns,
                                row);
        }
    }
}

static const VfiCpuBandAlgorithm band_algorithm = {.run = run_band};

static const VfiCpuAlgorithm algorithm = {
    .name = "pixel_shuffle",
    .prepare = pixel_shuffle_prepare,
    .chunk = pixel_shuffle_chunk,
    .band = &band_algorithm,
};

const VfiCpuAlgorithm *const vfi_cpu_pixel_shuffle[] = {&algorithm, NULL};
