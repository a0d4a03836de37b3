/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least value of a picture and of the shrunk one, against a definition in double
 * precision, and of its parts. */
#include <math.h>

#include "check_main.h"
#include "cpu/image_minimum.h"

typedef struct {
    int padded_w, padded_h, width, height;
    double scale;
} Size;

static const Size sizes[] = {{1, 1, 1, 1, 0.5},       {4, 4, 3, 2, 0.5},
                             {8, 8, 2, 3, 0.05},      {64, 32, 64, 32, 0.25},
                             {320, 96, 301, 67, 0.3}, {32, 512, 5, 500, 0.5},
                             {96, 64, 77, 51, 1.0},   {64, 64, 50, 40, 0.0}};

static float *values_of(const Size *size, GRand *random)
{
    size_t n = (size_t)size->padded_w * (size_t)size->padded_h;
    float *values = g_new(float, 3 * n);

    for (size_t i = 0; i < 3 * n; i++) {
        size_t x = i % (size_t)size->padded_w, y = i % n / (size_t)size->padded_w;
        bool is_inside = x < (size_t)size->width && y < (size_t)size->height;
        values[i] = is_inside ? (float)g_rand_double_range(random, 0.2, 1.0) : -1.0f;
    }
    return values;
}

/* Bilinear at a coordinate, with the edges repeated. */
static double sample(const float *plane, const Size *size, double y, double x)
{
    double found = 0.0;

    x = fmin(fmax(x, 0.0), size->width - 1);
    y = fmin(fmax(y, 0.0), size->height - 1);
    for (int j = (int)floor(y); j <= (int)ceil(y); j++)
        for (int i = (int)floor(x); i <= (int)ceil(x); i++)
            found += (1.0 - fabs(y - j)) * (1.0 - fabs(x - i)) *
                     (double)plane[(size_t)j * (size_t)size->padded_w + (size_t)i];
    return found;
}

static void define(const float *values, const Size *size, double minimum[2])
{
    double s = size->scale;
    int n_x = MAX((int)floor(size->width * s), 1);
    int n_y = MAX((int)floor(size->height * s), 1);

    minimum[0] = minimum[1] = 1.0;
    for (int c = 0; c < 3; c++) {
        const float *plane =
            values + (size_t)c * (size_t)size->padded_w * (size_t)size->padded_h;
        for (int y = 0; y < size->height; y++)
            for (int x = 0; x < size->width; x++)
                minimum[0] = fmin(minimum[0], sample(plane, size, y, x));
        for (int y = 0; y < n_y && s > 0.0; y++)
            for (int x = 0; x < n_x; x++)
                minimum[1] = fmin(minimum[1], sample(plane, size, (y + 0.5) / s - 0.5,
                                                     (x + 0.5) / s - 0.5));
    }
}

static VfiMinimumArea whole_area(const Size *size)
{
    return (VfiMinimumArea){.width = size->width,
                            .height = size->height,
                            .whole_w = size->width,
                            .whole_h = size->height,
                            .scale = size->scale};
}

static VfiCpuImage image_of(const float *values, const Size *size)
{
    return (VfiCpuImage){.values = values,
                         .padded_w = size->padded_w,
                         .padded_h = size->padded_h,
                         .width = size->width,
                         .height = size->height};
}

START_TEST(the_least_value_is_its_definition)
{
    const Size *size = &sizes[_i];
    GRand *random = g_rand_new_with_seed((guint32)_i + 3);
    g_autofree float *values = values_of(size, random);
    VfiCpuImage image = image_of(values, size);
    VfiMinimumArea area = whole_area(size);
    double expected[2];

    define(values, size, expected);
    for (unsigned threads = 1; threads <= 3; threads++) {
        VfiPool *pool = vfi_pool_new(threads, NULL);
        float minimum[2];
        ck_assert(vfi_cpu_image_minimum(pool, &image, &area, minimum, NULL));
        ck_assert_double_eq((double)minimum[0], expected[0]);
        ck_assert_double_eq_tol((double)minimum[1], expected[1], 3e-7);
        vfi_pool_free(pool);
    }
    g_rand_free(random);
}
END_TEST

/* Images of parts begin at any pixel; every part has the least value once. */
START_TEST(parts_find_what_the_whole_has)
{
    const Size *size = &sizes[_i];
    GRand *random = g_rand_new_with_seed((guint32)_i + 40);
    g_autofree float *values = values_of(size, random);
    VfiPool *pool = vfi_pool_new(2, NULL);
    VfiMinimumArea area = whole_area(size);
    VfiCpuImage image = image_of(values, size);
    float whole[2], part[2], least[2] = {1.0f, 1.0f};
    int step_x = size->width / 3 + 1, step_y = size->height / 2 + 1;

    ck_assert(vfi_cpu_image_minimum(pool, &image, &area, whole, NULL));
    for (area.y = 0; area.y < size->height; area.y += step_y)
        for (area.x = 0; area.x < size->width; area.x += step_x) {
            area.width = MIN(step_x, size->width - area.x);
            area.height = MIN(step_y, size->height - area.y);
            image.values =
                values + (size_t)area.y * (size_t)size->padded_w + (size_t)area.x;
            ck_assert(vfi_cpu_image_minimum(pool, &image, &area, part, NULL));
            for (int i = 0; i < 2; i++)
                least[i] = MIN(least[i], part[i]);
        }
    ck_assert_float_eq(least[0], whole[0]);
    ck_assert_float_eq(least[1], whole[1]);
    vfi_pool_free(pool);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image_minimum");
    TCase *tcase = tcase_create("image_minimum");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, the_least_value_is_its_definition, 0,
                        (int)G_N_ELEMENTS(sizes));
    tcase_add_loop_test(tcase, parts_find_what_the_whole_has, 0,
                        (int)G_N_ELEMENTS(sizes));
    return check_main(suite);
}
