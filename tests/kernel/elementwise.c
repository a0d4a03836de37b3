/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Element-wise ops at every level against their formulas; in place too. */
#include "kernel_util.h"

#define LIMIT 1e-6

static const float specials[] = {NAN,     INFINITY, -INFINITY, 0.0f,  -0.0f,  1e-40f,
                                 -1e-40f, 3e38f,    -3e38f,    88.0f, -88.0f, 200.0f};

static const float slopes[] = {0.25f, -0.5f, 0.0f, 1.5f, 0.1f, 0.2f, 0.3f};

static double activated(const VfiActivation *activation, int channel, double x)
{
    switch (activation->kind) {
    case VFI_ACTIVATION_PRELU:
        return x < 0 ? x * slopes[channel] : x;
    case VFI_ACTIVATION_LEAKY:
        return x < 0 ? x * activation->leak : x;
    case VFI_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    case VFI_ACTIVATION_NONE:
        break;
    }
    return x;
}

static double expected_of(const VfiOp *op, int channel, double a, double b)
{
    if (op->kind == VFI_OP_ACTIVATE)
        return activated(&op->u.activation, channel, a);
    if (op->kind == VFI_OP_ADD)
        return op->u.sum.scale * (a + b);
    if (op->kind == VFI_OP_SUB)
        return op->u.sum.scale * (a - b);
    if (op->kind == VFI_OP_MUL)
        return a * b;
    if (op->kind == VFI_OP_AFFINE)
        return a * op->u.affine.mul + op->u.affine.add;
    if (op->kind == VFI_OP_CLAMP)
        return a < op->u.clamp.low    ? op->u.clamp.low
               : a > op->u.clamp.high ? op->u.clamp.high
                                      : a;
    ck_assert_int_eq(op->kind, VFI_OP_COPY);
    return a;
}

/* Equal within rounding, of which denormals (flushed) and overflow are the extremes. */
static bool close_enough(float result, double expected)
{
    if (isnan(expected) || isnan(result))
        return isnan(expected) && isnan(result);
    if (fabs(expected) > (double)G_MAXFLOAT)
        return isinf(result) && (result > 0) == (expected > 0);
    if (isinf(result))
        return fabs(expected) > 0.999 * (double)G_MAXFLOAT;
    return fabs(result - expected) <= LIMIT * MAX(1.0, fabs(expected));
}

static void check_result(const VfiOp *op, const float *result, const float *a,
                         const float *b)
{
    size_t plane = (size_t)op->dst.shape.h * (size_t)op->dst.shape.w;
    bool shared = op->n_src > 1 && op->src[1].shape.c == 1;

    for (size_t i = 0; i < vfi_shape_elements(op->dst.shape); i++) {
        double y = b != NULL ? b[shared ? i % plane : i] : 0.0;
        double expected = expected_of(op, (int)(i / plane), a[i], y);
        if (!close_enough(result[i], expected)) /* an assertion an element takes long */
            ck_abort_msg("%s of %g, %g is %g, not %g", vfi_op_kind_to_string(op->kind),
                         a[i], y, result[i], expected);
    }
}

/* NaN may differ in its bits. */
static bool is_same(float a, float b)
{
    uint32_t bits[2];

    memcpy(&bits[0], &a, sizeof a);
    memcpy(&bits[1], &b, sizeof b);
    return bits[0] == bits[1] || (isnan(a) && isnan(b));
}

