/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PixelShuffle(2) at every level is exact. */
#include "kernel_util.h"

static const VfiShape results[] = {{1, 2, 2},   {3, 2, 34},   {5, 6, 2},
                                   {6, 30, 62}, {2, 4, 4100}, {13, 70, 130}};

START_TEST(pixels_of_four_channels_come_in_turn)
{
    VfiShape shape = results[_i];
    VfiOp op = {.kind = VFI_OP_PIXEL_SHUFFLE, .n_src = 1, .name = "test"};
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    int h = shape.h / 2, w = shape.w / 2, differing = 0;

    op.dst.shape = shape;
    op.src[0].shape = (VfiShape){4 * shape.c, h, w};
    g_autofree float *source = random_floats(random, vfi_shape_elements(shape));
    const float *sources[] = {source};
    g_autofree float *result = run_op_all_threads(&op, sources);
    for (int c = 0; c < shape.c; c++)
        for (int y = 0; y < shape.h; y++)
            for (int x = 0; x < shape.w; x++) {
                int channel = 4 * c + 2 * (y % 2) + x % 2;
                differing +=
                    result[((size_t)c * (size_t)shape.h + (size_t)y) * (size_t)shape.w +
                           (size_t)x] !=
                    source[((size_t)channel * (size_t)h + (size_t)(y / 2)) * (size_t)w +
                           (size_t)(x / 2)];
            }
    ck_assert_int_eq(differing, 0);
    g_rand_free(random);
}
END_TEST

START_TEST(other_shapes_are_refused)
{
    static const VfiShape sources[] = {{3, 4, 4}, {8, 4, 4}, {4, 4, 5}, {4, 3, 4}};
    static const char *const words[] = {
        "3 channels are not a multiple of 4", "to 1×8×8: the result must be 2×8×8",
        "to 1×8×8: the result must be 1×8×10", "to 1×8×8: the result must be 1×6×8"};

    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        VfiOp op = {.kind = VFI_OP_PIXEL_SHUFFLE, .n_src = 1, .name = "test"};
        g_autoptr(GError) error = NULL;
        op.src[0].shape = sources[i];
        op.dst.shape = (VfiShape){1, 8, 8};
        ck_assert_ptr_null(vfi_cpu_op_new(&op, test_level, &error));
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
        ck_assert_msg(strstr(error->message, words[i]) != NULL, "%s", error->message);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pixel_shuffle");
    TCase *tcase = tcase_create("pixel_shuffle");

    tcase_add_loop_test(tcase, pixels_of_four_channels_come_in_turn, 0,
                        (int)G_N_ELEMENTS(results));
    tcase_add_test(tcase, other_shapes_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
