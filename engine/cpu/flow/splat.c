/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the flows of a pair to one at a time. */
#include "cpu/flow/pass.h"

#include <math.h>
#include <string.h>

static VfiFlowArea area_of(const VfiFlowPlane *plane, int layers)
{
    return (VfiFlowArea){layers, plane->h, plane->w};
}

static VfiFlowSumRow sum_row(const VfiFlowWork *work, const VfiFlowSum *sum, int y)
{
    return (VfiFlowSumRow){
        vfi_work_row(work, &sum->weight, y),
        vfi_work_row(work, &sum->x, y),
        vfi_work_row(work, &sum->y, y),
    };
}

/* Rows of a chunk: what lands there comes from some more, which are looked at by several
 * chunks. */
#define SPLAT_ROWS 24

static int splat_chunks(const VfiFlowStep *step)
{
    const VfiFlowSplat *splat = &step->u.splat;

    return splat->n_sums * ((splat->sum[0].x.h + SPLAT_ROWS - 1) / SPLAT_ROWS);
}

static void clear_rows(const VfiFlowWork *work, const VfiFlowPlane *plane, int begin,
                       int end)
{
    for (int y = begin; y < end; y++)
        memset(vfi_work_row(work, plane, y), 0, plane->row * sizeof(float));
}

/* All of direction @d that lands in rows [begin, end) of @sum. */
static void splat_direction(const VfiFlowWork *work, int d, const VfiFlowSum *sum,
                            int begin, int end)
{
    const VfiFlowSplat *splat = &work->step->u.splat;
    VfiFlowSumRow first = sum_row(work, sum, 0);
    float t = work->arguments->t;
    VfiFlowSplatRow row = {
        .sum_weight = first.weight,
        .sum_x = first.x,
        .sum_y = first.y,
        .sum_row = sum->x.row,
        .w = sum->x.w,
        .h = sum->x.h,
        .begin = begin,
        .end = end,
        .t = d == 0 ? t : 1.0f - t,
        .sign = d == 0 ? 1.0f : -1.0f,
    };

    for (int y = 0; y < sum->x.h; y++) {
        const float *extent = vfi_work_row(work, &splat->extent[d], y);
        float least = (float)y + row.t * extent[0], most = (float)y + row.t * extent[1];
        if (least >= (float)end || most <= (float)begin - 1.0f)
            continue;
        row.source_y = y;
        row.x = vfi_work_row(work, &splat->flow[d][0], y);
        row.y = vfi_work_row(work, &splat->flow[d][1], y);
        row.weight = vfi_work_row(work, &splat->weight[d], y);
        work->kernels->flow.splat(&row);
    }
}

/* A chunk makes rows of a sum: it looks for what lands in them, in the order of the
 * source, so that sums do not depend on where chunks end. */
static void splat_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowSplat *splat = &work->step->u.splat;
    const VfiFlowSum *sum = &splat->sum[index % splat->n_sums];
    int begin = index / splat->n_sums * SPLAT_ROWS;
    int end = MIN(begin + SPLAT_ROWS, sum->x.h);

    clear_rows(work, &sum->weight, begin, end);
    clear_rows(work, &sum->x, begin, end);
    clear_rows(work, &sum->y, begin, end);
    for (int d = 0; d < 2; d++)
        if (splat->n_sums == 1 || d == index % 2)
            splat_direction(work, d, sum, begin, end);
}

static VfiFlowArea merge_area(const VfiFlowStep *step)
{
    return area_of(&step->u.merge.both.x, 1);
}

static void merge_rows(const VfiFlowWork *work, int layer, int begin, int end)
{
    const VfiFlowMerge *merge = &work->step->u.merge;
    (void)layer;

    for (int y = begin; y < end; y++) {
        VfiFlowSumRow both = sum_row(work, &merge->both, y);
        VfiFlowSumRow side[2] = {sum_row(work, &merge->side[0], y),
                                 sum_row(work, &merge->side[1], y)};
        work->kernels->flow.merge(&both, side, merge->scale, merge->both.x.w);
    }
}

static VfiFlowArea pull_area(const VfiFlowStep *step)
{
    return area_of(&step->u.fill.coarse.x, 1);
}

