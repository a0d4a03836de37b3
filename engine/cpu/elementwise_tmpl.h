/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Element-wise kernels in plain C, in a form that compilers turn into vectors by
 * themselves. Included once per level, after a definition of ISA(name), and compiled with
 * that level's flags; without contraction every level gives the same bits. */
#include <math.h>
#include <string.h>

#include "cpu/kernel_table.h"

static void ISA(add)(float *dst, const float *a, const float *b, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = scale * (a[i] + b[i]);
}

static void ISA(sub)(float *dst, const float *a, const float *b, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = scale * (a[i] - b[i]);
}

static void ISA(mul)(float *dst, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = a[i] * b[i];
}

static void ISA(affine)(float *dst, const float *src, float mul, float add, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = src[i] * mul + add;
}

/* NaN fails both comparisons and stays. */
static void ISA(clamp)(float *dst, const float *src, float low, float high, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float x = src[i];
        x = x < low ? low : x;
        dst[i] = x > high ? high : x;
    }
}

static void ISA(leaky)(float *dst, const float *src, float slope, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float x = src[i];
        dst[i] = x < 0.0f ? x * slope : x;
    }
}

/* exp(x) for |x| ≤ 87, relative error below 2^-22: x = k ln 2 + r, |r| ≤ ln 2 / 2, a
 * Taylor polynomial for exp(r), and k added to the exponent. Adding 1.5 * 2^23 rounds x /
 * ln 2 to an integer and leaves it in the low bits. */
static inline float ISA(exp)(float x)
{
    const float round = 12582912.0f;
    float shifted = x * 1.44269504f + round;
    float k = shifted - round;
    float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
    float p = 1.0f / 5040.0f;
    int32_t bits;
    float power;

    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (int32_t)((uint32_t)bits << 23) + 0x3f800000;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

static void ISA(sigmoid)(float *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float x = src[i];
        float limited = x < -87.0f ? -87.0f : x > 87.0f ? 87.0f : x;
        float y = 1.0f / (1.0f + ISA(exp)(-limited));
        dst[i] = x != x ? x : y;
    }
}

static void ISA(interleave)(float *restrict dst, const float *restrict even,
                            const float *restrict odd, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dst[2 * i] = even[i];
        dst[2 * i + 1] = odd[i];
    }
}

/* Without the sign bit, floats compare like their bits, NaN above infinity. */
static uint32_t ISA(max_abs)(const float *src, size_t n)
{
    uint32_t largest = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &src[i], sizeof bits);
        bits &= 0x7fffffffu;
        largest = bits > largest ? bits : largest;
    }
    return largest;
}

/* In lanes that are added up in a fixed order, so that every level gives the same
 * bits. */
#define SUM_LANES 16

