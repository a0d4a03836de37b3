/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel table in plain C: the reference that every instruction set is tested
 * against. */
#define ISA(name) name##_c

#include <math.h>

#include "base/f16.h"
#include "cpu/elementwise_tmpl.h"

static void resize_row_c(const VfiResizeRow *row)
{
    for (int x = 0; x < row->dst_w; x++) {
        int x0 = row->x0[x];
        int x1 = x0 + (x0 < row->src_w - 1);
        float wx = row->x_weight[x], wy = row->y_weight;
        float top = row->top[x0] + wx * (row->top[x1] - row->top[x0]);
        float bottom = row->bottom[x0] + wx * (row->bottom[x1] - row->bottom[x0]);
        row->dst[x] = row->mul * (top + wy * (bottom - top));
    }
}

static void stretch_row_c(const VfiStretchRow *row)
{
    for (int x = 0; x < row->dst_w; x++) {
        int x0 = row->x0[x];
        int x1 = x0 + (x0 < row->src_w - 1);
        row->dst[x] = row->src[x0] + row->x_weight[x] * (row->src[x1] - row->src[x0]);
    }
}

/* Into [0, limit]; NaN becomes 0. */
static float clamp_coordinate(float x, float limit)
{
    x = x > 0.0f ? x : 0.0f;
    return x < limit ? x : limit;
}

static void warp_row_c(const VfiWarpRow *row)
{
    for (int i = 0; i < row->n; i++) {
        float x = clamp_coordinate(row->x[i] + row->flow_x[i], (float)(row->src_w - 1));
        float y =
            clamp_coordinate((float)row->y + row->flow_y[i], (float)(row->src_h - 1));
        int x0 = (int)x, y0 = (int)y;
        int right = x0 < row->src_w - 1;
        size_t below = y0 < row->src_h - 1 ? (size_t)row->src_w : 0;
        float wx = x - (float)x0, wy = y - (float)y0;
        const float *p = row->src + (size_t)y0 * (size_t)row->src_w + x0;
        float *dst = row->dst + i;
        for (int c = 0; c < row->channels; c++) {
            float top = p[0] + wx * (p[right] - p[0]);
            float bottom = p[below] + wx * (p[below + (size_t)right] - p[below]);
            *dst = top + wy * (bottom - top);
            p += row->src_plane;
            dst += row->dst_plane;
        }
    }
}

static void narrow_c(uint16_t *dst, const float *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = vfi_f16_from_float(src[i]);
}

static void widen_c(float *dst, const uint16_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = vfi_float_from_f16(src[i]);
}

/* Where exp(-x) is more than floats hold, the limit. */
static float silu_of(float x)
{
    return x < -87.0f ? 0.0f : x / (1.0f + expf(-x));
}

static float gelu_of(float x)
{
    return x < -13.0f ? 0.0f : x * (0.5f * erfcf(x * -0.707106781f));
}

static void scale_shift_c(const VfiScaleShiftRun *run)
{
    for (size_t i = 0; i < run->n; i++) {
        float x = run->src[i] * run->factor[i % VFI_LANES] + run->addend[i % VFI_LANES];
        if (run->activation == VFI_ACTIVATION_LEAKY)
            x = x < 0.0f ? x * run->leak : x;
        else if (run->activation == VFI_ACTIVATION_SILU)
            x = silu_of(x);
        else if (run->activation == VFI_ACTIVATION_GELU)
            x = gelu_of(x);
        run->dst[i] = x;
    }
}

static void moments_c(const VfiMomentsRun *run)
{
    for (size_t i = 0; i < run->n; i++) {
        double x = (double)run->src[i];
        run->sum[i % VFI_LANES] += x;
        run->square[i % VFI_LANES] += x * x;
    }
}

static void add_squares_c(float *sum, const float *src, const float *mean, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float off = src[i] - mean[i];
        sum[i] += off * off;
    }
}

static void normalise_plane_c(const VfiNormaliseRun *run)
{
    for (size_t i = 0; i < run->n; i++)
        run->dst[i] =
            (run->src[i] - run->mean[i]) * (run->factor[i] * run->weight) + run->bias;
}

/* exp(x) for x ≤ 0: no less than exp(-87), which is next to nothing. */
static float exp_negative(float x)
{
    return exp_c(x < -87.0f ? -87.0f : x);
}

enum { PLAIN_QUERIES = 2 * VFI_PLAIN_FLOATS };

static void softmax_tile_c(const VfiSoftmaxTile *tile)
{
    float largest[PLAIN_QUERIES], sum[PLAIN_QUERIES];

    memcpy(largest, tile->largest, sizeof largest);
    for (int i = 0; i < tile->n * PLAIN_QUERIES; i++) {
        float *most = &largest[i % PLAIN_QUERIES];
        *most = tile->scores[i] > *most ? tile->scores[i] : *most;
    }
    for (int q = 0; q < PLAIN_QUERIES; q++) {
        tile->keep[q] = exp_negative(tile->largest[q] - largest[q]);
        sum[q] = tile->sum[q] * tile->keep[q];
    }
    for (int i = 0; i < tile->n * PLAIN_QUERIES; i++) {
        tile->scores[i] = exp_negative(tile->scores[i] - largest[i % PLAIN_QUERIES]);
        sum[i % PLAIN_QUERIES] += tile->scores[i];
    }
    memcpy(tile->largest, largest, sizeof largest);
    memcpy(tile->sum, sum, sizeof sum);
}

static void weigh_tile_c(const VfiWeighTile *tile)
{
    for (int c = 0; c < VFI_PLAIN_FLOATS; c++) {
        float *to = tile->sums + (ptrdiff_t)c * PLAIN_QUERIES;
        float sum[PLAIN_QUERIES] = {0};
        for (int i = 0; i < tile->n; i++) {
            float value = tile->values[i * VFI_PLAIN_FLOATS + c];
            const float *parts = tile->parts + (ptrdiff_t)i * PLAIN_QUERIES;
            for (int q = 0; q < PLAIN_QUERIES; q++)
                sum[q] += value * parts[q];
        }
        for (int q = 0; q < PLAIN_QUERIES; q++)
            to[q] = tile->keep != NULL ? to[q] * tile->keep[q] + sum[q] : sum[q];
    }
}

void vfi_cpu_kernels_fill_c(VfiCpuKernels *kernels)
{
    fill_elementwise_c(kernels);
    kernels->resize_row = resize_row_c;
    kernels->stretch_row = stretch_row_c;
    kernels->warp_row = warp_row_c;
    kernels->scale_shift = scale_shift_c;
    kernels->moments = moments_c;
    kernels->add_squares = add_squares_c;
    kernels->normalise_plane = normalise_plane_c;

    kernels->softmax_tile = softmax_tile_c;
    kernels->weigh_tile = weigh_tile_c;
    kernels->narrow = narrow_c;
    kernels->widen = widen_c;
    vfi_cpu_flow_kernels_fill_c(&kernels->flow);
}
