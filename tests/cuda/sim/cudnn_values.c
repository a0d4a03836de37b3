/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cudnn_values.h"

#include <math.h>
#include <string.h>

#include <glib.h>

#include "base/f16.h"
#include "cpu/algorithm.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- values ------------------------------------------------------------------------ */

static void floats_from_halves(const uint16_t *halves, float *floats, int n)
{
    for (int i = 0; i < n; i++)
        floats[i] = vfi_float_from_f16(halves[i]);
}

/* Values that are too large become infinite, as on a device. */
static void halves_from_floats(const float *floats, uint16_t *halves, int n)
{
    for (int i = 0; i < n; i++)
        halves[i] = fabsf(floats[i]) >= 65520.0f
                        ? (uint16_t)(signbit(floats[i]) ? 0xfc00 : 0x7c00)
                        : vfi_f16_from_float(floats[i]);
}

#if defined(__x86_64__)
__attribute__((target("avx,f16c"))) static void
floats_from_halves_f16c(const uint16_t *halves, float *floats, int n)
{
    int i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(floats + i, _mm256_cvtph_ps(_mm_loadu_si128(
                                         (const __m128i *)(const void *)(halves + i))));
    floats_from_halves(halves + i, floats + i, n - i);
}

__attribute__((target("avx,f16c"))) static void
halves_from_floats_f16c(const float *floats, uint16_t *halves, int n)
{
    int i = 0;

    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(void *)(halves + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(floats + i),
                                         _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    halves_from_floats(floats + i, halves + i, n - i);
}
#endif

typedef struct {
    void (*to_floats)(const uint16_t *halves, float *floats, int n);
    void (*to_halves)(const float *floats, uint16_t *halves, int n);
} Conversion;

static Conversion conversion(void)
{
#if defined(__x86_64__)
    if (vfi_cpu_level() >= VFI_CPU_LEVEL_AVX2)
        return (Conversion){floats_from_halves_f16c, halves_from_floats_f16c};
#endif
    return (Conversion){floats_from_halves, halves_from_floats};
}

static float round_to_tf32(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7f800000u) != 0x7f800000u)
        bits = (bits + 0xfffu + (bits >> 13 & 1)) & ~0x1fffu;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void vfi_simulated_round_factors(VfiSimulatedMath math, float *values, size_t n)
{
    uint16_t half;

    if (math == VFI_SIMULATED_TF32)
        for (size_t i = 0; i < n; i++)
            values[i] = round_to_tf32(values[i]);
    if (math == VFI_SIMULATED_F16_INPUTS)
        for (size_t i = 0; i < n; i++) {
            halves_from_floats(values + i, &half, 1);
            values[i] = vfi_float_from_f16(half);
        }
}

/* ---- lines ------------------------------------------------------------------------- */

/* Elements that lie side by side in a tensor: a pixel's channels, or a plane's row. */
typedef struct {
    bool is_row;
    int n;            /* elements */
    int c, y, x;      /* of the first */
    ptrdiff_t offset; /* its place in the tensor */
} Line;

static bool has_rows(const VfiSimulatedTensor *t)
{
    return t->channel_stride != 1;
}

static size_t n_lines(const VfiSimulatedTensor *t)
{
    return (size_t)t->h * (size_t)(has_rows(t) ? t->c : t->w);
}

static int line_elements(const VfiSimulatedTensor *t)
{
    return has_rows(t) ? t->w : t->c;
}

static Line line_at(const VfiSimulatedTensor *t, int n, size_t index)
{
    Line line = {.is_row = has_rows(t), .n = line_elements(t)};

    if (line.is_row) {
        line.c = (int)(index / (size_t)t->h);
        line.y = (int)(index % (size_t)t->h);
    } else {
        line.y = (int)(index / (size_t)t->w);
        line.x = (int)(index % (size_t)t->w);
    }
    line.offset = n * t->batch_stride + line.c * t->channel_stride +
                  line.y * t->row_stride + line.x * t->pixel_stride;
    return line;
}

/* Where the line's first element is in a buffer of the CPU's. */
static size_t place(const VfiSimulatedTensor *t, const Line *line, int width)
{
    size_t pixels = (size_t)t->h * (size_t)t->w;
    size_t pixel = (size_t)line->y * (size_t)t->w + (size_t)line->x;

    return (size_t)(line->c / width) * (size_t)width * pixels + pixel * (size_t)width +
           (size_t)(line->c % width);
}

