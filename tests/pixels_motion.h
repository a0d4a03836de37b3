/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Motion for the tests of synthesis, and the picture that motion.h says it makes: in
 * double precision, sample by sample. */
#pragma once

#include <math.h>

#include "pixels/motion.h"
#include "pixels_frames.h"
#include "sanitizers.h"

#define MOTION_BORDER 4

/* Motion with memory of its own; what it points to, for writing. */
typedef struct {
    VfiMotion motion;
    float *flow[VFI_MOTION_FLOWS][2];
    float *picture[2];
    float *memory;
} TestMotion;

/* For frames of @info; .level, .n_flows, .n_shifts, .radius, .prior and .t are as in
 * @like, vectors are zero and both pictures 0. */
static inline TestMotion test_motion_new(const VfiVideoInfo *info, const VfiMotion *like)
{
    TestMotion test = {.motion = *like};
    VfiMotion *motion = &test.motion;
    const int cell = 1 << like->level;

    motion->grid_w = (info->width + cell - 1) / cell;
    motion->grid_h = (info->height + cell - 1) / cell;
    motion->row = (size_t)motion->grid_w + 3;
    motion->picture_row = (size_t)motion->grid_w + 2 * MOTION_BORDER + 1;
    motion->border = MOTION_BORDER;
    size_t field = motion->row * (size_t)motion->grid_h;
    size_t picture = motion->picture_row * (size_t)(motion->grid_h + 2 * MOTION_BORDER);
    float *free = calloc(2 * picture + 2 * VFI_MOTION_FLOWS * field, sizeof *free);
    ck_assert_ptr_nonnull(free);
    test.memory = free;
    for (int f = 0; f < 2; f++, free += picture) {
        test.picture[f] = free + MOTION_BORDER * motion->picture_row + MOTION_BORDER;
        motion->picture[f] = test.picture[f];
    }
    for (int i = 0; i < 2 * VFI_MOTION_FLOWS; i++, free += field) {
        test.flow[i / 2][i % 2] = free;
        motion->flow[i / 2][i % 2] = free;
    }
    return test;
}

static inline void test_motion_free(TestMotion *test)
{
    free(test->memory);
}

/* Writes the border of both pictures. */
static inline void test_motion_pad(TestMotion *test)
{
    const VfiMotion *motion = &test->motion;
    const ptrdiff_t row = (ptrdiff_t)motion->picture_row;

    for (int f = 0; f < 2; f++)
        for (int y = -MOTION_BORDER; y < motion->grid_h + MOTION_BORDER; y++)
            for (int x = -MOTION_BORDER; x < motion->grid_w + MOTION_BORDER; x++) {
                int inside_x = x < 0 ? 0 : x < motion->grid_w ? x : motion->grid_w - 1;
                int inside_y = y < 0 ? 0 : y < motion->grid_h ? y : motion->grid_h - 1;
                test->picture[f][y * row + x] =
                    test->picture[f][inside_y * row + inside_x];
            }
}

/* Pictures of noise, the second not far from the first, so that differences are small in
 * some places and large in others; vectors within ±@reach luma pixels that differ from
 * cell to cell (@smooth: little). */
static inline void test_motion_fill(TestMotion *test, double reach, bool smooth,
                                    uint32_t seed)
{
    const VfiMotion *motion = &test->motion;

    for (int y = 0; y < motion->grid_h; y++)
        for (int x = 0; x < motion->grid_w; x++) {
            size_t at = (size_t)y * motion->picture_row + (size_t)x;
            double value = noise(&seed) % 256, near = value + noise(&seed) % 16 - 8;
            test->picture[0][at] = (float)value;
            test->picture[1][at] = (float)(near < 0 ? 0 : near > 255 ? 255 : near);
            at = (size_t)y * motion->row + (size_t)x;
            for (int i = 0; i < 2 * VFI_MOTION_FLOWS; i++) {
                double vector = noise(&seed) / 8388608.0 - 1;
                if (smooth)
                    vector = sin(0.05 * x + 0.08 * y + 0.4 * i) + 0.01 * vector;
                if ((x / 9 + y / 7) % 4 == 0) /* much that is nearly equal … */
                    vector = (i % 2 + x / 9 % 2 * 3 + vector / 3) / (x / 9 % 5 + 9);
                if ((x / 9 + y / 7) % 4 == 2) /* … or still, but not all of a place */
                    vector = (noise(&seed) % 8 == 0 ? 3 : 0.07) * vector / reach;
                test->flow[i / 2][i % 2][at] = (float)(vector * reach);
            }
        }
    test_motion_pad(test);
}

