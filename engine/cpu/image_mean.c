/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/image_mean.h"

#include "cpu/algorithm.h"

/* Pieces that the rows are cut into, however many threads there are: their sums are
 * added in order. The largest picture's pieces take some milliseconds. */
#define PIECES 64

typedef struct {
    const VfiCpuImage *image;
    const VfiCpuKernels *kernels;
    double sum[PIECES];
} Sums;

static void sum_piece(void *data, int index, int thread)
{
    Sums *sums = data;
    const VfiCpuImage *image = sums->image;
    int rows = 3 * image->height; /* of all planes */
    double sum = 0.0;
    (void)thread;

    for (int i = vfi_piece_begin(rows, PIECES, index);
         i < vfi_piece_begin(rows, PIECES, index + 1); i++) {
        size_t row = (size_t)(i / image->height) * (size_t)image->padded_h +
                     (size_t)(i % image->height);
        sum += sums->kernels->sum(image->values + row * (size_t)image->padded_w,
                                  (size_t)image->width);
    }
    sums->sum[index] = sum;
}

bool vfi_cpu_image_mean(VfiPool *pool, VfiCpuLevel level, const VfiCpuImage *image,
                        double *mean, const atomic_int *cancel)
{
    Sums sums = {.image = image, .kernels = vfi_cpu_kernels(level)};
    double total = 0.0;

    if (!vfi_pool_run(pool, PIECES, sum_piece, &sums, cancel))
        return false;
    for (int i = 0; i < PIECES; i++)
        total += sums.sum[i];
    *mean = total / (3.0 * image->width * image->height);
    return true;
}