static void pull_rows(const VfiFlowWork *work, int layer, int begin, int end)
{
    const VfiFlowFill *fill = &work->step->u.fill;
    int last = fill->fine.x.h - 1;
    (void)layer;

    for (int y = begin; y < end; y++) {
        VfiFlowSumRow coarse = sum_row(work, &fill->coarse, y);
        VfiFlowSumRow fine[2] = {sum_row(work, &fill->fine, 2 * y),
                                 sum_row(work, &fill->fine, MIN(2 * y + 1, last))};
        work->kernels->flow.pull(&coarse, fine, fill->coarse.x.w, fill->fine.x.w);
    }
}

static VfiFlowArea push_area(const VfiFlowStep *step)
{
    return area_of(&step->u.fill.fine.x, 1);
}

static void push_rows(const VfiFlowWork *work, int layer, int begin, int end)
{
    const VfiFlowFill *fill = &work->step->u.fill;
    (void)layer;

    for (int y = begin; y < end; y++) {
        VfiFlowSumRow fine = sum_row(work, &fill->fine, y), coarse = {0};
        if (fill->coarse.x.w > 0)
            coarse = sum_row(work, &fill->coarse, y / 2);
        work->kernels->flow.push(&fine, &coarse, fill->normalise, fill->fine.x.w);
    }
}

/* ---- median ------------------------------------------------------------------------ */

#define TAPS 5

static VfiFlowArea median_area(const VfiFlowStep *step)
{
    return area_of(&step->u.median.from[0], 2);
}

static void median_in_columns(const VfiFlowWork *work, const VfiFlowPlane *from,
                              float *dst, float scale, int y)
{
    const float *src[TAPS];

    for (int i = 0; i < TAPS; i++)
        src[i] = vfi_work_row(work, from, CLAMP(y + i - TAPS / 2, 0, from->h - 1));
    work->kernels->flow.median(dst, src, scale, from->w);
}

/* One sample whose neighbours may lie beyond the row. */
static void median_at_edge(const VfiFlowWork *work, const float *row, int w, float *dst,
                           float scale, int x)
{
    const float *src[TAPS];
    float result;

    for (int i = 0; i < TAPS; i++)
        src[i] = row + CLAMP(x + i - TAPS / 2, 0, w - 1);
    work->kernels->flow.median(&result, src, scale, 1);
    dst[x] = result;
}

static void median_in_row(const VfiFlowWork *work, const float *row, int w, float *dst,
                          float scale)
{
    const float *src[TAPS];
    int inner = w - 2 * (TAPS / 2);

    if (inner > 0) {
        for (int i = 0; i < TAPS; i++)
            src[i] = row + i;
        work->kernels->flow.median(dst + TAPS / 2, src, scale, inner);
    }
    for (int x = 0; x < w; x++)
        if (x < TAPS / 2 || x >= w - TAPS / 2)
            median_at_edge(work, row, w, dst, scale, x);
}

static void median_rows(const VfiFlowWork *work, int axis, int begin, int end)
{
    const VfiFlowMedian *median = &work->step->u.median;
    const VfiFlowPlane *from = &median->from[axis];

    for (int y = begin; y < end; y++) {
        float *dst = vfi_work_row(work, &median->to[axis], y);
        if (median->vertical)
            median_in_columns(work, from, dst, median->scale, y);
        else
            median_in_row(work, vfi_work_row(work, from, y), from->w, dst, median->scale);
    }
}

static VfiFlowArea sides_area(const VfiFlowStep *step)
{
    return area_of(&step->u.sides.flow[0], 2);
}

static void sides_rows(const VfiFlowWork *work, int side, int begin, int end)
{
    const VfiFlowSides *sides = &work->step->u.sides;

    for (int y = begin; y < end; y++)
        work->kernels->flow.sides(vfi_work_row(work, &sides->side[side][0], y),
                                  vfi_work_row(work, &sides->side[side][1], y),
                                  vfi_work_row(work, &sides->flow[0], y),
                                  vfi_work_row(work, &sides->flow[1], y),
                                  sides->flow[0].w);
}

const VfiFlowPass vfi_flow_splat = {.chunks = splat_chunks, .chunk = splat_chunk};
const VfiFlowPass vfi_flow_merge = {.area = merge_area, .rows = merge_rows};
const VfiFlowPass vfi_flow_pull = {.area = pull_area, .rows = pull_rows};
const VfiFlowPass vfi_flow_push = {.area = push_area, .rows = push_rows};
const VfiFlowPass vfi_flow_median = {.area = median_area, .rows = median_rows};
const VfiFlowPass vfi_flow_sides = {.area = sides_area, .rows = sides_rows};
