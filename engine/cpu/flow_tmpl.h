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

static inline float ISA(trust_at)(const float *const residual[3], float falloff, int left,
                                  int x, int right)
{
    const float *a = residual[0], *b = residual[1], *c = residual[2];
    float sum = (a[left] + b[left] + c[left]) + (a[x] + b[x] + c[x]) +
                (a[right] + b[right] + c[right]);
    float d = falloff * (1.0f / 9.0f) * sum, square = d * d;

    return 1.0f / (1.0f + square + square * square);
}

static void ISA(trust)(float *restrict dst, const float *const residual[3], float falloff,
                       int w)
{
    dst[0] = ISA(trust_at)(residual, falloff, 0, 0, w > 1);
    for (int x = 1; x < w - 1; x++)
        dst[x] = ISA(trust_at)(residual, falloff, x - 1, x, x + 1);
    if (w > 1)
        dst[w - 1] = ISA(trust_at)(residual, falloff, w - 2, w - 1, w - 1);
}

static inline float ISA(min2)(float a, float b)
{
    return a < b ? a : b;
}

static inline float ISA(max2)(float a, float b)
{
    return a > b ? a : b;
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
    for (int x = 0; x < fine_w / 2; x++)
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
        /* Holes are few. */
        if (fine->weight[x] < VFI_FLOW_HOLE && coarse->weight[x / 2] > 0.0f) {
            float factor = VFI_FLOW_HOLE / coarse->weight[x / 2];
            fine->weight[x] = VFI_FLOW_HOLE;
            fine->x[x] = factor * coarse->x[x / 2];
            fine->y[x] = factor * coarse->y[x / 2];
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

/* ---- refinement -------------------------------------------------------------------- */

static void ISA(linearise)(const VfiFlowRefineRow *r, const float *const from[3],
                           const float *const warped[3], float *const gradient[2],
                           float *difference)
{
    float *restrict gradient_x = gradient[0], *restrict gradient_y = gradient[1];
    const float *restrict flow_x = r->flow[0], *restrict flow_y = r->flow[1];
    const float *restrict at = warped[1], *restrict template = from[1];
    float *restrict rest = difference;
    int last = r->w - 1;

    for (int x = 1; x < last; x++)
        gradient_x[x] = at[x + 1] - at[x - 1];
    gradient_x[0] = at[last > 0] - at[0];
    gradient_x[last] = at[last] - at[last > 0 ? last - 1 : 0];
    for (int x = 0; x <= last; x++) {
        float gx = 0.25f * (gradient_x[x] + (template[x + 1] - template[x - 1]));
        float gy = 0.25f * ((warped[2][x] - warped[0][x]) + (from[2][x] - from[0][x]));
        gradient_x[x] = gx;
        gradient_y[x] = gy;
        rest[x] = at[x] - template[x] - (gx * flow_x[x] + gy * flow_y[x]);
    }
}

/* The square of @flow's change to the right and downwards. */
static inline float ISA(change)(const float *flow, const float *below, int x, int right)
{
    float dx = flow[right] - flow[x], dy = below[x] - flow[x];

    return dx * dx + dy * dy;
}

static inline float ISA(smoothness_at)(const VfiFlowRefineRow *r, int x, int right)
{
    return r->alpha /
           sqrtf(ISA(change)(r->flow[0], r->below[0], x, right) +
                 ISA(change)(r->flow[1], r->below[1], x, right) + VFI_FLOW_EPSILON);
}

static void ISA(weigh)(const VfiFlowRefineRow *r)
{
    const float *restrict gradient_x = r->gradient[0], *restrict gradient_y =
                                                           r->gradient[1];
    const float *restrict flow_x = r->flow[0], *restrict flow_y = r->flow[1];
    const float *restrict difference = r->difference;
    float *restrict data = r->data_weight, *restrict smoothness = r->smoothness;

    for (int x = 0; x < r->w; x++) {
        float gx = gradient_x[x], gy = gradient_y[x];
        float norm = 1.0f / (gx * gx + gy * gy + 1.0f);
        float rest = difference[x] + gx * flow_x[x] + gy * flow_y[x];
        data[x] =
            norm * VFI_FLOW_DATA_WEIGHT / sqrtf(rest * rest * norm + VFI_FLOW_EPSILON);
    }
    for (int x = 0; x < r->w - 1; x++)
        smoothness[x] = ISA(smoothness_at)(r, x, x + 1);
    smoothness[r->w - 1] = ISA(smoothness_at)(r, r->w - 1, r->w - 1);
}

/* Sums over neighbours: of their weights, and of those times their vectors. */
typedef struct {
    float weight, x, y;
} ISA(Neighbours);

static inline void ISA(add_neighbour)(ISA(Neighbours) * sum, float weight,
                                      const float *flow_x, const float *flow_y)
{
    sum->weight += weight;
    sum->x += weight * *flow_x;
    sum->y += weight * *flow_y;
}

/* RELAX of the one sample at column @x. */
static inline void ISA(relax_at)(const VfiFlowRefineRow *r, int x)
{
    float *u = r->flow[0] + x, *v = r->flow[1] + x;
    ISA(Neighbours) sum = {0};

    if (x > 0)
        ISA(add_neighbour)(&sum, r->smoothness[x - 1], u - 1, v - 1);
    if (x < r->w - 1)
        ISA(add_neighbour)(&sum, r->smoothness[x], u + 1, v + 1);
    if (r->has_above)
        ISA(add_neighbour)
    (&sum, r->smoothness_above[x], r->above[0] + x, r->above[1] + x);
    if (r->has_below)
        ISA(add_neighbour)(&sum, r->smoothness[x], r->below[0] + x, r->below[1] + x);
    float gx = r->gradient[0][x], gy = r->gradient[1][x];
    float weight = r->data_weight[x], d = r->difference[x];
    *u += r->omega *
          ((sum.x - weight * gx * (d + gy * *v)) / (weight * gx * gx + sum.weight) - *u);
    *v += r->omega *
          ((sum.y - weight * gy * (d + gx * *u)) / (weight * gy * gy + sum.weight) - *v);
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
    kernels->linearise = ISA(linearise);
    kernels->weigh = ISA(weigh);
}
