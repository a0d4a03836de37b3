/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backward warp at every level against bilinear sampling in double precision. */
#include "kernel_util.h"

#include <sys/mman.h>
#include <unistd.h>

#include "cpu/algorithm.h"

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

/* A flow like those of video: a shift and a gentle stretch of its own in each
 * direction. */
static float *smooth_flow(GRand *random, VfiShape shape, double reach)
{
    int plane = shape.h * shape.w;
    float *flow = g_new(float, (size_t)plane * 2);

    for (int d = 0; d < 2; d++) {
        double shift = g_rand_double_range(random, -reach, reach);
        double along_x = g_rand_double_range(random, -0.2, 0.2);
        double along_y = g_rand_double_range(random, -0.2, 0.2);
        for (int i = 0; i < plane; i++) {
            int x = i % shape.w, y = i / shape.w;
            flow[d * plane + i] = (float)(shift + along_x * x + along_y * y);
        }
    }
    return flow;
}

/* Widths around one and two vectors, borders within reach. */
static VfiShape smooth_shape(GRand *random)
{
    static const int widths[] = {7, 8, 15, 16, 17, 31, 32, 33, 47, 64, 90, 131};
    static const int heights[] = {1, 2, 3, 24};

    return (VfiShape){g_rand_int_range(random, 1, 5),
                      random_pick(random, heights, G_N_ELEMENTS(heights)),
                      random_pick(random, widths, G_N_ELEMENTS(widths))};
}

START_TEST(smooth_flows_match_the_formula)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 30);

    for (int i = 0; i < 8; i++) {
        VfiShape shape = smooth_shape(random);
        g_autofree float *source = random_floats(random, vfi_shape_elements(shape));
        g_autofree float *flow = smooth_flow(random, shape, _i == 0 ? 2.0 : 20.0);
        check_one(source, flow, shape);
    }
    g_rand_free(random);
}
END_TEST

/* A pixel has the same bits whether its neighbours move with it (and a vector is read at
 * once) or apart (and each lane is read by itself). */
START_TEST(neighbours_do_not_change_a_pixel)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 40);
    VfiShape shape = smooth_shape(random);
    VfiOp op = warp_op(shape);
    size_t plane = (size_t)shape.h * (size_t)shape.w;
    g_autofree float *source = random_floats(random, vfi_shape_elements(shape));
    g_autofree float *flow = smooth_flow(random, shape, 4.0);
    g_autofree float *together =
        run_op_all_threads(&op, (const float *const[]){source, flow});

    for (size_t parity = 0; parity < 2; parity++) {
        g_autofree float *apart_flow = g_memdup2(flow, 2 * plane * sizeof(float));
        for (size_t i = parity; i < plane; i += 2) {
            apart_flow[i] = i % 4 < 2 ? 1e4f : -1e4f;
            apart_flow[plane + i] = i % 8 < 4 ? 1e4f : NAN;
        }
        g_autofree float *apart =
            run_op_all_threads(&op, (const float *const[]){source, apart_flow});
        for (size_t i = 0; i < vfi_shape_elements(shape); i++)
            if (i % plane % 2 != parity)
                ck_assert_mem_eq(&apart[i], &together[i], sizeof(float));
    }
    g_rand_free(random);
}
END_TEST

