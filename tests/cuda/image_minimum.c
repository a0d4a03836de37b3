/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least value of a prepared image and of the shrunk one: the CPU's bits. */
#include "tensor_util.h"

#include "cpu/image_minimum.h"
#include "frames/frame_kernels.h"

static void find_on_device(const float *values, const VfiCpuImage *image,
                           const VfiMinimumArea *area, float minimum[2])
{
    size_t n = 3 * (size_t)image->padded_w * (size_t)image->padded_h;
    size_t scratch_bytes = vfi_cuda_image_minimum_scratch() * sizeof(float);
    size_t guarded = GUARD_BYTES + scratch_bytes + GUARD_BYTES;
    g_autofree char *guards = g_malloc(guarded);
    memset(guards, GUARD_VALUE, guarded);
    char *memory = device_new(values, n * sizeof(float));
    char *scratch = device_new(guards, guarded), *result = device_new(guards, 24);

    expect_success(vfi_cuda_image_minimum(
        NULL, (const float *)(const void *)memory, image->padded_w, image->padded_h, area,
        (float *)(void *)(scratch + GUARD_BYTES), (float *)(void *)(result + 8)));
    g_autofree char *read = device_read(result, 24);
    g_autofree char *left = device_read(scratch, guarded);
    if (!holds_guard_value(read, 8) || !holds_guard_value(read + 16, 8) ||
        !holds_guard_value(left, GUARD_BYTES) ||
        !holds_guard_value(left + GUARD_BYTES + scratch_bytes, GUARD_BYTES))
        ck_abort_msg("written beside the minima or their scratch");
    memcpy(minimum, read + 8, 2 * sizeof(float));
    device_free(memory);
    device_free(scratch);
    device_free(result);
}

START_TEST(minima_of_a_picture)
{
    static const struct {
        int padded_w, padded_h;
        VfiMinimumArea area;
    } cases[] = {
        {1, 1, {1, 1, 0, 0, 1, 1, 0.5}},
        {4, 4, {3, 2, 0, 0, 3, 2, 0.0}},
        {64, 32, {64, 32, 0, 0, 64, 32, 0.25}},
        {320, 96, {301, 67, 0, 0, 301, 67, 0.3}},
        {128, 96, {100, 64, 101, 64, 301, 200, 0.5}},
        {32, 512, {5, 500, 0, 0, 5, 500, 1.0}},
    };
    const VfiMinimumArea *area = &cases[_i].area;
    VfiCpuImage image = {.padded_w = cases[_i].padded_w,
                         .padded_h = cases[_i].padded_h,
                         .width = area->width,
                         .height = area->height};
    GRand *random = g_rand_new_with_seed((guint32)_i + 20);
    g_autofree float *values =
        random_floats(random, 3 * (size_t)image.padded_w * (size_t)image.padded_h);
    VfiPool *pool = vfi_pool_new(1, NULL);
    float expected[2], minimum[2];

    for (int i = 0; i < 3 * image.padded_w * image.padded_h; i++)
        values[i] = 0.5f * values[i] + 0.5f;
    image.values = values;
    ck_assert(vfi_cpu_image_minimum(pool, &image, area, expected, NULL));
    find_on_device(values, &image, area, minimum);
    ck_assert_float_eq(minimum[0], expected[0]);
    ck_assert_float_eq(minimum[1], expected[1]);
    vfi_pool_free(pool);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-image_minimum");
    TCase *tcase = tcase_create("image_minimum");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, minima_of_a_picture, 0, 6);
    return check_main(suite);
}
