/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels of normalisation and of the activations that follow it, for any vector
 * width. */
#include <string.h>

#include "cpu/kernel_table.h"

/* ---- activations ------------------------------------------------------------------- */

/* exp(x) for |x| ≤ 87 to 1e-7: x = k ln 2 + r, |r| ≤ ln 2 / 2, a polynomial for exp(r)
 * that is exact at Chebyshev's seven nodes, and k added to the exponent. Adding
 * 1.5 * 2^23 rounds x / ln 2 to an integer and leaves it in the low bits. Of NaN
 * anything. */
static inline __attribute__((always_inline)) Vector ISA(exp_of)(Vector x)
{
    const Vector round = v_set1(12582912.0f);
    Vector shifted = v_fma(x, v_set1(1.44269504f), round);
    Vector k = v_sub(shifted, round);
    Vector r = v_fnma(k, v_set1(-2.12194440e-4f), v_fnma(k, v_set1(0.693359375f), x));
    Vector p = v_set1(0.00139411096f);

    p = v_fma(p, r, v_set1(0.00837512687f));
    p = v_fma(p, r, v_set1(0.0416663513f));
    p = v_fma(p, r, v_set1(0.166664153f));
    p = v_fma(p, r, v_set1(0.5f));
    p = v_fma(p, r, v_set1(1.0f));
    p = v_fma(p, r, v_set1(1.0f));
    return v_times_power(p, shifted);
}

/* x / (1 + exp(-x)). Below the least argument of exp() it is zero, which it tends to. */
static inline __attribute__((always_inline)) Vector ISA(silu_of)(Vector x)
{
    const Vector limit = v_set1(87.0f), least = v_set1(-87.0f);
    Vector power = ISA(exp_of)(v_max(least, v_min(limit, v_sub(v_zero(), x))));
    Vector y = v_div(x, v_add(v_set1(1.0f), power));

    return v_if_less(x, least, v_zero(), y);
}

/* x * Φ(x). Φ(-|x|) = erfc(|x| / sqrt(2)) / 2 by formula 7.1.26 of Abramowitz and Stegun,
 * to 1e-7. */
static inline __attribute__((always_inline)) Vector ISA(gelu_of)(Vector x)
{
    const Vector one = v_set1(1.0f), limit = v_set1(13.0f);
    Vector z = v_min(limit, v_max(x, v_sub(v_zero(), x)));
    Vector t = v_div(one, v_fma(v_set1(0.231641888f), z, one));
    Vector p = v_set1(0.5307027145f);

    p = v_fma(p, t, v_set1(-0.7265760135f));
    p = v_fma(p, t, v_set1(0.7107068705f));
    p = v_fma(p, t, v_set1(-0.142248368f));
    p = v_fma(p, t, v_set1(0.127414796f));
    Vector power = ISA(exp_of)(v_mul(v_mul(z, z), v_set1(-0.5f)));
    Vector tail = v_mul(v_mul(p, t), power);
    Vector y = v_mul(x, v_if_less(x, v_zero(), tail, v_sub(one, tail)));
    return v_if_less(x, v_set1(-13.0f), v_zero(), y);
}

/* The zero comes first: minimum and maximum then pass NaN on. */
static inline __attribute__((always_inline)) Vector
ISA(activated)(Vector x, Vector leak, const VfiActivationKind activation)
{
    switch (activation) {
    case VFI_ACTIVATION_LEAKY:
        return v_fma(leak, v_min(v_zero(), x), v_max(v_zero(), x));
    case VFI_ACTIVATION_SILU:
        return ISA(silu_of)(x);
    case VFI_ACTIVATION_GELU:
        return ISA(gelu_of)(x);
    case VFI_ACTIVATION_NONE:
    case VFI_ACTIVATION_PRELU:
    case VFI_ACTIVATION_SIGMOID:
        break;
    }
    return x;
}

/* ---- by channel -------------------------------------------------------------------- */

/* How far ahead memory is asked for: the hardware by itself leaves a third of its rate
 * unused. */
#define PREFETCH_FLOATS 2048

/* Vectors that VFI_LANES floats are. */
#define LANE_VECTORS (VFI_LANES / VECTOR_FLOATS)