/* Stores a line in blocks of @width channels: a row's elements lie @width apart, a
 * pixel's channels side by side in each block, with zeros after the last one. */
static void put_line(const VfiSimulatedTensor *t, const Line *line, int width,
                     const float *values, float *buffer)
{
    float *at = buffer + place(t, line, width);
    size_t block_floats = (size_t)t->h * (size_t)t->w * (size_t)width;

    if (line->is_row) {
        for (int x = 0; x < line->n; x++)
            at[(size_t)x * (size_t)width] = values[x];
        return;
    }
    for (int c = 0; c < line->n; c += width, at += block_floats) {
        int n = MIN(width, line->n - c);
        memcpy(at, values + c, (size_t)n * sizeof *at);
        memset(at + n, 0, (size_t)(width - n) * sizeof *at);
    }
}

static void get_line(const VfiSimulatedTensor *t, const Line *line, int width,
                     const float *buffer, float *values)
{
    const float *at = buffer + place(t, line, width);
    size_t block_floats = (size_t)t->h * (size_t)t->w * (size_t)width;

    if (line->is_row) {
        for (int x = 0; x < line->n; x++)
            values[x] = at[(size_t)x * (size_t)width];
        return;
    }
    for (int c = 0; c < line->n; c += width, at += block_floats)
        memcpy(values + c, at, (size_t)MIN(width, line->n - c) * sizeof *values);
}

/* Zeroes the channels that a planar tensor's last block does not have. */
static void clear_last_block(const VfiSimulatedTensor *t, int width, float *buffer)
{
    size_t pixels = (size_t)t->h * (size_t)t->w;
    size_t used = (size_t)(t->c % width);
    float *block = buffer + (size_t)(t->c / width) * (size_t)width * pixels;

    if (used > 0)
        for (size_t i = 0; i < pixels; i++)
            memset(block + i * (size_t)width + used, 0,
                   ((size_t)width - used) * sizeof *block);
}

/* ---- pictures ---------------------------------------------------------------------- */

void vfi_simulated_load(const VfiSimulatedConvolution *convolution, VfiSimulatedMath math,
                        int block, const void *src, int n, float *to)
{
    const VfiSimulatedTensor *t = &convolution->src;
    Conversion convert = conversion();
    int width = MAX(block, 1);
    g_autofree float *values = g_new(float, line_elements(t));

    if (has_rows(t))
        clear_last_block(t, width, to);
    for (size_t i = 0; i < n_lines(t); i++) {
        Line line = line_at(t, n, i);
        if (convolution->half)
            convert.to_floats((const uint16_t *)src + line.offset, values, line.n);
        else
            memcpy(values, (const float *)src + line.offset,
                   (size_t)line.n * sizeof *values);
        vfi_simulated_round_factors(math, values, (size_t)line.n);
        put_line(t, &line, width, values, to);
    }
}

void vfi_simulated_store(const VfiSimulatedConvolution *convolution, float factor,
                         int block, const float *from, int n, void *dst)
{
    const VfiSimulatedTensor *t = &convolution->dst;
    Conversion convert = conversion();
    int width = MAX(block, 1);
    g_autofree float *values = g_new(float, 2 * (size_t)line_elements(t));
    float *old = values + line_elements(t);

    for (size_t i = 0; i < n_lines(t); i++) {
        Line line = line_at(t, n, i);
        float *floats = (float *)dst + line.offset;
        uint16_t *halves = (uint16_t *)dst + line.offset;
        get_line(t, &line, width, from, values);
        for (int k = 0; k < line.n && factor != 1.0f; k++)
            values[k] *= factor;
        if (convolution->beta != 0.0f) {
            if (convolution->half)
                convert.to_floats(halves, old, line.n);
            else
                memcpy(old, floats, (size_t)line.n * sizeof *old);
            for (int k = 0; k < line.n; k++)
                values[k] += convolution->beta * old[k];
        }
        if (convolution->half)
            convert.to_halves(values, halves, line.n);
        else
            memcpy(floats, values, (size_t)line.n * sizeof *values);
    }
}
