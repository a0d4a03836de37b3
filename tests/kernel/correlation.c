/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What CORRELATION does at the border at every level, where results are known without a
 * sum: the ops runner compares all else with the definition. */
#include "kernel_util.h"

#include "cpu/algorithm.h"

#define PLACES 9

/* In planes, or in blocks where the level has any. */
static VfiOp correlation_op(VfiShape shape, bool in_blocks)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    int block =
        in_blocks && kernels->correlation_blocks != NULL ? kernels->vector_floats : 0;
    VfiOp op = {.kind = VFI_OP_CORRELATION, .n_src = 3, .name = "test"};

    op.src[0].shape = op.src[2].shape = shape;
    op.src[0].block = op.src[2].block = block;
    op.src[1].shape = (VfiShape){2, shape.h, shape.w};
    op.dst.shape = (VfiShape){PLACES, shape.h, shape.w};
    return op;
}

/* Of place @k around pixel (@y, @x), whether it is inside. */
static bool is_inside(VfiShape shape, int k, int y, int x)
{
    int row = y + k / 3 - 1, column = x + k % 3 - 1;

    return row >= 0 && row < shape.h && column >= 0 && column < shape.w;
}

/* Of a picture of ones all places inside are alike, and those beyond the border are
 * zero, wherever the flow leads: into the nearest corner first. */
START_TEST(places_beyond_the_border_are_zero)
{
    VfiShape shape = {3, 7, 21};
    VfiOp op = correlation_op(shape, _i == 1);
    int plane = shape.h * shape.w;
    g_autofree float *ones = g_new(float, vfi_shape_elements(shape));
    g_autofree float *flow = g_new0(float, (gsize)(2 * plane));

    for (size_t i = 0; i < vfi_shape_elements(shape); i++)
        ones[i] = 1.0f;
    g_autofree float *still =
        run_op_all_threads(&op, (const float *const[]){ones, flow, ones});
    for (int i = 0; i < 2 * plane; i++)
        flow[i] = i < plane ? 1000.0f : -1000.0f;
    g_autofree float *led =
        run_op_all_threads(&op, (const float *const[]){ones, flow, ones});
    for (int k = 0; k < PLACES; k++)
        for (int i = 0; i < plane; i++) {
            bool inside = is_inside(shape, k, i / shape.w, i % shape.w);
            bool corner = is_inside(shape, k, 0, shape.w - 1);
            ck_assert_float_eq_tol(still[k * plane + i], inside ? 1.0f : 0.0f, 1e-6f);
            ck_assert_float_eq_tol(led[k * plane + i], corner ? 1.0f : 0.0f, 1e-6f);
        }
}
END_TEST

/* Whatever the flow holds, it leads to somewhere inside: NaN to column or row 0. */
START_TEST(special_flows_lead_inside)
{
    static const struct {
        float flow;
        bool to_end;
    } special[] = {
        {NAN, false},    {INFINITY, true},      {-INFINITY, false}, {3e38f, true},
        {-3e38f, false}, {2147483648.0f, true}, {-1e10f, false},
    };
    VfiShape shape = {18, 6, 19};
    VfiOp op = correlation_op(shape, _i == 1);
    int plane = shape.h * shape.w;
    GRand *random = g_rand_new_with_seed(31);
    g_autofree float *image = random_floats(random, vfi_shape_elements(shape));
    g_autofree float *reference = random_floats(random, vfi_shape_elements(shape));
    g_autofree float *flow = random_floats(random, 2 * (size_t)plane);
    g_autofree float *same = g_memdup2(flow, sizeof(float) * (gsize)(2 * plane));

    for (int i = 0; i < 2 * plane; i += 2) {
        size_t which = (size_t)i / 2 % G_N_ELEMENTS(special);
        int at = i < plane ? i % shape.w : (i - plane) / shape.w;
        int end = (i < plane ? shape.w : shape.h) - 1;
        flow[i] = special[which].flow;
        same[i] = (float)((special[which].to_end ? end : 0) - at);
    }
    g_autofree float *led =
        run_op_all_threads(&op, (const float *const[]){image, flow, reference});
    g_autofree float *expected =
        run_op_all_threads(&op, (const float *const[]){image, same, reference});
    ck_assert_mem_eq(led, expected, sizeof(float) * (size_t)(PLACES * plane));
    g_rand_free(random);
}
END_TEST

/* The cosine knows no scale, and of vectors without a length it is zero. */
START_TEST(length_does_not_count)
{
    VfiShape shape = {16, 3, 18};
    VfiOp op = correlation_op(shape, _i == 1);
    size_t n = vfi_shape_elements(shape), plane = (size_t)shape.h * (size_t)shape.w;
    GRand *random = g_rand_new_with_seed(32);
    g_autofree float *image = random_floats(random, n);
    g_autofree float *larger = g_memdup2(image, n * sizeof(float));
    g_autofree float *zeros = g_new0(float, n);
    g_autofree float *flow = g_new0(float, 2 * plane);

    for (size_t i = 0; i < n; i++)
        larger[i] *= -1024.0f;
    g_autofree float *opposite =
        run_op_all_threads(&op, (const float *const[]){image, flow, larger});
    g_autofree float *nothing =
        run_op_all_threads(&op, (const float *const[]){image, flow, zeros});
    for (size_t i = 0; i < plane; i++)
        ck_assert_float_eq_tol(opposite[4 * plane + i], -1.0f, 1e-6f);
    for (size_t i = 0; i < PLACES * plane; i++)
        ck_assert_float_eq(nothing[i], 0.0f);
    g_rand_free(random);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("correlation");
    TCase *tcase = tcase_create("correlation");

    tcase_add_loop_test(tcase, places_beyond_the_border_are_zero, 0, 2);
    tcase_add_loop_test(tcase, special_flows_lead_inside, 0, 2);
    tcase_add_loop_test(tcase, length_does_not_count, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