static inline __attribute__((always_inline)) void
ISA(scale_shift_with)(const VfiScaleShiftRun *run, const VfiActivationKind activation)
{
    const Vector leak = v_set1(run->leak);
    Vector factor[LANE_VECTORS], addend[LANE_VECTORS];
    size_t i = 0, whole = run->n / VFI_LANES * VFI_LANES;

    for (size_t v = 0; v < LANE_VECTORS; v++) {
        factor[v] = v_load(run->factor + v * VECTOR_FLOATS);
        addend[v] = v_load(run->addend + v * VECTOR_FLOATS);
    }
    for (; i < whole; i += VFI_LANES) {
        v_prefetch(run->src + i + PREFETCH_FLOATS);
#pragma GCC unroll 2
        for (size_t v = 0; v < LANE_VECTORS; v++) {
            Vector x = v_load(run->src + i + v * VECTOR_FLOATS);
            x = v_add(v_mul(x, factor[v]), addend[v]);
            v_store(run->dst + i + v * VECTOR_FLOATS,
                    ISA(activated)(x, leak, activation));
        }
    }
    if (i == run->n)
        return;
    float rest[VFI_LANES] = {0.0f};
    memcpy(rest, run->src + i, (run->n - i) * sizeof(float));
    for (size_t v = 0; v < LANE_VECTORS; v++) {
        Vector x = v_add(v_mul(v_load(rest + v * VECTOR_FLOATS), factor[v]), addend[v]);
        v_store(rest + v * VECTOR_FLOATS, ISA(activated)(x, leak, activation));
    }
    memcpy(run->dst + i, rest, (run->n - i) * sizeof(float));
}

static void ISA(scale_shift)(const VfiScaleShiftRun *run)
{
    switch (run->activation) {
    case VFI_ACTIVATION_LEAKY:
        ISA(scale_shift_with)(run, VFI_ACTIVATION_LEAKY);
        break;
    case VFI_ACTIVATION_SILU:
        ISA(scale_shift_with)(run, VFI_ACTIVATION_SILU);
        break;
    case VFI_ACTIVATION_GELU:
        ISA(scale_shift_with)(run, VFI_ACTIVATION_GELU);
        break;
    case VFI_ACTIVATION_NONE:
    case VFI_ACTIVATION_PRELU:
    case VFI_ACTIVATION_SIGMOID:
        ISA(scale_shift_with)(run, VFI_ACTIVATION_NONE);
        break;
    }
}

/* ---- sums -------------------------------------------------------------------------- */

#define DOUBLES (VECTOR_FLOATS / 2)
#define LANE_DOUBLES (VFI_LANES / DOUBLES)

static void ISA(moments)(const VfiMomentsRun *run)
{
    Doubles sum[LANE_DOUBLES], square[LANE_DOUBLES];
    size_t i = 0, whole = run->n / VFI_LANES * VFI_LANES;

    for (size_t v = 0; v < LANE_DOUBLES; v++) {
        sum[v] = vd_load(run->sum + v * DOUBLES);
        square[v] = vd_load(run->square + v * DOUBLES);
    }
    for (; i < whole; i += VFI_LANES) {
        v_prefetch(run->src + i + PREFETCH_FLOATS);
#pragma GCC unroll 4
        for (size_t v = 0; v < LANE_DOUBLES; v++) {
            Doubles x = vd_load_floats(run->src + i + v * DOUBLES);
            sum[v] = vd_add(sum[v], x);
            square[v] = vd_fma(x, x, square[v]);
        }
    }
    for (size_t v = 0; v < LANE_DOUBLES; v++) {
        vd_store(run->sum + v * DOUBLES, sum[v]);
        vd_store(run->square + v * DOUBLES, square[v]);
    }
    for (size_t l = 0; i < run->n; i++, l++) {
        double x = (double)run->src[i];
        run->sum[l] += x;
        run->square[l] += x * x;
    }
}

/* ---- normalisation over channels --------------------------------------------------- */

static void ISA(add_squares)(float *sum, const float *src, const float *mean, size_t n)
{
    size_t i = 0;

    for (; i + VECTOR_FLOATS <= n; i += VECTOR_FLOATS) {
        Vector off = v_sub(v_load(src + i), v_load(mean + i));
        v_store(sum + i, v_fma(off, off, v_load(sum + i)));
    }
    for (; i < n; i++)
        sum[i] += (src[i] - mean[i]) * (src[i] - mean[i]);
}

static void ISA(normalise_plane)(const VfiNormaliseRun *run)
{
    const Vector weight = v_set1(run->weight), bias = v_set1(run->bias);
    size_t i = 0;

    for (; i + VECTOR_FLOATS <= run->n; i += VECTOR_FLOATS) {
        Vector off = v_sub(v_load(run->src + i), v_load(run->mean + i));
        Vector factor = v_mul(v_load(run->factor + i), weight);
        v_store(run->dst + i, v_fma(off, factor, bias));
    }
    for (; i < run->n; i++)
        run->dst[i] =
            (run->src[i] - run->mean[i]) * (run->factor[i] * run->weight) + run->bias;
}

/* Pixels that are normalised at a time. */
#define NORM_PIXELS 4

/* Of @n pixels, 1 or NORM_PIXELS: what their channels add up to; or, where there are
 * their means, the squares of what channels are off those. Block 0 is at @src. */
