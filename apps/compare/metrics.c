/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/metrics.h"

#include <math.h>
#include <string.h>

/* Windows are two by two blocks of BLOCK × BLOCK samples. */
enum { BLOCK = 4 };

typedef struct {
    uint64_t a, b, squares, products;
} Sums;

double metrics_mse(const uint16_t *a, const uint16_t *b, size_t n, unsigned peak)
{
    uint64_t sum = 0; /* holds 2^32 squares of 16 bits, more than the largest frame has */

    for (size_t i = 0; i < n; i++) {
        int64_t difference = (int64_t)a[i] - b[i];

        sum += (uint64_t)(difference * difference);
    }
    return n == 0 ? 0 : (double)sum / (double)n / ((double)peak * peak);
}

double metrics_psnr(double mse)
{
    return mse > 0 ? -10 * log10(mse) : (double)INFINITY;
}

static Sums sums_of(const uint16_t *a, const uint16_t *b, size_t stride, int width,
                    int height)
{
    Sums sums = {0};

    for (int y = 0; y < height; y++, a += stride, b += stride) {
        for (int x = 0; x < width; x++) {
            sums.a += a[x];
            sums.b += b[x];
            sums.squares += (uint64_t)a[x] * a[x] + (uint64_t)b[x] * b[x];
            sums.products += (uint64_t)a[x] * b[x];
        }
    }
    return sums;
}

static Sums add(Sums a, Sums b)
{
    return (Sums){.a = a.a + b.a,
                  .b = a.b + b.b,
                  .squares = a.squares + b.squares,
                  .products = a.products + b.products};
}

static double similarity(Sums sums, double n, double peak)
{
    double mean_a = (double)sums.a / n, mean_b = (double)sums.b / n;
    double c1 = 0.01 * 0.01 * peak * peak, c2 = 0.03 * 0.03 * peak * peak;
    double means = mean_a * mean_a + mean_b * mean_b, freedom = n > 1 ? n - 1 : 1;
    double variances = ((double)sums.squares - n * means) / freedom;
    double covariance = ((double)sums.products - n * mean_a * mean_b) / freedom;

    return (2 * mean_a * mean_b + c1) * (2 * covariance + c2) /
           ((means + c1) * (variances + c2));
}

/* Sums of the blocks of one row of blocks. */
static void sum_blocks(const uint16_t *a, const uint16_t *b, size_t stride, int n,
                       Sums *blocks)
{
    for (int i = 0; i < n; i++)
        blocks[i] =
            sums_of(a + (size_t)i * BLOCK, b + (size_t)i * BLOCK, stride, BLOCK, BLOCK);
}

double metrics_ssim(const uint16_t *a, const uint16_t *b, int width, int height,
                    unsigned peak)
{
    int across = width / BLOCK, down = height / BLOCK;
    size_t stride = (size_t)width, step = stride * BLOCK;
    double total = 0;

    if (across < 2 || down < 2)
        return similarity(sums_of(a, b, stride, width, height), (double)width * height,
                          peak);

    g_autofree Sums *above = g_new(Sums, (size_t)across);
    g_autofree Sums *below = g_new(Sums, (size_t)across);

    sum_blocks(a, b, stride, across, above);
    for (int y = 1; y < down; y++) {
        Sums *done = above;

        sum_blocks(a + (size_t)y * step, b + (size_t)y * step, stride, across, below);
        for (int x = 1; x < across; x++)
            total +=
                similarity(add(add(above[x - 1], above[x]), add(below[x - 1], below[x])),
                           4.0 * BLOCK * BLOCK, peak);
        above = below;
        below = done;
    }
    return total / ((double)(across - 1) * (down - 1));
}