/* The formulas' view of a motion: weights by hypothesis and every spacing-th cell, behind
 * them the blend's, then the network's. */
typedef struct {
    const VfiVideoInfo *info;
    const VfiMotion *motion;
    int width, height; /* such cells */
    double *weight;
} MotionFormula;

/* Places among the weights. */
static inline int blend_of(const VfiMotion *motion)
{
    return motion->n_flows + motion->n_shifts;
}

static inline int network_of(const VfiMotion *motion)
{
    return blend_of(motion) + 1;
}

static inline int clamp_index(int at, int size)
{
    return at < 0 ? 0 : at < size ? at : size - 1;
}

/* A field's value at a cell, which may lie beyond the grid; the blend's is 0. */
TEST_FORMULA static inline double vector_at(const VfiMotion *motion, int hypothesis,
                                            int axis, int x, int y)
{
    const double cell = 1 << motion->level;
    int field = hypothesis;

    x = clamp_index(x, motion->grid_w);
    y = clamp_index(y, motion->grid_h);
    if (hypothesis == blend_of(motion))
        return 0;
    if (hypothesis >= motion->n_flows) {
        const int8_t *shift = motion->shift[hypothesis - motion->n_flows];
        x = clamp_index(x + (int)round(shift[0] / cell), motion->grid_w);
        y = clamp_index(y + (int)round(shift[1] / cell), motion->grid_h);
        field = 0;
    }
    return (double)motion->flow[field][axis][(size_t)y * motion->row + (size_t)x];
}

TEST_FORMULA static inline double clamp_place(double at, int size)
{
    return at > 0 ? (at < size - 1 ? at : size - 1) : 0;
}

TEST_FORMULA static inline double picture_at(const VfiMotion *motion, int frame, double x,
                                             double y)
{
    x = clamp_place(x, motion->grid_w);
    y = clamp_place(y, motion->grid_h);
    int x0 = (int)x, y0 = (int)y;
    int x1 = clamp_index(x0 + 1, motion->grid_w),
        y1 = clamp_index(y0 + 1, motion->grid_h);
    const float *top = motion->picture[frame] + (size_t)y0 * motion->picture_row;
    const float *bottom = motion->picture[frame] + (size_t)y1 * motion->picture_row;

    return ((double)top[x0] * (x0 + 1 - x) + (double)top[x1] * (x - x0)) * (y0 + 1 - y) +
           ((double)bottom[x0] * (x0 + 1 - x) + (double)bottom[x1] * (x - x0)) * (y - y0);
}

/* Which hypothesis a hypothesis's vector at a cell counts as. */
TEST_FORMULA static inline int counts_as(const VfiMotion *motion, int hypothesis, int x,
                                         int y)
{
    const int plain = motion->n_flows + motion->n_shifts;
    const float vx = (float)vector_at(motion, hypothesis, 0, x, y);
    const float vy = (float)vector_at(motion, hypothesis, 1, x, y);

    if (hypothesis != 0 && hypothesis != plain &&
        fabsf(vx - (float)vector_at(motion, 0, 0, x, y)) <= 0.25f &&
        fabsf(vy - (float)vector_at(motion, 0, 1, x, y)) <= 0.25f)
        return counts_as(motion, 0, x, y);
    return fabsf(vx) <= 0.0625f && fabsf(vy) <= 0.0625f ? plain : hypothesis;
}

