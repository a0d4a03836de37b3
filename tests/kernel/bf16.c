/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of bf16 pairs against their definition, and convolutions that may use them. */
#include "conv_util.h"

static const VfiConvParams three_by_three = {
    .kernel_h = 3,
    .kernel_w = 3,
    .stride = 1,
    .pad_top = 1,
    .pad_left = 1,
    .pad_bottom = 1,
    .pad_right = 1,
    .groups = 1,
    .tolerates_bf16 = true,
    .activation = {.kind = VFI_ACTIVATION_PRELU},
};

/* A random number of eight significant bits, so that bf16 holds it, and its bits. */
static float random_bf16(GRand *random, uint16_t *bits)
{
    float value = (float)g_rand_int_range(random, -255, 256) /
                  (float)(1 << g_rand_int_range(random, 6, 12));
    uint32_t word;

    memcpy(&word, &value, sizeof word);
    *bits = (uint16_t)(word >> 16);
    return value;
}

typedef struct {
    uint16_t *bits;
    float *values;
} Pairs;

static Pairs random_pairs(GRand *random, size_t n)
{
    Pairs pairs = {g_new(uint16_t, n), g_new(float, n)};

    for (size_t i = 0; i < n; i++)
        pairs.values[i] = random_bf16(random, &pairs.bits[i]);
    return pairs;
}

static void free_pairs(Pairs pairs)
{
    g_free(pairs.bits);
    g_free(pairs.values);
}

/* Two segments of 24 channels, any number of pixels and vectors: inputs and weights are
 * exact, so what is left is the rounding of sums. */
START_TEST(products_match_their_definition)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    enum { CHANNELS = 24, SEGMENTS = 2 };
    int n_vectors = _i % 3 + 1, n_pixels = _i * 3 + 1;
    int width = n_vectors * kernels->vector_floats;
    size_t row = (size_t)CHANNELS * SEGMENTS;
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    Pairs in = random_pairs(random, row * (size_t)n_pixels);
    Pairs weight = random_pairs(random, row * (size_t)width);
    g_autofree float *out = g_new0(float, (gsize)(n_pixels * width));
    const VfiSegment segments[] = {{0, 0}, {CHANNELS / 2, CHANNELS / 2}};
    VfiMultiply call = {
        .in = (const float *)(const void *)in.bits,
        .weight = (const float *)(const void *)weight.bits,
        .out = out,
        .segments = segments,
        .in_pitch = (ptrdiff_t)row / 2,
        .out_pitch = width,
        .n_segments = SEGMENTS,
        .length = CHANNELS / 2,
        .n_pixels = n_pixels,
        .n_vectors = n_vectors,
    };

    kernels->multiply_bf16(&call);
    for (int p = 0; p < n_pixels; p++)
        for (int o = 0; o < width; o++) {
            double sum = 0.0, size = 1.0;
            for (size_t k = 0; k < row; k++) {
                /* rows of pairs: [k / 2][o][k % 2] */
                double w = weight.values[(k / 2 * (size_t)width + (size_t)o) * 2 + k % 2];
                double product = w * in.values[(size_t)p * row + k];
                sum += product;
                size += fabs(product);
            }
            ck_assert_double_le(fabs(out[p * width + o] - sum), 1e-6 * size);
        }
    free_pairs(in);
    free_pairs(weight);
    g_rand_free(random);
}
END_TEST

static float *run_case(ConvCase *test, bool bf16, int threads)
{
    Setting setting = {
        .level = test_level, .threads = threads, .shift = threads - 1, .bf16 = bf16};

    return run_op(&test->op, (const float *const *)test->sources, &setting);
}

/* Rounding to eight bits before the products, magnified by Winograd's transforms:
 * RIFE's last block keeps within the limits of 16-bit pictures with it (test
 * golden-bf16). */
START_TEST(rounded_convolutions_stay_near_the_definition)
{
    static const VfiShape shapes[] = {{64, 22, 31}, {33, 9, 40}, {16, 4, 4}};
    int block = vfi_cpu_kernels(test_level)->vector_floats;
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    ConvCase test = {.op = {.kind = VFI_OP_CONV, .u.conv = three_by_three}};

    test.op.src[0].shape = test.op.dst.shape = shapes[_i];
    test.op.u.conv.residual = (VfiResidual)_i;
    conv_case_fill(&test, random, true);
    conv_case_set_layouts(&test, block, block);
    double largest = conv_case_expect(&test), error, sum = 0.0;
    size_t n = vfi_shape_elements(test.op.dst.shape);
    g_autofree float *exact = run_case(&test, false, 1);
    g_autofree float *result = run_case(&test, true, 1);
    g_autofree float *again = run_case(&test, true, 3);

    ck_assert_mem_eq(again, result, n * sizeof(float));
    ck_assert(memcmp(exact, result, n * sizeof(float)) != 0);
    for (size_t i = 0; i < n; i++)
        sum += pow((double)result[i] - test.expected[i], 2.0);
    error = largest_error(result, test.expected, n, largest);
    ck_assert_msg(error <= 5e-2, "error %g", error);
    ck_assert_double_le(sqrt(sum / (double)n) / largest, 1e-2);
    conv_case_clear(&test);
    g_rand_free(random);
}
END_TEST

/* What the model does not tolerate, planes and strided convolutions stay f32: the same
 * bits. */
START_TEST(other_convolutions_stay_as_they_are)
{
    static const struct {
        bool tolerates, planes;
        int stride;
    } cases[] = {{false, false, 1}, {true, true, 1}, {true, false, 2}};
    int block = vfi_cpu_kernels(test_level)->vector_floats;
    GRand *random = g_rand_new_with_seed(9);
    ConvCase test = {.op = {.kind = VFI_OP_CONV, .u.conv = three_by_three}};

    test.op.u.conv.tolerates_bf16 = cases[_i].tolerates;
    test.op.u.conv.stride = cases[_i].stride;
    test.op.src[0].shape = (VfiShape){32, 14, 22};
    test.op.dst.shape = (VfiShape){32, 14 / cases[_i].stride, 22 / cases[_i].stride};
    conv_case_fill(&test, random, true);
    conv_case_set_layouts(&test, cases[_i].planes ? 0 : block, block);
    g_autofree float *exact = run_case(&test, false, 1);
    g_autofree float *result = run_case(&test, true, 1);
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

    tcase_add_loop_test(tcase, products_match_their_definition, 0, 12);
    tcase_add_loop_test(tcase, rounded_convolutions_stay_near_the_definition, 0, 3);
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
