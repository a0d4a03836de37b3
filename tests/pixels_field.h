/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flow fields for the pixel tests. */
#pragma once

#include <math.h>

#include "pixels/pixels.h"
#include "pixels_frames.h"

typedef struct {
    VfiFlowField field;
    float *flow, *mask; /* what field points to, for writing */
} TestField;

/* A field for frames of @info, padded by 5 columns and 3 rows; everything zero. */
static inline TestField test_field_new(const VfiVideoInfo *info, bool reference_borders)
{
    TestField test = {
        .field = {.padded_w = info->width + 5,
                  .padded_h = info->height + 3,
                  .plane = (size_t)(info->width + 5) * (size_t)(info->height + 3),
                  .reference_borders = reference_borders}};
    size_t plane = (size_t)test.field.padded_w * (size_t)test.field.padded_h;

    test.flow = calloc(4 * plane, sizeof(float));
    test.mask = calloc(plane, sizeof(float));
    ck_assert(test.flow != NULL && test.mask != NULL);
    test.field.flow = test.flow;
    test.field.mask = test.mask;
    return test;
}

static inline void test_field_free(TestField *test)
{
    free(test->flow);
    free(test->mask);
}

static inline size_t field_at(const TestField *test, int plane, int x, int y)
{
    size_t row = (size_t)plane * (size_t)test->field.padded_h + (size_t)y;
    return row * (size_t)test->field.padded_w + (size_t)x;
}

/* The same four flow values and mask everywhere. */
static inline void fill_constant(TestField *test, const float flow[4], float mask)
{
    for (int y = 0; y < test->field.padded_h; y++)
        for (int x = 0; x < test->field.padded_w; x++) {
            for (int i = 0; i < 4; i++)
                test->flow[field_at(test, i, x, y)] = flow[i];
            test->mask[field_at(test, 0, x, y)] = mask;
        }
}

/* Noise: flows within ±@reach pixels, masks in [0,1]. */
static inline void fill_field_noise(TestField *test, double reach, uint32_t seed)
{
    for (int y = 0; y < test->field.padded_h; y++)
        for (int x = 0; x < test->field.padded_w; x++) {
            for (int i = 0; i < 4; i++)
                test->flow[field_at(test, i, x, y)] =
                    (float)((noise(&seed) / 8388608.0 - 1) * reach);
            test->mask[field_at(test, 0, x, y)] = (float)(noise(&seed) / 16777216.0);
        }
}

/* Waves of some pixels, as a real motion gives. */
static inline void fill_smooth(TestField *test, double reach)
{
    for (int y = 0; y < test->field.padded_h; y++)
        for (int x = 0; x < test->field.padded_w; x++) {
            for (int i = 0; i < 4; i++)
                test->flow[field_at(test, i, x, y)] =
                    (float)(reach * sin(0.11 * x + 0.07 * y + i));
            test->mask[field_at(test, 0, x, y)] = (float)(0.5 + 0.5 * cos(0.05 * x - y));
        }
}