/* Two columns of every 4 (8, 16) come out as in whole rows. */
START_TEST(columns_may_lie_apart)
{
    static const int widths[] = {16, 32, 48, 80, 160, 272};
    GRand *random = g_rand_new_with_seed((guint32)_i + 80);
    VfiShape shape = {3, 5, random_pick(random, widths, G_N_ELEMENTS(widths))};
    size_t plane = (size_t)shape.h * (size_t)shape.w;
    g_autofree float *source = random_floats(random, vfi_shape_elements(shape));
    g_autofree float *flow = smooth_flow(random, shape, _i % 2 == 0 ? 1.0 : 6.0);
    g_autofree float *whole = g_new(float, vfi_shape_elements(shape));
    g_autofree float *some = g_new(float, vfi_shape_elements(shape));
    g_autofree float *x = g_new(float, 3 * (size_t)shape.w);
    float *flow_x = x + shape.w, *flow_y = flow_x + shape.w;
    VfiWarpRow row = {.src = source,
                      .dst_plane = plane,
                      .src_plane = plane,
                      .channels = shape.c,
                      .src_w = shape.w,
                      .src_h = shape.h};

    for (row.y = 0; row.y < shape.h; row.y++) {
        size_t at = (size_t)row.y * (size_t)shape.w;
        for (int i = 0; i < shape.w; i++)
            x[i] = (float)i;
        row.x = x;
        row.n = shape.w;
        row.dst = whole + at;
        row.flow_x = flow + at;
        row.flow_y = flow + plane + at;
        vfi_cpu_kernels(test_level)->warp_row(&row);

        for (int f = 4; f <= 16; f *= 2) {
            row.n = shape.w / f * 2;
            row.dst = some + at;
            for (int i = 0; i < row.n; i++) {
                int column = i / 2 * f + f / 2 - 1 + i % 2;
                x[i] = (float)column;
                flow_x[i] = flow[at + (size_t)column];
                flow_y[i] = flow[plane + at + (size_t)column];
            }
            row.flow_x = flow_x;
            row.flow_y = flow_y;
            vfi_cpu_kernels(test_level)->warp_row(&row);
            for (size_t c = 0; c < 3; c++)
                for (int i = 0; i < row.n; i++)
                    ck_assert_mem_eq(&some[c * plane + at + (size_t)i],
                                     &whole[c * plane + at + (size_t)x[i]],
                                     sizeof(float));
        }
    }
    g_rand_free(random);
}
END_TEST

/* A source that fills the pages between two that may not be touched, or as much of their
 * beginning or end as it needs. */
START_TEST(nothing_outside_the_source_is_read)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 60);
    VfiShape shape = smooth_shape(random);
    size_t page = (size_t)sysconf(_SC_PAGESIZE),
           plane = (size_t)shape.h * (size_t)shape.w;
    size_t bytes = vfi_shape_elements(shape) * sizeof(float);
    size_t pages = (bytes + page - 1) / page * page;
    char *memory =
        mmap(NULL, pages + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_autofree float *flow = smooth_flow(random, shape, 2.0);
    g_autofree float *dst = g_new(float, vfi_shape_elements(shape));
    g_autofree float *columns = g_new(float, shape.w);

    for (int x = 0; x < shape.w; x++)
        columns[x] = (float)x;
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + page, pages, PROT_READ | PROT_WRITE), 0);
    for (size_t at = 0; at <= pages - bytes; at += MAX(pages - bytes, 1)) {
        float *source = (float *)(void *)(memory + page + at);
        for (size_t i = 0; i < vfi_shape_elements(shape); i++)
            source[i] = 1.0f;
        for (int y = 0; y < shape.h; y++) {
            size_t row_at = (size_t)y * (size_t)shape.w;
            VfiWarpRow row = {.dst = dst + row_at,
                              .src = source,
                              .x = columns,
                              .flow_x = flow + row_at,
                              .flow_y = flow + plane + row_at,
                              .dst_plane = plane,
                              .src_plane = plane,
                              .channels = shape.c,
                              .src_w = shape.w,
                              .src_h = shape.h,
                              .y = y,
                              .n = shape.w};
            vfi_cpu_kernels(test_level)->warp_row(&row);
        }
        for (size_t i = 0; i < vfi_shape_elements(shape); i++)
            ck_assert_float_eq(dst[i], 1.0f);
    }
    munmap(memory, pages + 2 * page);
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
    tcase_add_loop_test(tcase, smooth_flows_match_the_formula, 0, 2);
    tcase_add_loop_test(tcase, neighbours_do_not_change_a_pixel, 0, 16);
    tcase_add_loop_test(tcase, columns_may_lie_apart, 0, 12);
    tcase_add_loop_test(tcase, nothing_outside_the_source_is_read, 0, 32);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