static double ISA(sum)(const float *src, size_t n)
{
    double lane[SUM_LANES] = {0};
    size_t i = 0;

    for (; i + SUM_LANES <= n; i += SUM_LANES)
        for (size_t l = 0; l < SUM_LANES; l++)
            lane[l] += (double)src[i + l];
    for (size_t l = 0; i + l < n; l++)
        lane[l] += (double)src[i + l];
    for (size_t half = SUM_LANES / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

static void ISA(blend_rows)(float *dst, const float *a, const float *b, float weight,
                            float mul, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = mul * (a[i] + weight * (b[i] - a[i]));
}

static void ISA(pool_row)(const VfiPoolRow *row)
{
    const float *top = row->top, *bottom = row->bottom;
    float *dst = row->dst;
    size_t block = row->block;

    if (block == 1) {
        for (size_t i = 0; i < row->n; i++)
            dst[i] = 0.25f * ((top[2 * i] + top[2 * i + 1]) +
                              (bottom[2 * i] + bottom[2 * i + 1]));
        return;
    }
    for (size_t i = 0; i < row->n; i++, dst += block) {
        for (size_t c = 0; c < block; c++)
            dst[c] =
                0.25f * ((top[c] + top[block + c]) + (bottom[c] + bottom[block + c]));
        top += 2 * block;
        bottom += 2 * block;
    }
}

/* Pixel @i; @right, @below: whether there are taps there. */
static inline void ISA(add_taps)(const VfiTapRow *row, size_t i, const bool right,
                                 const bool below)
{
    size_t block = row->block, left_at = (size_t)row->x[i] * block;
    size_t right_at = right ? (size_t)row->x[i + 1] * block : 0;
    float *dst = row->dst + i * block;

    for (size_t c = 0; c < block; c++) {
        float sum = row->bias[c] + row->tap[0][left_at + c];
        if (right)
            sum += row->tap[1][right_at + c];
        if (below)
            sum += row->tap[2][left_at + c];
        if (right && below)
            sum += row->tap[3][right_at + c];
        dst[c] = sum;
    }
}

static void ISA(tap_row)(const VfiTapRow *row)
{
    size_t last = row->n - 1;

    if (row->tap[2] != NULL) {
        for (size_t i = 0; i < last; i++)
            ISA(add_taps)(row, i, true, true);
        ISA(add_taps)(row, last, false, true);
    } else {
        for (size_t i = 0; i < last; i++)
            ISA(add_taps)(row, i, true, false);
        ISA(add_taps)(row, last, false, false);
    }
}

static void ISA(epilogue)(const VfiEpilogueRow *row)
{
    const float *acc = row->acc, *residual = row->residual;
    float *dst = row->dst;
    float bias = row->bias;
    /* An identity where there is no slope: x * 1 is x. */
    bool has_slope = row->activation == VFI_ACTIVATION_PRELU ||
                     row->activation == VFI_ACTIVATION_LEAKY;
    float slope = has_slope ? row->slope : 1.0f;
    size_t n = row->n;

    if (row->residual_place == VFI_RESIDUAL_BEFORE_ACTIVATION) {
        for (size_t i = 0; i < n; i++) {
            float x = acc[i] + bias + residual[i];
            dst[i] = x < 0.0f ? x * slope : x;
        }
        if (row->activation == VFI_ACTIVATION_SIGMOID)
            ISA(sigmoid)(dst, dst, n);
    } else if (row->residual_place == VFI_RESIDUAL_NONE) {
        for (size_t i = 0; i < n; i++) {
            float x = acc[i] + bias;
            dst[i] = x < 0.0f ? x * slope : x;
        }
        if (row->activation == VFI_ACTIVATION_SIGMOID)
            ISA(sigmoid)(dst, dst, n);
    } else if (row->activation == VFI_ACTIVATION_SIGMOID) {
        for (size_t i = 0; i < n; i++) {
            float y;
            ISA(sigmoid)(&y, &(float){acc[i] + bias}, 1);
            dst[i] = y + residual[i];
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            float x = acc[i] + bias;
            dst[i] = (x < 0.0f ? x * slope : x) + residual[i];
        }
    }
}

/* Pixels that are compared with a code at once. */
#define CODED_PIXELS 64

/* @n pixels, no more than that, from the @first on. */
static inline __attribute__((always_inline)) void
ISA(nearest_codes_of)(const VfiNearestCodes *row, size_t first, const size_t n)
{
    float x0[CODED_PIXELS], x1[CODED_PIXELS], x2[CODED_PIXELS], least[CODED_PIXELS];
    int32_t index[CODED_PIXELS];

    for (size_t i = 0; i < n; i++) {
        x0[i] = row->x[0][first + i];
        x1[i] = row->x[1][first + i];
        x2[i] = row->x[2][first + i];
        least[i] = INFINITY;
        index[i] = 0;
    }
    for (int32_t code = 0; code < row->n_codes; code++) {
        const float *e = row->codes + (ptrdiff_t)code * VFI_CODE_CHANNELS;
        float e0 = e[0], e1 = e[1], e2 = e[2];
        for (size_t i = 0; i < n; i++) {
            float d0 = x0[i] - e0, d1 = x1[i] - e1, d2 = x2[i] - e2;
            float distance = d0 * d0 + d1 * d1 + d2 * d2;
            index[i] = distance < least[i] ? code : index[i];
            least[i] = distance < least[i] ? distance : least[i];
        }
    }
    memcpy(row->index + first, index, n * sizeof *index);
}

static void ISA(nearest_codes)(const VfiNearestCodes *row)
{
    size_t i = 0;

    for (; i + CODED_PIXELS <= row->n; i += CODED_PIXELS)
        ISA(nearest_codes_of)(row, i, CODED_PIXELS);
    if (i < row->n)
        ISA(nearest_codes_of)(row, i, row->n - i);
}

static void ISA(fill_elementwise)(VfiCpuKernels *kernels)
{
    kernels->add = ISA(add);
    kernels->sub = ISA(sub);
    kernels->mul = ISA(mul);
    kernels->affine = ISA(affine);
    kernels->clamp = ISA(clamp);
    kernels->leaky = ISA(leaky);
    kernels->sigmoid = ISA(sigmoid);
    kernels->interleave = ISA(interleave);
    kernels->max_abs = ISA(max_abs);
    kernels->sum = ISA(sum);
    kernels->nearest_codes = ISA(nearest_codes);
    kernels->epilogue = ISA(epilogue);
    kernels->blend_rows = ISA(blend_rows);
    kernels->pool_row = ISA(pool_row);
    kernels->tap_row = ISA(tap_row);
}
