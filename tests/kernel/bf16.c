/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions that round to bf16 against the definition on rounded inputs and weights. */
#include "conv_util.h"

/* Rounded to eight significant bits, ties to even. */
static float rounded(float value)
{
    int exponent;

    if (value == 0.0f || !isfinite(value))
        return value;
    double mantissa = frexp((double)value, &exponent);
    return (float)ldexp(nearbyint(ldexp(mantissa, 8)), exponent - 8);
}

static float *rounded_copy(const float *values, size_t n)
{
    float *copy = g_new(float, n);

    for (size_t i = 0; i < n; i++)
        copy[i] = rounded(values[i]);
    return copy;
}

/* Runs the op on what it was filled with, then the definition on the rounded values. */
static void check_rounded(ConvCase *test, int in_block, int out_block)
{
    VfiConvParams *p = &test->op.u.conv;
    VfiShape in = test->op.src[0].shape, out = test->op.dst.shape;
    size_t n = vfi_shape_elements(out), n_in = vfi_shape_elements(in);
    size_t weights = (size_t)(in.c * out.c * p->kernel_h * p->kernel_w);
    Setting setting = {.level = test_level, .threads = 2, .bf16 = true};

    conv_case_set_layouts(test, in_block, out_block);
    g_autofree float *result =
        run_op(&test->op, (const float *const *)test->sources, &setting);
    g_autofree float *input = test->sources[0];
    g_autofree float *weight = rounded_copy(test->weight, weights);
    test->sources[0] = rounded_copy(input, n_in);
    p->weight = weight;
    double scale = MAX(conv_case_expect(test), 1.0);
    double error = largest_error(result, test->expected, n, scale);
    ck_assert_msg(error <= 2 * DIRECT_LIMIT, "%d×%d×%d to %d×%d×%d: error %g", in.c, in.h,
                  in.w, out.c, out.h, out.w, error);
    g_free(test->sources[0]);
    test->sources[0] = g_steal_pointer(&input);
    p->weight = test->weight;

    /* threads and alignment change nothing */
    setting.threads = 1;
    setting.shift = 3;
    g_autofree float *again =
        run_op(&test->op, (const float *const *)test->sources, &setting);
    ck_assert_mem_eq(again, result, n * sizeof(float));
}

START_TEST(strided_convolutions_match_the_definition)
{
    static const VfiShape shapes[] = {
        {20, 18, 300}, {7, 5, 9}, {48, 11, 37}, {33, 6, 40}};
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    int block = kernels->vector_floats;
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    ConvCase test = {.op = {.kind = _i < 4 ? VFI_OP_CONV : VFI_OP_DECONV}};
    VfiShape in = shapes[_i % 4];
    int kernel = _i < 4 ? 3 : 4;

    test.op.u.conv = (VfiConvParams){.kernel_h = kernel,
                                     .kernel_w = kernel,
                                     .stride = 2,
                                     .pad_top = 1,
                                     .pad_left = 1,
                                     .pad_bottom = 1,
                                     .pad_right = 1,
                                     .groups = 1,
                                     .activation = {.kind = VFI_ACTIVATION_PRELU},
                                     .residual = (VfiResidual)(_i % 3)};
    test.op.src[0].shape = in;
    test.op.dst.shape = _i < 4 ? (VfiShape){35, (in.h - 1) / 2 + 1, (in.w - 1) / 2 + 1}
                               : (VfiShape){35, 2 * in.h, 2 * in.w};
    conv_case_fill(&test, random, true);
    check_rounded(&test, block, block);
    conv_case_clear(&test);
    g_rand_free(random);
}
END_TEST

/* Winograd's algorithm, planes and many channels stay f32: the same bits with and without. */
START_TEST(other_convolutions_stay_as_they_are)
{
    static const struct {
        int channels, stride;
        bool planes;
    } cases[] = {{32, 1, false}, {32, 2, true}, {49, 2, false}};
    int block = vfi_cpu_kernels(test_level)->vector_floats;
    GRand *random = g_rand_new_with_seed(9);
    ConvCase test = {.op = {.kind = VFI_OP_CONV}};
    Setting setting = {.level = test_level, .threads = 1};

    test.op.u.conv = (VfiConvParams){.kernel_h = 3,
                                     .kernel_w = 3,
                                     .stride = cases[_i].stride,
                                     .pad_top = 1,
                                     .pad_left = 1,
                                     .pad_bottom = 1,
                                     .pad_right = 1,
                                     .groups = 1};
    test.op.src[0].shape = (VfiShape){cases[_i].channels, 14, 22};
    test.op.dst.shape = (VfiShape){32, 14 / cases[_i].stride, 22 / cases[_i].stride};
    conv_case_fill(&test, random, true);
    conv_case_set_layouts(&test, cases[_i].planes ? 0 : block, block);
    g_autofree float *exact =
        run_op(&test.op, (const float *const *)test.sources, &setting);
    setting.bf16 = true;
    g_autofree float *result =
        run_op(&test.op, (const float *const *)test.sources, &setting);
    ck_assert_mem_eq(result, exact,
                     vfi_shape_elements(test.op.dst.shape) * sizeof(float));
    conv_case_clear(&test);
    g_rand_free(random);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("bf16");
    TCase *tcase = tcase_create("bf16");

    tcase_add_loop_test(tcase, strided_convolutions_match_the_definition, 0, 8);
    tcase_add_loop_test(tcase, other_convolutions_stay_as_they_are, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    if (!vfi_cpu_has_bf16()) {
        printf("1..0 # SKIP this CPU has no AVX512-BF16\n");
        return EXIT_SUCCESS;
    }
    return kernel_test_main(argc, argv, make_suite);
}