/* How far beyond [0, size - 1] a place lies each way, the farther one; in luma pixels,
 * of which there are @pixels_x and @pixels_y from place to place. */
TEST_FORMULA static inline double pixels_beyond(double x, double y, int width, int height,
                                                int pixels_x, int pixels_y)
{
    double off_x = fmax(fmax(-x, x - (width - 1)), 0) * pixels_x;
    double off_y = fmax(fmax(-y, y - (height - 1)), 0) * pixels_y;

    return fmax(off_x, off_y);
}

TEST_FORMULA static inline double difference_at(const VfiMotion *motion, int hypothesis,
                                                int x, int y)
{
    const double cell = 1 << motion->level, t = (double)motion->t;
    x = clamp_index(x, motion->grid_w);
    y = clamp_index(y, motion->grid_h);
    hypothesis = counts_as(motion, hypothesis, x, y);
    double vx = vector_at(motion, hypothesis, 0, x, y) / cell;
    double vy = vector_at(motion, hypothesis, 1, x, y) / cell;

    double place[2][2] = {{x - t * vx, y - t * vy}, {x + (1 - t) * vx, y + (1 - t) * vy}};
    double beyond[2];
    for (int f = 0; f < 2; f++)
        beyond[f] = pixels_beyond(place[f][0], place[f][1], motion->grid_w,
                                  motion->grid_h, 1 << motion->level, 1 << motion->level);
    double unseen = fmin(1, fmax(beyond[0], beyond[1]) / 2);
    double distance = fmin(255, fabs(picture_at(motion, 0, place[0][0], place[0][1]) -
                                     picture_at(motion, 1, place[1][0], place[1][1])));
    return distance * (1 - unseen) + 16 * unseen;
}

/* The box mean's part of every spacing-th cell's weight. */
TEST_FORMULA static inline double mean_difference(const MotionFormula *formula,
                                                  const double *difference, int x, int y)
{
    const int radius = formula->motion->radius, side = 2 * radius + 1;
    double sum = 0;

    for (int j = -radius; j <= radius; j++)
        for (int i = -radius; i <= radius; i++)
            sum += difference[clamp_index(y + j, formula->height) * formula->width +
                              clamp_index(x + i, formula->width)];
    return sum / (side * side);
}

/* The mean over columns [x, x_end) and rows [y, y_end) of a network's plane: its flows'
 * x, y, x, y, its mask. The frame's last samples are repeated. */
TEST_FORMULA static inline double network_mean(const MotionFormula *formula, int plane,
                                               int x, int y, int x_end, int y_end)
{
    const VfiFlowField *field = formula->motion->network;
    const float *data =
        plane < 4 ? field->flow + (size_t)plane * field->plane : field->mask;
    double sum = 0;

    for (int j = y; j < y_end; j++)
        for (int i = x; i < x_end; i++) {
            int row = clamp_index(j, formula->info->height) - field->first_row;
            sum += (double)data[(size_t)row * (size_t)field->padded_w +
                                (size_t)clamp_index(i, formula->info->width)];
        }
    return sum / ((x_end - x) * (y_end - y));
}

/* As difference_at(), of a network: 4 where it is one frame alone. */
TEST_FORMULA static inline double network_difference_at(const MotionFormula *formula,
                                                        int x, int y)
{
    const VfiMotion *motion = formula->motion;
    const int cell = 1 << motion->level;
    double mean[5];

    for (int plane = 0; plane < 5; plane++)
        mean[plane] = network_mean(formula, plane, x * cell, y * cell, (x + 1) * cell,
                                   (y + 1) * cell);
    double certain = 1 - 2 * sqrt(mean[4] * (1 - mean[4]));
    double a = picture_at(motion, 0, x + mean[0] / cell, y + mean[1] / cell);
    double b = picture_at(motion, 1, x + mean[2] / cell, y + mean[3] / cell);

    return certain * 4 + (1 - certain) * fmin(255, fabs(a - b));
}