static inline __attribute__((always_inline)) __m128
ISA(sums_of_pixels)(const VfiLayerNormBlocks *p, const float *src, const size_t n,
                    const Vector *mean)
{
    Vector sum[NORM_PIXELS] = {v_zero(), v_zero(), v_zero(), v_zero()};

    for (int b = 0; b < p->blocks; b++, src += p->plane)
#pragma GCC unroll 4
        for (size_t i = 0; i < n; i++) {
            Vector x = v_load(src + i * VECTOR_FLOATS);
            if (mean == NULL) {
                sum[i] = v_add(sum[i], x);
            } else {
                Vector off = v_sub(x, mean[i]);
                sum[i] = v_fma(off, off, sum[i]);
            }
        }
    return v_sums(sum[0], sum[1], sum[2], sum[3]);
}

static inline void ISA(spread_pixels)(Vector *each, __m128 values)
{
    float value[NORM_PIXELS];

    _mm_storeu_ps(value, values);
    for (int i = 0; i < NORM_PIXELS; i++)
        each[i] = v_set1(value[i]);
}

/* 1 / standard deviations. What fills up the last block is zeros, which are off by the
 * mean. */
static inline __m128 ISA(norm_factors)(const VfiLayerNormBlocks *p, __m128 means,
                                       __m128 squares)
{
    float padding = (float)(p->blocks * VECTOR_FLOATS - p->channels);

    squares =
        _mm_sub_ps(squares, _mm_mul_ps(_mm_mul_ps(means, means), _mm_set1_ps(padding)));
    __m128 variances = _mm_div_ps(_mm_max_ps(_mm_setzero_ps(), squares),
                                  _mm_set1_ps((float)p->channels));
    return _mm_div_ps(_mm_set1_ps(1.0f),
                      _mm_sqrt_ps(_mm_add_ps(variances, _mm_set1_ps(p->eps))));
}

/* NaN times the zeros of the weight is not zero. */
static inline void ISA(clear_padding)(const VfiLayerNormBlocks *p, float *dst, size_t n)
{
    size_t padding = (size_t)p->blocks * VECTOR_FLOATS - (size_t)p->channels;
    float *last = dst + (size_t)(p->blocks - 1) * p->plane;

    for (size_t i = 1; i <= n && padding > 0; i++)
        memset(last + i * VECTOR_FLOATS - padding, 0, padding * sizeof(float));
}

/* From pixel @pixel on @n pixels, 1 or NORM_PIXELS. They are read three times, mostly
 * from the first-level cache: squares of what is off the mean are good however large that
 * is. */
static inline __attribute__((always_inline)) void
ISA(layer_norm_pixels)(const VfiLayerNormBlocks *p, size_t pixel, const size_t n)
{
    const float *src = p->src + pixel * VECTOR_FLOATS;
    float *dst = p->dst + pixel * VECTOR_FLOATS;
    Vector mean[NORM_PIXELS], factor[NORM_PIXELS];
    __m128 channels = _mm_set1_ps((float)p->channels);
    __m128 means = _mm_div_ps(ISA(sums_of_pixels)(p, src, n, NULL), channels);

    ISA(spread_pixels)(mean, means);
    __m128 squares = ISA(sums_of_pixels)(p, src, n, mean);
    ISA(spread_pixels)(factor, ISA(norm_factors)(p, means, squares));
    for (int b = 0; b < p->blocks; b++) {
        Vector weight = v_load(p->weight + (size_t)b * VECTOR_FLOATS);
        Vector bias = v_load(p->bias + (size_t)b * VECTOR_FLOATS);
#pragma GCC unroll 4
        for (size_t i = 0; i < n; i++) {
            size_t at = (size_t)b * p->plane + i * VECTOR_FLOATS;
            Vector off = v_sub(v_load(src + at), mean[i]);
            v_store(dst + at, v_fma(off, v_mul(factor[i], weight), bias));
        }
    }
    ISA(clear_padding)(p, dst, n);
}

static void ISA(layer_norm_blocks)(const VfiLayerNormBlocks *pixels)
{
    size_t i = 0;

    for (; i + NORM_PIXELS <= pixels->n; i += NORM_PIXELS)
        ISA(layer_norm_pixels)(pixels, i, NORM_PIXELS);
    for (; i < pixels->n; i++)
        ISA(layer_norm_pixels)(pixels, i, 1);
}

static void ISA(fill_norm)(VfiCpuKernels *kernels)
{
    kernels->scale_shift = ISA(scale_shift);
    kernels->moments = ISA(moments);
    kernels->add_squares = ISA(add_squares);
    kernels->normalise_plane = ISA(normalise_plane);
    kernels->layer_norm_blocks = ISA(layer_norm_blocks);
}
