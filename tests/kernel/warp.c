/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backward warp at every level against bilinear sampling in double precision. */
#include "kernel_util.h"

/* Two chained interpolations round three times each; coordinates are the same floats. */
#define LIMIT 1e-6

static double clamped(float place, int size)
{
    if (!(place > 0.0f))
        return 0.0;
    return MIN((double)place, size - 1.0);
}

static double expected_at(const float *plane, VfiShape in, double y, double x)
{
    int y0 = (int)y, x0 = (int)x;
    int y1 = MIN(y0 + 1, in.h - 1), x1 = MIN(x0 + 1, in.w - 1);
    double wy = y - y0, wx = x - x0;

    return (plane[y0 * in.w + x0] * (1 - wx) + plane[y0 * in.w + x1] * wx) * (1 - wy) +
           (plane[y1 * in.w + x0] * (1 - wx) + plane[y1 * in.w + x1] * wx) * wy;
}

static VfiOp warp_op(VfiShape shape)
{
    VfiOp op = {.kind = VFI_OP_WARP, .n_src = 2, .name = "test"};

    op.src[0].shape = op.dst.shape = shape;
    op.src[1].shape = (VfiShape){2, shape.h, shape.w};
    return op;
}

static void check_one(const float *source, const float *flow, VfiShape shape)
{
    VfiOp op = warp_op(shape);
    int plane = shape.h * shape.w;
    g_autofree float *result =
        run_op_all_threads(&op, (const float *const[]){source, flow});
    g_autofree double *expected = g_new(double, vfi_shape_elements(shape));
    size_t at = 0;

    for (int c = 0; c < shape.c; c++) {
        for (int i = 0; i < plane; i++) {
            int column = i % shape.w, row = i / shape.w;
            double x = clamped((float)column + flow[i], shape.w);
            double y = clamped((float)row + flow[plane + i], shape.h);
            expected[at++] = expected_at(source + (ptrdiff_t)c * plane, shape, y, x);
        }
    }
    double error = largest_error(result, expected, at, 1.0);
    ck_assert_msg(error <= LIMIT, "%d×%d×%d: error %g", shape.c, shape.h, shape.w, error);
}

static float *random_flow(GRand *random, VfiShape shape, double reach)
{
    size_t n = (size_t)2 * (size_t)shape.h * (size_t)shape.w;
    float *flow = random_floats(random, n);

    for (size_t i = 0; i < n; i++)
        flow[i] *= (float)reach;
    return flow;
}

START_TEST(random_flows_match_the_formula)
{
    static const double reaches[] = {0.5, 3.0, 40.0, 1e6};
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);

    for (int i = 0; i < 8; i++) {
        VfiShape shape = {g_rand_int_range(random, 1, 9), g_rand_int_range(random, 1, 40),
                          g_rand_int_range(random, 1, 90)};
        g_autofree float *source = random_floats(random, vfi_shape_elements(shape));
        g_autofree float *flow = random_flow(random, shape, reaches[_i]);
        check_one(source, flow, shape);
    }
    g_rand_free(random);
}
END_TEST

START_TEST(no_flow_copies_and_whole_pixels_move)
{
    GRand *random = g_rand_new_with_seed(20);
    VfiShape shape = {3, 9, 37};
    VfiOp op = warp_op(shape);
    g_autofree float *source = random_floats(random, vfi_shape_elements(shape));
    g_autofree float *flow = g_new0(float, 2 * 9 * 37);
    g_autofree float *still =
        run_op_all_threads(&op, (const float *const[]){source, flow});

    ck_assert_mem_eq(still, source, vfi_shape_elements(shape) * sizeof(float));
    for (int i = 0; i < 9 * 37; i++)
        flow[i] = 1.0f; /* everything comes from one pixel to the right */
    g_autofree float *moved =
        run_op_all_threads(&op, (const float *const[]){source, flow});
    for (ptrdiff_t row = 0; row < (ptrdiff_t)3 * 9 * 37; row += 37) {
        ck_assert_mem_eq(moved + row, source + row + 1, 36 * sizeof(float));
        ck_assert_float_eq(moved[row + 36], source[row + 36]);
    }
    g_rand_free(random);
}
END_TEST

/* Whatever the flow holds, samples come from inside the picture; NaN reads column 0. */
START_TEST(special_flows_read_inside)
{
    static const float values[] = {NAN,    INFINITY, -INFINITY,    3e38f,
                                   -3e38f, 1e-40f,   2147483648.0f};
    GRand *random = g_rand_new_with_seed(21);
    VfiShape shape = {2, 6, 21};

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree float *source = random_floats(random, vfi_shape_elements(shape));
        g_autofree float *flow = random_flow(random, shape, 2.0);
        for (int at = 0; at < 2 * 6 * 21; at += 3)
            flow[at] = values[i];
        check_one(source, flow, shape);
    }
    g_rand_free(random);
}
END_TEST

/* NaN in the picture reaches only samples that touch it. */
START_TEST(special_values_stay_local)
{
    GRand *random = g_rand_new_with_seed(22);
    VfiShape shape = {1, 10, 33};
    g_autofree float *source = random_floats(random, vfi_shape_elements(shape));
    g_autofree float *flow = random_flow(random, shape, 1.5);

    source[4 * 33 + 12] = NAN;
    check_one(source, flow, shape);
    g_rand_free(random);
}
END_TEST

/* More work in a row than one chunk may have. */
START_TEST(wide_rows_match_the_formula)
{
    GRand *random = g_rand_new_with_seed(23);
    VfiShape shape = {40, 2, 9001};
    g_autofree float *source = random_floats(random, vfi_shape_elements(shape));
    g_autofree float *flow = random_flow(random, shape, 5.0);

    check_one(source, flow, shape);
    g_rand_free(random);
}
END_TEST

/* A source of another size than the flow: a piece of it is sampled. */
START_TEST(the_source_may_have_another_size)
{
    GRand *random = g_rand_new_with_seed(24);
    VfiShape in = {2, 30, 50};
    VfiOp op = warp_op((VfiShape){2, 5, 19});
    g_autofree float *source = random_floats(random, vfi_shape_elements(in));
    g_autofree float *flow = g_new0(float, 2 * 5 * 19);

    op.src[0].shape = in;
    for (int i = 0; i < 5 * 19; i++) {
        flow[i] = 20.5f;
        flow[5 * 19 + i] = 10.0f;
    }
    g_autofree float *result =
        run_op_all_threads(&op, (const float *const[]){source, flow});
    for (int c = 0; c < 2; c++) {
        const float *p = source + ((ptrdiff_t)c * 30 + 10 + 4) * 50 + 20 + 18;
        double expected = ((double)p[0] + p[1]) / 2;
        ck_assert_double_le(fabs(result[(c * 5 + 4) * 19 + 18] - expected), LIMIT);
    }
    g_rand_free(random);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("warp");
    TCase *tcase = tcase_create("warp");
    tcase_add_loop_test(tcase, random_flows_match_the_formula, 0, 4);
    tcase_add_test(tcase, no_flow_copies_and_whole_pixels_move);
    tcase_add_test(tcase, special_flows_read_inside);
    tcase_add_test(tcase, special_values_stay_local);
    tcase_add_test(tcase, wide_rows_match_the_formula);
    tcase_add_test(tcase, the_source_may_have_another_size);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
