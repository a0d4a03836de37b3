/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels of `flow` in plain C, in a form that compilers turn into vectors by themselves.
 * Included once per level, after a definition of ISA(name), and compiled with that
 * level's flags; without contraction every level gives the same bits. */
#include <math.h>

#include "cpu/flow_kernels.h"

static void ISA(halve)(float *dst, const float *top, const float *bottom, size_t n)
{
    for (size_t x = 0; x < n; x++)
        dst[x] =
            0.25f * (top[2 * x] + top[2 * x + 1] + bottom[2 * x] + bottom[2 * x + 1]);
}

static void ISA(difference)(float *dst, const float *from, size_t n)
{
    for (size_t x = 0; x < n; x++)
        dst[x] = fabsf(from[x] - dst[x]);
}

static inline float ISA(min2)(float a, float b)
{
    return a < b ? a : b;
}

static inline float ISA(max2)(float a, float b)
{
    return a > b ? a : b;
}

/* What residuals leave of a weight, in which @dst has the mean's ninths. */
static inline float ISA(ninth)(const float *const residual[3], int left, int x, int right)
{
    const float *a = residual[0], *b = residual[1], *c = residual[2];

    return (a[left] + b[left] + c[left]) + (a[x] + b[x] + c[x]) +
           (a[right] + b[right] + c[right]);
}

/* The square of the vector's length there and back. */
static inline float ISA(there_and_back)(const VfiFlowTrustRow *row, int x)
{
    float limit_x = (float)(row->w - 1), limit_y = (float)(row->h - 1);
    float to_x = ISA(min2)(ISA(max2)((float)x + row->x[x], 0.0f), limit_x);
    float to_y = ISA(min2)(ISA(max2)((float)row->line + row->y[x], 0.0f), limit_y);
    int at = (int)(to_y + 0.5f) * (int)row->back_row + (int)(to_x + 0.5f);
    float dx = row->x[x] + row->back_x[at], dy = row->y[x] + row->back_y[at];

    return dx * dx + dy * dy;
}

static void ISA(trust)(float *restrict dst, const VfiFlowTrustRow *row)
{
    float falloff = row->falloff * (1.0f / 9.0f);
    float disagreement = row->disagreement * row->disagreement;
    int w = row->w;

    dst[0] = ISA(ninth)(row->residual, 0, 0, w > 1);
    for (int x = 1; x < w - 1; x++)
        dst[x] = ISA(ninth)(row->residual, x - 1, x, x + 1);
    if (w > 1)
        dst[w - 1] = ISA(ninth)(row->residual, w - 2, w - 1, w - 1);
    for (int x = 0; x < w; x++) {
        float d = falloff * dst[x], square = d * d;
        float there_and_back = disagreement * ISA(there_and_back)(row, x);
        dst[x] = 1.0f / ((1.0f + square + square * square) * (1.0f + there_and_back));
    }
}

/* Lanes that compilers keep in vectors: they may not reorder a row's minimum. */
#define LANES 16

static void ISA(extent)(const float *flow_y, int w, float extent[2])
{
    float least[LANES], greatest[LANES];
    int x = 0;

    for (int i = 0; i < LANES; i++)
        least[i] = greatest[i] = flow_y[0];
    for (; x + LANES <= w; x += LANES)
        for (int i = 0; i < LANES; i++) {
            least[i] = ISA(min2)(flow_y[x + i], least[i]);
            greatest[i] = ISA(max2)(flow_y[x + i], greatest[i]);
        }
    for (; x < w; x++) {
        least[0] = ISA(min2)(flow_y[x], least[0]);
        greatest[0] = ISA(max2)(flow_y[x], greatest[0]);
    }
    extent[0] = least[0];
    extent[1] = greatest[0];
    for (int i = 1; i < LANES; i++) {
        extent[0] = ISA(min2)(extent[0], least[i]);
        extent[1] = ISA(max2)(extent[1], greatest[i]);
    }
}

static void ISA(divide_side)(float *restrict x, float *restrict y,
                             const float *restrict weight, float scale, int w)
{
    for (int i = 0; i < w; i++) {
        float factor = scale / ISA(max2)(weight[i], VFI_FLOW_HOLE);
        x[i] = weight[i] < VFI_FLOW_HOLE ? VFI_FLOW_NO_VECTOR : x[i] * factor;
        y[i] = y[i] * factor;
    }
}

