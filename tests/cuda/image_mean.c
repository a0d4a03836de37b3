/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mean of a prepared image against the CPU's. */
#include "tensor_util.h"

#include "cpu/image_mean.h"
#include "frames/frame_kernels.h"

static double device_mean(const float *values, const VfiCpuImage *image, size_t shift)
{
    size_t n = 3 * (size_t)image->padded_w * (size_t)image->padded_h;
    size_t scratch_bytes =
        vfi_cuda_image_mean_scratch(image->width, image->height) * sizeof(float);
    size_t guarded = GUARD_BYTES + scratch_bytes + GUARD_BYTES;
    g_autofree char *guards = g_malloc(guarded);
    memset(guards, GUARD_VALUE, guarded);
    char *memory = device_new(values, n * sizeof(float));
    char *scratch = device_new(guards, guarded), *result = device_new(guards, 24);
    double *mean = (double *)(void *)(result + 8), found;

    /* A scratch that is not aligned for doubles. */
    char *at = scratch + GUARD_BYTES - shift * sizeof(float);
    expect_success(vfi_cuda_image_mean(NULL, (const float *)(const void *)memory,
                                       image->padded_w, image->padded_h, image->width,
                                       image->height, (float *)(void *)at, mean));
    g_autofree char *read = device_read(result, 24);
    g_autofree char *left = device_read(scratch, guarded);
    if (!holds_guard_value(read, 8) || !holds_guard_value(read + 16, 8) ||
        !holds_guard_value(left, GUARD_BYTES - shift * sizeof(float)) ||
        !holds_guard_value(left + GUARD_BYTES + scratch_bytes - shift * sizeof(float),
                           GUARD_BYTES))
        ck_abort_msg("written beside the mean or its scratch");
    memcpy(&found, read + 8, sizeof found);
    device_free(memory);
    device_free(scratch);
    device_free(result);
    return found;
}

START_TEST(mean_of_a_picture)
{
    static const int sizes[][4] = {{1, 1, 1, 1},
                                   {4, 4, 3, 2},
                                   {64, 32, 64, 32},
                                   {320, 96, 301, 67},
                                   {32, 512, 5, 500}};
    VfiCpuImage image = {.padded_w = sizes[_i][0],
                         .padded_h = sizes[_i][1],
                         .width = sizes[_i][2],
                         .height = sizes[_i][3]};
    GRand *random = g_rand_new_with_seed((guint32)_i + 20);
    g_autofree float *values =
        random_floats(random, 3 * (size_t)image.padded_w * (size_t)image.padded_h);
    VfiPool *pool = vfi_pool_new(1, NULL);
    double expected;

    for (int i = 0; i < 3 * image.padded_w * image.padded_h; i++)
        values[i] = i % image.padded_w < image.width ? 0.5f * values[i] + 0.5f : NAN;
    for (int c = 0; c < 3; c++)
        for (int y = image.height; y < image.padded_h; y++)
            values[((size_t)c * (size_t)image.padded_h + (size_t)y) *
                   (size_t)image.padded_w] = NAN;
    image.values = values;
    ck_assert(vfi_cpu_image_mean(pool, VFI_CPU_LEVEL_C, &image, &expected, NULL));
    double mean = device_mean(values, &image, 0), again = device_mean(values, &image, 1);
    if (!(fabs(mean - expected) <= 1e-12) || mean != again)
        ck_abort_msg("the mean is %.17g and %.17g, not %.17g", mean, again, expected);
    vfi_pool_free(pool);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-image_mean");
    TCase *tcase = tcase_create("image_mean");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, mean_of_a_picture, 0, 5);
    return check_main(suite);
}