/* What a weight is times 1/(e + 4)². */
static inline double share_of(const VfiMotion *motion, int hypothesis)
{
    return hypothesis == blend_of(motion)     ? (double)motion->prior
           : hypothesis == network_of(motion) ? 2
                                              : 1;
}

TEST_FORMULA static inline MotionFormula motion_formula_new(const VfiVideoInfo *info,
                                                            const VfiMotion *motion)
{
    const int n = blend_of(motion) + (motion->network != NULL), spacing = motion->spacing;
    MotionFormula formula = {.info = info,
                             .motion = motion,
                             .width = (motion->grid_w + spacing - 1) / spacing,
                             .height = (motion->grid_h + spacing - 1) / spacing};
    const int cells = formula.width * formula.height;
    double *difference = calloc((size_t)cells, sizeof(double));

    formula.weight = calloc(((size_t)n + 1) * (size_t)cells, sizeof(double));
    ck_assert(formula.weight != NULL && difference != NULL);
    for (int h = 0; h <= n; h++) {
        for (int i = 0; i < cells; i++) {
            int x = i % formula.width * spacing, y = i / formula.width * spacing;
            difference[i] = h == network_of(motion)
                                ? network_difference_at(&formula, x, y)
                                : difference_at(motion, h, x, y);
        }
        for (int i = 0; i < cells; i++) {
            double e = 4 + mean_difference(&formula, difference, i % formula.width,
                                           i / formula.width);
            formula.weight[h * cells + i] = share_of(motion, h) / (e * e);
        }
    }
    for (int h = 0; h < blend_of(motion); h++)
        for (int i = 0; i < cells; i++) {
            double weight = formula.weight[h * cells + i];
            int as = counts_as(motion, h, i % formula.width * spacing,
                               i / formula.width * spacing);
            formula.weight[h * cells + i] = 0;
            formula.weight[as * cells + i] += weight;
        }
    free(difference);
    return formula;
}

static inline void motion_formula_free(MotionFormula *formula)
{
    free(formula->weight);
}

/* Catmull-Rom's kernel. */
TEST_FORMULA static inline double cubic_kernel(double x)
{
    x = fabs(x);
    if (x < 1)
        return 1.5 * x * x * x - 2.5 * x * x + 1;
    return x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0;
}

TEST_FORMULA static inline double cubic_at(const TestFrame *frame, int component,
                                           double x, double y)
{
    const int width = component_width(&frame->info, component);
    const int height = component_height(&frame->info, component);
    x = x > -9 ? (x < width + 9 ? x : width + 9) : -9;
    y = y > -9 ? (y < height + 9 ? y : height + 9) : -9;
    const int left = (int)floor(x), top = (int)floor(y);
    double value = 0;

    for (int j = top - 1; j <= top + 2; j++)
        for (int i = left - 1; i <= left + 2; i++)
            value +=
                cubic_kernel(x - i) * cubic_kernel(y - j) *
                get_code(frame, component, clamp_index(i, width), clamp_index(j, height));
    return value;
}

/* Between the four cells around a place: of a field, or (@axis 2) of weights. */
TEST_FORMULA static inline double
between_cells(const MotionFormula *formula, int hypothesis, int axis, double x, double y)
{
    const VfiMotion *motion = formula->motion;
    const int width = axis == 2 ? formula->width : motion->grid_w;
    const int height = axis == 2 ? formula->height : motion->grid_h;
    const int left = (int)floor(x), top = (int)floor(y);
    double value = 0;

    for (int j = top; j <= top + 1; j++)
        for (int i = left; i <= left + 1; i++) {
            int column = clamp_index(i, width), row = clamp_index(j, height);
            double part = (1 - fabs(x - i)) * (1 - fabs(y - j));
            value +=
                part *
                (axis == 2 ? formula->weight[(hypothesis * height + row) * width + column]
                           : vector_at(motion, hypothesis, axis, column, row));
        }
    return value;
}