/* Random inputs with the special values strewn in; several threads; in place. */
static void check_op(VfiOp op, VfiShape shape, int second_channels, GRand *random)
{
    size_t n = vfi_shape_elements(shape);
    VfiShape second = {second_channels, shape.h, shape.w};
    g_autofree float *a = random_floats(random, n);
    g_autofree float *b = random_floats(random, vfi_shape_elements(second));
    Setting in_place = {.level = test_level, .threads = 2, .in_place = true, .shift = 3};

    for (size_t i = 0; i < MIN(n, G_N_ELEMENTS(specials)); i++)
        a[i * 7 % n] = specials[i];
    op.name = "test";
    op.src[0].shape = op.dst.shape = shape;
    op.src[1].shape = second;
    const float *const sources[] = {a, b};
    g_autofree float *result = run_op_all_threads(&op, sources);
    check_result(&op, result, a, op.n_src > 1 ? b : NULL);
    if (op.n_src > 0) {
        g_autofree float *same = run_op(&op, sources, &in_place);
        size_t differing = 0;
        for (size_t i = 0; i < n; i++)
            differing += !is_same(same[i], result[i]);
        ck_assert_uint_eq(differing, 0);
    }
}

static const VfiOp ops[] = {
    {.kind = VFI_OP_ADD, .n_src = 2, .u.sum.scale = 0.5f},
    {.kind = VFI_OP_SUB, .n_src = 2, .u.sum.scale = 1.0f},
    {.kind = VFI_OP_MUL, .n_src = 2},
    {.kind = VFI_OP_AFFINE, .n_src = 1, .u.affine = {.mul = -2.0f, .add = 0.75f}},
    {.kind = VFI_OP_CLAMP, .n_src = 1, .u.clamp = {.low = -0.25f, .high = 0.5f}},
    {.kind = VFI_OP_COPY, .n_src = 1},
    {.kind = VFI_OP_ACTIVATE, .n_src = 1, .u.activation = {.kind = VFI_ACTIVATION_NONE}},
    {.kind = VFI_OP_ACTIVATE,
     .n_src = 1,
     .u.activation = {.kind = VFI_ACTIVATION_PRELU, .slope = slopes}},
    {.kind = VFI_OP_ACTIVATE,
     .n_src = 1,
     .u.activation = {.kind = VFI_ACTIVATION_LEAKY, .leak = 0.2f}},
    {.kind = VFI_OP_ACTIVATE,
     .n_src = 1,
     .u.activation = {.kind = VFI_ACTIVATION_SIGMOID}},
};

START_TEST(ops_match_their_formulas)
{
    static const VfiShape shapes[] = {{1, 1, 1},   {7, 1, 3},     {3, 5, 17},
                                      {5, 64, 65}, {2, 190, 211}, {7, 100, 200}};
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
        check_op(ops[_i], shapes[i], shapes[i].c, random);
    g_rand_free(random);
}
END_TEST

START_TEST(a_one_channel_source_serves_all_channels)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 50);

    check_op(ops[_i], (VfiShape){5, 37, 41}, 1, random);
    check_op(ops[_i], (VfiShape){3, 190, 211}, 1, random);
    g_rand_free(random);
}
END_TEST

START_TEST(fill_takes_its_run_input)
{
    static const float expected[VFI_RUN_INPUT_COUNT] = {
        [VFI_RUN_INPUT_TIME] = 1.75f, [VFI_RUN_INPUT_IMAGE_MEAN] = 2.125f};
    Setting setting = {
        .level = test_level,
        .threads = 2,
        .inputs.value = {
            [VFI_RUN_INPUT_TIME] = 0.25f, [VFI_RUN_INPUT_IMAGE_MEAN] = 0.375f}};

    VfiOp op = {.kind = VFI_OP_FILL,
                .dst.shape = {1, 31, 33},
                .u.fill = {(VfiRunInput)_i, 3.0f, 1.0f, 31, 33}};
    g_autofree float *result = run_op(&op, NULL, &setting);
    for (size_t i = 0; i < vfi_shape_elements(op.dst.shape); i++)
        ck_assert_float_eq(result[i], expected[_i]);
}
END_TEST

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
    tcase_add_loop_test(tcase, ops_match_their_formulas, 0, (int)G_N_ELEMENTS(ops));
    tcase_add_loop_test(tcase, a_one_channel_source_serves_all_channels, 1, 3);
    tcase_add_loop_test(tcase, fill_takes_its_run_input, 0, VFI_RUN_INPUT_COUNT);
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
