/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bilinear resize at every level against the half-pixel formula in double precision. */
#include "kernel_util.h"

/* Results are sums of at most four values with weights that are exact to a few 2^-24. */
#define LIMIT 1e-6

/* Left index and weight of the right one, for output @i; places are f32, as in the
 * field's reference implementation, so that the index never differs. */
static double source_place(int i, int in, int out, int *left)
{
    float place = (float)in / (float)out * ((float)i + 0.5f) - 0.5f;

    if (place < 0.0f)
        place = 0.0f;
    *left = (int)place < in - 1 ? (int)place : in - 1;
    return (double)place - *left;
}

static double expected_at(const float *plane, VfiShape in, VfiShape out, int y, int x)
{
    int y0, x0;
    double wy = source_place(y, in.h, out.h, &y0), wx = source_place(x, in.w, out.w, &x0);
    int y1 = MIN(y0 + 1, in.h - 1), x1 = MIN(x0 + 1, in.w - 1);
    double top = plane[y0 * in.w + x0] * (1 - wx) + plane[y0 * in.w + x1] * wx;
    double bottom = plane[y1 * in.w + x0] * (1 - wx) + plane[y1 * in.w + x1] * wx;

    return top * (1 - wy) + bottom * wy;
}

static VfiOp resize_op(VfiShape in, int h, int w, float mul)
{
    VfiOp op = {.kind = VFI_OP_RESIZE, .n_src = 1, .name = "test"};

    op.src[0].shape = in;
    op.dst.shape = (VfiShape){in.c, h, w};
    op.u.resize = (VfiResizeParams){.height = h, .width = w, .mul = mul};
    return op;
}

static void check_one(const float *source, VfiShape in, int h, int w, float mul)
{
    VfiOp op = resize_op(in, h, w, mul);
    VfiShape out = op.dst.shape;
    g_autofree float *result = run_op_all_threads(&op, &source);
    g_autofree double *expected = g_new(double, vfi_shape_elements(out));
    size_t at = 0, plane = (size_t)in.h * (size_t)in.w;

    for (int c = 0; c < out.c; c++)
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++)
                expected[at++] =
                    mul * expected_at(source + (size_t)c * plane, in, out, y, x);
    double error = largest_error(result, expected, at, fabs((double)mul));
    ck_assert_msg(error <= LIMIT, "%d×%d to %d×%d: error %g", in.h, in.w, h, w, error);
}

START_TEST(any_ratio_matches_the_formula)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);

    for (int i = 0; i < 12; i++) {
        VfiShape in = {g_rand_int_range(random, 1, 6), g_rand_int_range(random, 1, 60),
                       g_rand_int_range(random, 1, 120)};
        g_autofree float *source = random_floats(random, vfi_shape_elements(in));
        check_one(source, in, g_rand_int_range(random, 1, 90),
                  g_rand_int_range(random, 1, 200),
                  (float)g_rand_double_range(random, -4.0, 4.0));
    }
    g_rand_free(random);
}
END_TEST

START_TEST(powers_of_two_match_the_formula)
{
    static const int factors[] = {2, 4, 8, 16};
    GRand *random = g_rand_new_with_seed((guint32)_i + 30);
    int factor = factors[_i];
    VfiShape small = {3, 5, 11}, large = {3, 5 * factor, 11 * factor};
    g_autofree float *source = random_floats(random, vfi_shape_elements(large));

    check_one(source, small, large.h, large.w, (float)factor);
    check_one(source, large, small.h, small.w, 1.0f / (float)factor);
    g_rand_free(random);
}
END_TEST

/* At half the size, every pixel is the mean of four; at a quarter, of the middle four. */
START_TEST(halving_takes_the_mean_of_the_middle)
{
    GRand *random = g_rand_new_with_seed(40);
    VfiShape in = {1, 16, 64};
    g_autofree float *source = random_floats(random, vfi_shape_elements(in));

    for (int factor = 2; factor <= 8; factor *= 2) {
        VfiOp op = resize_op(in, in.h / factor, in.w / factor, 1.0f);
        g_autofree float *result =
            run_op_all_threads(&op, (const float *const[]){source});
        for (int y = 0; y < op.dst.shape.h; y++) {
            for (int x = 0; x < op.dst.shape.w; x++) {
                int left = x * factor + factor / 2 - 1, top = y * factor + factor / 2 - 1;
                const float *p = source + (ptrdiff_t)top * in.w + left;
                double mean = ((double)p[0] + p[1] + p[in.w] + p[in.w + 1]) / 4;
                ck_assert_double_le(fabs(result[y * op.dst.shape.w + x] - mean), LIMIT);
            }
        }
    }
    g_rand_free(random);
}
END_TEST

START_TEST(the_same_size_copies)
{
    GRand *random = g_rand_new_with_seed(41);
    VfiShape in = {2, 7, 45};
    g_autofree float *source = random_floats(random, vfi_shape_elements(in));
    VfiOp op = resize_op(in, in.h, in.w, 1.0f);
    g_autofree float *result = run_op_all_threads(&op, (const float *const[]){source});

    ck_assert_mem_eq(result, source, vfi_shape_elements(in) * sizeof(float));
    g_rand_free(random);
}
END_TEST

/* NaN spoils the results that touch it, as in the formula, and no others. */
START_TEST(special_values_stay_local)
{
    GRand *random = g_rand_new_with_seed(42);
    VfiShape in = {1, 12, 40};
    g_autofree float *source = random_floats(random, vfi_shape_elements(in));

    source[5 * in.w + 20] = NAN;
    source[0] = 1e-40f;
    check_one(source, in, 24, 80, 1.0f);
    check_one(source, in, 6, 20, 1.0f);
    check_one(source, in, 17, 57, 1.0f);
    source[5 * in.w + 20] = INFINITY;
    VfiOp op = resize_op(in, 24, 80, 1.0f);
    g_autofree float *result = run_op_all_threads(&op, (const float *const[]){source});
    ck_assert(!isfinite(result[11 * 80 + 41]));
    ck_assert(isfinite(result[2 * 80 + 2]));
    g_rand_free(random);
}
END_TEST

/* Rows far wider than a chunk. */
START_TEST(wide_rows_match_the_formula)
{
    GRand *random = g_rand_new_with_seed(43);
    VfiShape in = {2, 3, 40000};
    g_autofree float *source = random_floats(random, vfi_shape_elements(in));

    check_one(source, in, 5, 20000, 1.0f);
    check_one(source, (VfiShape){2, 3, 20000}, 5, 40000, 1.0f);
    g_rand_free(random);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("resize");
    TCase *tcase = tcase_create("resize");
    tcase_add_loop_test(tcase, any_ratio_matches_the_formula, 0, 6);
    tcase_add_loop_test(tcase, powers_of_two_match_the_formula, 0, 4);
    tcase_add_test(tcase, halving_takes_the_mean_of_the_middle);
    tcase_add_test(tcase, the_same_size_copies);
    tcase_add_test(tcase, special_values_stay_local);
    tcase_add_test(tcase, wide_rows_match_the_formula);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