/* What a network finds for the sample at (x, y) of @component: at chroma's, with the mean
 * of the luma samples that it is co-sited with. */
TEST_FORMULA static inline double network_sample(const MotionFormula *formula,
                                                 const TestFrame *a, const TestFrame *b,
                                                 int component, int x, int y)
{
    const VfiVideoInfo *info = formula->info;
    const VfiComponent *where = &vfi_format_describe(info->format)->component[component];
    const int site = (int)info->chroma_site;
    const int left = x << where->shift_x, top = y << where->shift_y;
    const int columns = where->shift_x && !(site & 1) && left + 1 < info->width ? 2 : 1;
    const int rows = where->shift_y && !(site & 2) && top + 1 < info->height ? 2 : 1;
    double mean[5];

    for (int plane = 0; plane < 5; plane++)
        mean[plane] = network_mean(formula, plane, left, top, left + columns, top + rows);
    return mean[4] * cubic_at(a, component, x + mean[0] / (1 << where->shift_x),
                              y + mean[1] / (1 << where->shift_y)) +
           (1 - mean[4]) * cubic_at(b, component, x + mean[2] / (1 << where->shift_x),
                                    y + mean[3] / (1 << where->shift_y));
}

/* What the hypothesis with vector @v, in samples of @component, finds. */
TEST_FORMULA static inline double hypothesis_sample(const MotionFormula *formula,
                                                    const TestFrame *frame[2],
                                                    int component, int x, int y,
                                                    const double v[2])
{
    const VfiComponent *where =
        &vfi_format_describe(formula->info->format)->component[component];
    const double t = (double)formula->motion->t;
    const double move[2] = {-t, 1 - t}, share[2] = {1 - t, t};
    double sum = 0, parts = 0;

    for (int f = 0; f < 2; f++) {
        double at_x = x + move[f] * v[0], at_y = y + move[f] * v[1];
        double beyond =
            pixels_beyond(at_x, at_y, component_width(formula->info, component),
                          component_height(formula->info, component), 1 << where->shift_x,
                          1 << where->shift_y);
        double part = share[f] * fmax(1 - beyond / 2, 0.125);
        sum += part * cubic_at(frame[f], component, at_x, at_y);
        parts += part;
    }
    return sum / parts;
}

/* What the sample at (x, y) of @component should be, not yet rounded or clamped. */
TEST_FORMULA static inline double synthesized_at(const MotionFormula *formula,
                                                 const TestFrame *a, const TestFrame *b,
                                                 int component, int x, int y)
{
    const VfiMotion *motion = formula->motion;
    const VfiComponent *where =
        &vfi_format_describe(a->info.format)->component[component];
    const int site = (int)a->info.chroma_site;
    const double cell = 1 << motion->level;
    const double luma_x = (x << where->shift_x) + (where->shift_x && !(site & 1)) * 0.5;
    const double luma_y = (y << where->shift_y) + (where->shift_y && !(site & 2)) * 0.5;
    const double grid_x = (luma_x + 0.5) / cell - 0.5;
    const double grid_y = (luma_y + 0.5) / cell - 0.5;
    double sum = 0, weights = 0;

    for (int h = 0; h <= blend_of(motion); h++) {
        double weight = between_cells(formula, h, 2, grid_x / motion->spacing,
                                      grid_y / motion->spacing);
        double v[2] = {
            between_cells(formula, h, 0, grid_x, grid_y) / (1 << where->shift_x),
            between_cells(formula, h, 1, grid_x, grid_y) / (1 << where->shift_y)};
        sum += weight * hypothesis_sample(formula, (const TestFrame *[]){a, b}, component,
                                          x, y, v);
        weights += weight;
    }
    if (motion->network != NULL) {
        double weight = between_cells(formula, network_of(motion), 2,
                                      grid_x / motion->spacing, grid_y / motion->spacing);
        sum += weight * network_sample(formula, a, b, component, x, y);
        weights += weight;
    }
    return sum / weights;
}
