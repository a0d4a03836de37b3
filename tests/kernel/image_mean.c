/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mean of a picture at every level, in pictures with padding that must not count. */
#include "cpu/image_mean.h"
#include "kernel_util.h"

/* Values in [0,1), NaN where the padding is. */
static float *random_picture(GRand *random, const VfiCpuImage *image)
{
    size_t plane = (size_t)image->padded_w * (size_t)image->padded_h;
    float *values = g_new(float, 3 * plane);

    for (size_t i = 0; i < 3 * plane; i++) {
        size_t x = i % (size_t)image->padded_w;
        size_t y = i % plane / (size_t)image->padded_w;
        bool counts = x < (size_t)image->width && y < (size_t)image->height;
        values[i] = counts ? (float)g_rand_double(random) : NAN;
    }
    return values;
}

static double expected_mean(const VfiCpuImage *image)
{
    size_t plane = (size_t)image->padded_w * (size_t)image->padded_h;
    long double sum = 0.0L;

    for (size_t c = 0; c < 3; c++)
        for (int y = 0; y < image->height; y++)
            for (int x = 0; x < image->width; x++)
                sum += image->values[c * plane + (size_t)y * (size_t)image->padded_w +
                                     (size_t)x];
    return (double)(sum / (3.0L * image->width * image->height));
}

static double mean_with(int threads, VfiCpuLevel level, const VfiCpuImage *image)
{
    VfiPool *pool = vfi_pool_new(threads, NULL);
    double mean = -1.0;

    ck_assert(vfi_cpu_image_mean(pool, level, image, &mean, NULL));
    vfi_pool_free(pool);
    return mean;
}

START_TEST(the_mean_is_that_of_the_picture_without_its_padding)
{
    static const struct {
        int width, height, padded_w, padded_h;
    } sizes[] = {{1, 1, 1, 1},     {1, 1, 16, 16},     {15, 3, 16, 16},
                 {17, 70, 32, 80}, {333, 61, 336, 64}, {641, 359, 656, 384}};
    GRand *random = g_rand_new_with_seed(7);

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        VfiCpuImage image = {.padded_w = sizes[i].padded_w,
                             .padded_h = sizes[i].padded_h,
                             .width = sizes[i].width,
                             .height = sizes[i].height};
        g_autofree float *values = random_picture(random, &image);
        image.values = values;
        double mean = mean_with(1, test_level, &image);
        ck_assert_double_eq_tol(mean, expected_mean(&image), 1e-12);
        /* the same bits with other threads and in plain C */
        for (int threads = 2; threads <= 5; threads++)
            ck_assert_double_eq(mean_with(threads, test_level, &image), mean);
        ck_assert_double_eq(mean_with(2, VFI_CPU_LEVEL_C, &image), mean);
    }
    g_rand_free(random);
}
END_TEST

START_TEST(a_cancelled_mean_is_not_written)
{
    const float values[3] = {1.0f, 1.0f, 1.0f};
    VfiCpuImage image = {values, 1, 1, 1, 1};
    VfiPool *pool = vfi_pool_new(2, NULL);
    atomic_int cancel = 1;
    double mean = -1.0;

    ck_assert(!vfi_cpu_image_mean(pool, test_level, &image, &mean, &cancel));
    ck_assert_double_eq(mean, -1.0);
    ck_assert_uint_eq(vfi_pool_chunks_run(pool), 0);
    vfi_pool_free(pool);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("image_mean");
    TCase *tcase = tcase_create("image_mean");
    tcase_add_test(tcase, the_mean_is_that_of_the_picture_without_its_padding);
    tcase_add_test(tcase, a_cancelled_mean_is_not_written);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
