/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests/ops does not try of element-wise ops: the largest value wherever it lies,
 * and that no chunk of a cancelled op runs. */
#include "kernel_util.h"

/* The largest value wherever it lies; NaN wins over everything. */
START_TEST(max_abs_finds_the_largest)
{
    GRand *random = g_rand_new_with_seed(70);
    VfiOp op = {
        .kind = VFI_OP_MAX_ABS, .n_src = 1, .u.max_abs.scalar = 2, .name = "test"};
    VfiShape shape = {3, 150, 157};
    size_t n = vfi_shape_elements(shape);
    float scalars[4] = {0};
    g_autofree float *source = random_floats(random, n);
    const float *const sources[] = {source};

    op.src[0].shape = shape;
    op.dst.shape = (VfiShape){1, 1, 1};
    for (int threads = 1; threads <= 3; threads++) {
        Setting setting = {.level = test_level, .threads = threads, .scalars = scalars};
        size_t places[] = {0, n - 1, 40000,
                           (size_t)g_rand_int_range(random, 0, (gint32)n)};
        for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
            float saved = source[places[i]];
            source[places[i]] = -7.5f;
            g_free(run_op(&op, sources, &setting));
            ck_assert_float_eq(scalars[2], 7.5f);
            source[places[i]] = saved;
        }
    }
    Setting setting = {.level = test_level, .threads = 2, .scalars = scalars};
    source[5] = -INFINITY;
    g_free(run_op(&op, sources, &setting));
    ck_assert(isinf(scalars[2]) && scalars[2] > 0);
    source[70000] = -NAN;
    g_free(run_op(&op, sources, &setting));
    ck_assert(isnan(scalars[2]));
    g_rand_free(random);
}
END_TEST

START_TEST(every_kind_has_a_name)
{
    for (int kind = 0; kind < VFI_OP_KIND_COUNT; kind++) {
        ck_assert_ptr_nonnull(vfi_op_kind_to_string((VfiOpKind)kind));
        ck_assert_str_ne(vfi_op_kind_to_string((VfiOpKind)kind), "unknown");
    }
    ck_assert_str_eq(vfi_op_kind_to_string(VFI_OP_KIND_COUNT), "unknown");
}
END_TEST

START_TEST(a_cancelled_run_does_nothing)
{
    VfiOp op = {.kind = VFI_OP_FILL,
                .u.fill = {.add = 1.0f, .height = 4, .width = 4},
                .name = "test"};
    float memory[16] = {0};
    VfiPool *pool = vfi_pool_new(2, NULL);
    atomic_int cancel = 1;
    VfiCpuRun run = {.pool = pool, .region = {(char *)memory}, .cancel = &cancel};

    op.dst.shape = (VfiShape){1, 4, 4};
    VfiCpuOp *ready = vfi_cpu_op_new(&op, test_level, NULL);
    ck_assert(!vfi_cpu_op_run(ready, &run));
    ck_assert_float_eq(memory[0], 0.0f);
    ck_assert_uint_eq(vfi_pool_chunks_run(pool), 0);
    cancel = 0;
    ck_assert(vfi_cpu_op_run(ready, &run));
    ck_assert_float_eq(memory[15], 1.0f);
    vfi_cpu_op_free(ready);
    vfi_pool_free(pool);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("elementwise");
    TCase *tcase = tcase_create("elementwise");
    tcase_add_test(tcase, max_abs_finds_the_largest);
    tcase_add_test(tcase, every_kind_has_a_name);
    tcase_add_test(tcase, a_cancelled_run_does_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