static void ISA(add_rows)(float *restrict dst, const float *restrict a,
                          const float *restrict b, int w)
{
    for (int i = 0; i < w; i++)
        dst[i] = a[i] + b[i];
}

static void ISA(merge)(const VfiFlowSumRow *both, const VfiFlowSumRow side[2],
                       float scale, int w)
{
    ISA(add_rows)(both->weight, side[0].weight, side[1].weight, w);
    ISA(add_rows)(both->x, side[0].x, side[1].x, w);
    ISA(add_rows)(both->y, side[0].y, side[1].y, w);
    for (int i = 0; i < 2; i++)
        ISA(divide_side)(side[i].x, side[i].y, side[i].weight, scale, w);
}

static void ISA(pull_row)(float *restrict dst, const float *restrict top,
                          const float *restrict bottom, int w, int fine_w)
{
    for (ptrdiff_t x = 0; x < fine_w / 2; x++)
        dst[x] = (top[2 * x] + top[2 * x + 1]) + (bottom[2 * x] + bottom[2 * x + 1]);
    if (fine_w % 2 != 0)
        dst[w - 1] = 2.0f * top[fine_w - 1] + 2.0f * bottom[fine_w - 1];
}

static void ISA(pull)(const VfiFlowSumRow *coarse, const VfiFlowSumRow fine[2], int w,
                      int fine_w)
{
    ISA(pull_row)(coarse->weight, fine[0].weight, fine[1].weight, w, fine_w);
    ISA(pull_row)(coarse->x, fine[0].x, fine[1].x, w, fine_w);
    ISA(pull_row)(coarse->y, fine[0].y, fine[1].y, w, fine_w);
}

static void ISA(normalise)(float *restrict x, float *restrict y,
                           const float *restrict weight, int w)
{
    for (int i = 0; i < w; i++) {
        float factor = 1.0f / ISA(max2)(weight[i], 1e-9f);
        x[i] *= factor;
        y[i] *= factor;
    }
}

static void ISA(push)(const VfiFlowSumRow *fine, const VfiFlowSumRow *coarse,
                      bool normalise, int w)
{
    for (int x = 0; coarse->weight != NULL && x < w; x++) {
        /* Few are. */
        if (fine->weight[x] < VFI_FLOW_THIN && coarse->weight[x / 2] > 0.0f) {
            float factor = VFI_FLOW_FILL / coarse->weight[x / 2];
            fine->weight[x] += VFI_FLOW_FILL;
            fine->x[x] += factor * coarse->x[x / 2];
            fine->y[x] += factor * coarse->y[x / 2];
        }
    }
    if (normalise)
        ISA(normalise)(fine->x, fine->y, fine->weight, w);
}

static void ISA(median)(float *restrict dst, const float *const src[5], float scale,
                        int n)
{
    const float *restrict a = src[0], *restrict b = src[1], *restrict c = src[2],
                          *restrict d = src[3], *restrict e = src[4];

    for (int x = 0; x < n; x++) {
        float low = ISA(max2)(ISA(min2)(a[x], b[x]), ISA(min2)(c[x], d[x]));
        float high = ISA(min2)(ISA(max2)(a[x], b[x]), ISA(max2)(c[x], d[x]));
        float least = ISA(min2)(low, high), greatest = ISA(max2)(low, high);
        dst[x] = scale * ISA(max2)(least, ISA(min2)(greatest, e[x]));
    }
}

static void ISA(sides)(float *restrict side_x, float *restrict side_y,
                       const float *restrict flow_x, const float *restrict flow_y, int w)
{
    for (int x = 0; x < w; x++) {
        bool has = side_x[x] != VFI_FLOW_NO_VECTOR;
        side_x[x] = has ? side_x[x] : flow_x[x];
        side_y[x] = has ? side_y[x] : flow_y[x];
    }
}

static void ISA(fill_flow)(VfiFlowKernels *kernels)
{
    kernels->halve = ISA(halve);
    kernels->difference = ISA(difference);
    kernels->trust = ISA(trust);
    kernels->extent = ISA(extent);
    kernels->merge = ISA(merge);
    kernels->pull = ISA(pull);
    kernels->push = ISA(push);
    kernels->median = ISA(median);
    kernels->sides = ISA(sides);
}
