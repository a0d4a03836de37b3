/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution of each channel by itself, 3 × 3, between channel blocks, for any vector
 * width. A pixel takes nine loads and as many products, which no register of sums can
 * share: what counts is that rows stay in a cache until the two below them have been
 * computed, and then it is as fast as memory. Sums add their products in the order of the
 * kernel's places, wherever the pixel is. */

/* Adds the products of row @row of the kernel at pixel @x, of @n. */
static inline __attribute__((always_inline)) Vector
ISA(add_border_row)(const VfiDepthwiseRow *d, int row, int x, Vector sum)
{
    for (int k = 0; k < 3; k++)
        if (x + k >= 1 && x + k <= d->n)
            sum =
                v_fma(v_load(d->weight + (ptrdiff_t)(3 * row + k) * VECTOR_FLOATS),
                      v_load(d->src[row] + (ptrdiff_t)(x + k - 1) * VECTOR_FLOATS), sum);
    return sum;
}

static inline __attribute__((always_inline)) void
ISA(finish_depthwise)(const VfiDepthwiseRow *d, int x, Vector sum,
                      const VfiResidual place)
{
    ptrdiff_t at = (ptrdiff_t)x * VECTOR_FLOATS;

    v_store(d->dst + at,
            ISA(finish)(sum, v_load(d->epilogue.bias), v_load(d->epilogue.slope),
                        place == VFI_RESIDUAL_NONE ? NULL : d->residual + at, place));
}

static inline __attribute__((always_inline)) void
ISA(depthwise_border)(const VfiDepthwiseRow *d, int x, const VfiResidual place)
{
    Vector sum = v_zero();

    for (int row = 0; row < 3; row++)
        sum = ISA(add_border_row)(d, row, x, sum);
    ISA(finish_depthwise)(d, x, sum, place);
}

/* @n_pixels from @x on, none of which is at the border. */
static inline __attribute__((always_inline)) void
ISA(depthwise_tile)(const VfiDepthwiseRow *d, int x, const int n_pixels,
                    const VfiResidual place)
{
    Vector sum[DEPTHWISE_PIXELS];

    for (int i = 0; i < n_pixels; i++)
        sum[i] = v_zero();
#pragma GCC unroll 3
    for (int row = 0; row < 3; row++) {
        const float *src = d->src[row] + (ptrdiff_t)(x - 1) * VECTOR_FLOATS;
        const float *weight = d->weight + (ptrdiff_t)(3 * row) * VECTOR_FLOATS;
        Vector pixel[DEPTHWISE_PIXELS + 2];
#pragma GCC unroll 8
        for (int i = 0; i < n_pixels + 2; i++)
            pixel[i] = v_load(src + (ptrdiff_t)i * VECTOR_FLOATS);
#pragma GCC unroll 3
        for (int k = 0; k < 3; k++) {
            Vector factor = v_load(weight + (ptrdiff_t)k * VECTOR_FLOATS);
#pragma GCC unroll 8
            for (int i = 0; i < n_pixels; i++)
                sum[i] = v_fma(factor, pixel[i + k], sum[i]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < n_pixels; i++)
        ISA(finish_depthwise)(d, x + i, sum[i], place);
}

static inline __attribute__((always_inline)) void
ISA(depthwise_row_with)(const VfiDepthwiseRow *d, const VfiResidual place)
{
    int x = 1;

    ISA(depthwise_border)(d, 0, place);
    for (; x + DEPTHWISE_PIXELS < d->n; x += DEPTHWISE_PIXELS)
        ISA(depthwise_tile)(d, x, DEPTHWISE_PIXELS, place);
    for (; x < d->n - 1; x++)
        ISA(depthwise_tile)(d, x, 1, place);
    if (d->n > 1)
        ISA(depthwise_border)(d, d->n - 1, place);
}

static void ISA(depthwise_row)(const VfiDepthwiseRow *d)
{
    switch (d->epilogue.residual_place) {
    case VFI_RESIDUAL_NONE:
        ISA(depthwise_row_with)(d, VFI_RESIDUAL_NONE);
        break;
    case VFI_RESIDUAL_BEFORE_ACTIVATION:
        ISA(depthwise_row_with)(d, VFI_RESIDUAL_BEFORE_ACTIVATION);
        break;
    case VFI_RESIDUAL_AFTER_ACTIVATION:
        ISA(depthwise_row_with)(d, VFI_RESIDUAL_AFTER_ACTIVATION);
        break;
    }
}
