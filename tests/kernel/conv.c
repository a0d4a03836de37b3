/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution at every level against its definition. */
#include "conv_util.h"

static const VfiActivationKind activations[] = {VFI_ACTIVATION_NONE, VFI_ACTIVATION_PRELU,
                                                VFI_ACTIVATION_LEAKY,
                                                VFI_ACTIVATION_SIGMOID};

/* The result's size from the input's; false where the kernel does not fit. */
static bool set_result_size(ConvCase *test, int channels)
{
    const VfiConvParams *p = &test->op.u.conv;
    VfiShape in = test->op.src[0].shape;
    int h = in.h + p->pad_top + p->pad_bottom - p->kernel_h;
    int w = in.w + p->pad_left + p->pad_right - p->kernel_w;

    test->op.u.conv.out = channels;
    test->op.dst.shape = (VfiShape){channels, h / p->stride + 1, w / p->stride + 1};
    return h >= 0 && w >= 0;
}

static void check_one(GRand *random, VfiConvParams params, VfiShape in, int out_channels)
{
    ConvCase test = {.op = {.kind = VFI_OP_CONV, .u.conv = params}};

    test.op.src[0].shape = in;
    if (!set_result_size(&test, out_channels))
        return;
    conv_case_fill(&test, random, g_rand_int_range(random, 0, 4) > 0);
    conv_case_check(&test);
    conv_case_clear(&test);
}

/* Square kernels with "same" padding, all strides, activations and residuals in turn. */
START_TEST(common_kernels_match_the_definition)
{
    static const int kernels[] = {1, 3, 5, 7}, strides[] = {1, 2, 4};
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);

    for (int i = 0; i < 12; i++) {
        int kernel = kernels[_i % 4], stride = strides[i % 3];
        VfiConvParams params = {
            .kernel_h = kernel,
            .kernel_w = kernel,
            .stride = stride,
            .pad_top = kernel / 2,
            .pad_left = kernel / 2,
            .pad_bottom = kernel / 2,
            .pad_right = kernel / 2,
            .groups = 1,
            .activation = {.kind = activations[i % 4]},
            .residual = (VfiResidual)(i % 3),
        };
        VfiShape in = {g_rand_int_range(random, 1, 30), g_rand_int_range(random, 1, 24),
                       g_rand_int_range(random, 1, 90)};
        check_one(random, params, in, g_rand_int_range(random, 1, 30));
    }
    g_rand_free(random);
}
END_TEST

/* Anything that the parameters allow: uneven kernels and padding, groups. */
START_TEST(odd_kernels_match_the_definition)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 100);

    for (int i = 0; i < 12; i++) {
        int groups = g_rand_int_range(random, 1, 4);
        VfiConvParams params = {
            .kernel_h = g_rand_int_range(random, 1, 6),
            .kernel_w = g_rand_int_range(random, 1, 6),
            .stride = g_rand_int_range(random, 1, 5),
            .pad_top = g_rand_int_range(random, 0, 4),
            .pad_left = g_rand_int_range(random, 0, 4),
            .pad_bottom = g_rand_int_range(random, 0, 4),
            .pad_right = g_rand_int_range(random, 0, 4),
            .groups = groups,
            .activation = {.kind = activations[g_rand_int_range(random, 0, 4)]},
            .residual = (VfiResidual)g_rand_int_range(random, 0, 3),
        };
        VfiShape in = {groups * g_rand_int_range(random, 1, 12),
                       g_rand_int_range(random, 1, 20), g_rand_int_range(random, 1, 50)};
        check_one(random, params, in, groups * g_rand_int_range(random, 1, 12));
    }
    g_rand_free(random);
}
END_TEST

static const VfiConvParams three_by_three = {
    .kernel_h = 3,
    .kernel_w = 3,
    .stride = 1,
    .pad_top = 1,
    .pad_left = 1,
    .pad_bottom = 1,
    .pad_right = 1,
    .groups = 1,
    .activation = {.kind = VFI_ACTIVATION_PRELU},
};

/* The 2×2 kernel that pads right and below only. */
START_TEST(two_by_two_pads_on_one_side)
{
    GRand *random = g_rand_new_with_seed(7);
    VfiConvParams params = {.kernel_h = 2,
                            .kernel_w = 2,
                            .stride = 1,
                            .pad_bottom = 1,
                            .pad_right = 1,
                            .groups = 1};

    check_one(random, params, (VfiShape){19, 13, 37}, 21);
    g_rand_free(random);
}
END_TEST

START_TEST(many_channels_match_the_definition)
{
    GRand *random = g_rand_new_with_seed(8);

    for (int i = 0; i < 4; i++) {
        VfiShape in = {g_rand_int_range(random, 60, 101), g_rand_int_range(random, 1, 9),
                       g_rand_int_range(random, 1, 30)};
        check_one(random, three_by_three, in, g_rand_int_range(random, 60, 101));
    }
    g_rand_free(random);
}
END_TEST

/* Winograd's tiles, F(4×4) and (last three) F(6×6): borders at every place of a tile,
 * chunks that end in mid-row, blocks of channels that are not full. */
START_TEST(tiles_match_the_definition)
{
    static const VfiShape shapes[] = {{16, 13, 14},  {17, 16, 33}, {40, 9, 90},
                                      {33, 70, 19},  {97, 6, 600}, {20, 23, 24},
                                      {35, 58, 100}, {16, 6, 596}, {50, 66, 71}};
    GRand *random = g_rand_new_with_seed(14);
    VfiConvParams params = three_by_three;

    params.activation.kind = activations[_i % 4];
    params.residual = (VfiResidual)(_i % 3);
    check_one(random, params, shapes[_i], 16 + 5 * _i);
    g_rand_free(random);
}
END_TEST

/* Groups that are whole blocks of channels at any level, and some that are not. */
START_TEST(tiles_of_groups_match_the_definition)
{
    static const struct {
        int groups, in, out;
    } cases[] = {{2, 16, 32}, {3, 32, 16}, {2, 48, 96}, {4, 8, 8}, {2, 20, 16}};
    GRand *random = g_rand_new_with_seed((guint32)_i + 40);
    VfiConvParams params = three_by_three;
    VfiShape in = {cases[_i].groups * cases[_i].in, 17, 29};
    ConvCase test = {.op = {.kind = VFI_OP_CONV}};

    params.groups = cases[_i].groups;
    params.residual = (VfiResidual)(_i % 3);
    test.op.u.conv = params;
    test.op.src[0].shape = in;
    set_result_size(&test, cases[_i].groups * cases[_i].out);
    ck_assert_int_eq(vfi_winograd_suits(&test.op), _i < 3);
    check_one(random, params, in, cases[_i].groups * cases[_i].out);
    g_rand_free(random);
}
END_TEST

/* The same for Winograd's form of stride 2: even and odd sizes that end at each of the
 * eight pixels that a tile steps by. */
START_TEST(tiles_of_stride_2_match_the_definition)
{
    static const int channels[] = {17, 40, 33, 97, 20, 16, 35, 50};
    GRand *random = g_rand_new_with_seed((guint32)_i + 17);
    VfiConvParams params = three_by_three;
    VfiShape in = {channels[_i % 8], 33 + _i % 8, 65 + 3 * _i % 8};
    ConvCase test = {.op = {.kind = VFI_OP_CONV}};

    params.stride = 2;
    params.activation.kind = activations[_i % 3];
    params.residual = (VfiResidual)(_i / 3 % 3);
    test.op.u.conv = params;
    test.op.src[0].shape = in;
    set_result_size(&test, 16 + 5 * _i);
    ck_assert(vfi_winograd_suits(&test.op));
    check_one(random, params, in, 16 + 5 * _i);
    g_rand_free(random);
}
END_TEST

/* DESIGN: at most 6e-6 rms of the largest sum, on layers as RIFE has them. */
START_TEST(winograd_is_accurate_on_average)
{
    static const VfiShape shapes[] = {
        {192, 12, 20}, {64, 60, 64}, {32, 32, 48}, {192, 32, 48}};
    static const int strides[] = {1, 1, 2, 2};
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    GRand *random = g_rand_new_with_seed(16);
    ConvCase test = {.op = {.kind = VFI_OP_CONV, .u.conv = three_by_three}};

    if (kernels->multiply != NULL) {
        test.op.src[0].shape = shapes[_i];
        test.op.u.conv.stride = strides[_i];
        set_result_size(&test, 32);
        conv_case_fill(&test, random, true);
        conv_case_set_layouts(&test, kernels->vector_floats, kernels->vector_floats);
        ck_assert(uses_winograd(&test.op));
        double largest = conv_case_expect(&test), sum = 0.0;
        size_t n = vfi_shape_elements(test.op.dst.shape);
        g_autofree float *result =
            run_op_all_threads(&test.op, (const float *const *)test.sources);
        for (size_t i = 0; i < n; i++)
            sum += pow((double)result[i] - test.expected[i], 2.0);
        ck_assert_double_le(sqrt(sum / (double)n) / largest, 6e-6);
        conv_case_clear(&test);
    }
    g_rand_free(random);
}
END_TEST

START_TEST(sizes_of_one_pixel_match_the_definition)
{
    static const VfiShape shapes[] = {{3, 1, 1}, {3, 1, 70}, {3, 70, 1}, {1, 2, 2}};
    GRand *random = g_rand_new_with_seed(9);

    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
        check_one(random, three_by_three, shapes[i], 9);
    g_rand_free(random);
}
END_TEST

/* Wide enough to be cut into several bands of columns and of rows. */
START_TEST(large_planes_match_the_definition)
{
    static const int strides[] = {1, 2};
    GRand *random = g_rand_new_with_seed(10);
    VfiConvParams params = three_by_three;

    params.stride = strides[_i];
    check_one(random, params, (VfiShape){9, 37, 4099}, 7);
    g_rand_free(random);
}
END_TEST

/* NaN and infinity reach exactly the results whose window holds them, as in the
 * definition; denormals are at worst taken as zero. */
START_TEST(special_values_stay_in_their_window)
{
    static const float values[] = {NAN, INFINITY, -INFINITY, 1e-40f, 3e38f};
    GRand *random = g_rand_new_with_seed(11);

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        ConvCase test = {.op = {.kind = VFI_OP_CONV, .u.conv = three_by_three}};
        test.op.src[0].shape = (VfiShape){5, 20, 53};
        set_result_size(&test, 11);
        conv_case_fill(&test, random, true);
        test.sources[0][2 * 20 * 53 + 7 * 53 + 52] = values[i];
        conv_case_expect(&test);
        g_autofree float *result =
            run_op_all_threads(&test.op, (const float *const *)test.sources);
        for (size_t at = 0; at < vfi_shape_elements(test.op.dst.shape); at++) {
            double expected = test.expected[at];
            ck_assert_int_eq(isnan(expected), isnan(result[at]));
            if (fabs(expected) < 1e30)
                ck_assert_double_le(fabs(expected - result[at]), 1e-4);
        }
        conv_case_clear(&test);
    }
    g_rand_free(random);
}
END_TEST

/* A chunk is the grain of cancelling. At 20 ms it may have 400 million multiply-adds at
 * the vector levels' 20 billion a second (less than any CPU with AVX2 does), 20 million
 * in C. Inputs in planes and in blocks, to planes and to blocks. */
START_TEST(chunks_of_huge_ops_stay_small)
{
    static const VfiShape inputs[] = {{2442, 136, 240},
                                      {12, 4320, 8192},
                                      {64, 2160, 3840},
                                      {96, 16, 16384},
                                      {512, 1, 16384}};
    static const int outputs[] = {512, 32, 64, 96, 512};
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    int block = kernels->multiply != NULL ? kernels->vector_floats : 0;
    ConvCase test = {.op = {.kind = VFI_OP_CONV, .u.conv = three_by_three}};
    int o = outputs[_i % 5], layout = _i / 5 % 4, stride = 1 + _i / 20;
    VfiShape in = inputs[_i % 5];

    test.weight = g_new0(float, (gsize)(9 * in.c * o));
    test.op.u.conv.weight = test.op.u.conv.activation.slope = test.weight;
    test.op.n_src = 1;
    test.op.src[0].shape = in;
    test.op.u.conv.stride = stride;
    set_result_size(&test, o);
    double products = 9.0 * in.c * (double)vfi_shape_elements(test.op.dst.shape);
    conv_case_set_layouts(&test, layout & 1 ? block : 0, layout & 2 ? block : 0);
    VfiCpuOp *ready = vfi_cpu_op_new(&test.op, test_level, NULL);
    ck_assert_ptr_nonnull(ready);
    if (uses_winograd(&test.op))
        products /= stride == 1 ? 4.0 : 144.0 / 81.0;
    /* Bands and pieces differ by less than a factor of two. */
    ck_assert_double_le(products / ready->n_chunks,
                        test_level == VFI_CPU_LEVEL_C ? 2e7 : 2e8);
    ck_assert_uint_le(vfi_cpu_op_scratch_bytes(ready), (size_t)8 << 20);
    vfi_cpu_op_free(ready);
    g_free(test.weight);
}
END_TEST

static VfiCpuOp *new_shared(const VfiOp *op, VfiPackedWeights *store)
{
    VfiCpuOpSetup setup = {.level = test_level, .store = store};

    return vfi_cpu_op_new_with(op, &setup, NULL);
}

/* The same layer is packed once, whatever the size of the pictures, and apart for forms
 * with another order of weights. */
START_TEST(ops_with_one_layer_share_its_weights)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    int block = kernels->multiply != NULL ? kernels->vector_floats : 0;
    GRand *random = g_rand_new_with_seed(15);
    ConvCase test = {.op = {.kind = VFI_OP_CONV, .u.conv = three_by_three}};
    int channels = _i == 0 ? 4 : 32; /* direct, Winograd, Winograd of stride 2 */
    VfiPackedWeights *store = vfi_packed_weights_new();
    VfiPackedStats stats;

    test.op.u.conv.stride = _i == 2 ? 2 : 1;
    test.op.src[0].shape = (VfiShape){channels, 32, 80};
    set_result_size(&test, channels);
    conv_case_fill(&test, random, true);
    if (_i > 0)
        conv_case_set_layouts(&test, block, block);
    VfiOp smaller = test.op;
    smaller.src[0].shape.h /= 2;
    smaller.dst.shape.h /= 2;
    VfiCpuOp *own = vfi_cpu_op_new(&test.op, test_level, NULL);
    VfiCpuOp *first = new_shared(&test.op, store);
    VfiCpuOp *second = new_shared(&smaller, store);
    ck_assert_ptr_nonnull(second);
    ck_assert_ptr_eq(vfi_cpu_op_packed(first), vfi_cpu_op_packed(second));
    ck_assert_uint_eq(vfi_cpu_op_packed_bytes(first), vfi_cpu_op_packed_bytes(second));

    /* the C reference packs nothing */
    bool packs = test_level != VFI_CPU_LEVEL_C;
    vfi_packed_weights_stats(store, &stats);
    ck_assert_uint_eq(stats.n_packed, packs);
    ck_assert_uint_eq(stats.bytes, vfi_cpu_op_packed_bytes(own));
    if (packs) {
        ck_assert_ptr_ne(vfi_cpu_op_packed(own), vfi_cpu_op_packed(first));
        ck_assert_mem_eq(vfi_cpu_op_packed(own), vfi_cpu_op_packed(first), stats.bytes);
    }

    /* other weights are not shared */
    g_autofree float *other_weight =
        g_memdup2(test.weight, sizeof(float) * 9 * (gsize)(channels * channels));
    VfiOp other = test.op;
    other.u.conv.weight = other_weight;
    VfiCpuOp *stranger = new_shared(&other, store);
    vfi_packed_weights_stats(store, &stats);
    ck_assert_uint_eq(stats.n_packed, 2 * packs);

    /* nor what another algorithm, or another of Winograd's forms, cannot use */
    VfiOp larger = test.op;
    larger.u.conv.stride = 1;
    larger.src[0].shape.h = larger.dst.shape.h = 240;
    larger.dst.shape.w = larger.src[0].shape.w;
    VfiCpuOp *form = new_shared(&larger, store);
    if (_i > 0 && block > 0)
        ck_assert_ptr_ne(vfi_cpu_op_packed(form), vfi_cpu_op_packed(first));
    size_t all = 2 * vfi_cpu_op_packed_bytes(own);
    if (_i > 0 && block > 0)
        all += vfi_cpu_op_packed_bytes(form);

    /* nobody holds them any more */
    vfi_cpu_op_free(form);
    vfi_cpu_op_free(stranger);
    vfi_cpu_op_free(second);
    vfi_cpu_op_free(first);
    vfi_packed_weights_stats(store, &stats);
    ck_assert_uint_eq(stats.bytes_in_use, 0);
    ck_assert_uint_eq(vfi_packed_weights_trim(store), all);
    vfi_packed_weights_free(store);
    vfi_cpu_op_free(own);
    conv_case_clear(&test);
    g_rand_free(random);
}
END_TEST

START_TEST(misfitting_operands_are_refused)
{
    g_autoptr(GError) error = NULL;
    ConvCase test = {.op = {.kind = VFI_OP_CONV, .u.conv = three_by_three}};
    GRand *random = g_rand_new_with_seed(12);

    test.op.src[0].shape = (VfiShape){4, 8, 8};
    set_result_size(&test, 4);
    conv_case_fill(&test, random, true);
    test.op.dst.shape.w++;
    ck_assert_ptr_null(vfi_cpu_op_new(&test.op, test_level, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_ptr_nonnull(strstr(error->message, "4×8×8 to 4×8×9"));
    conv_case_clear(&test);
    g_rand_free(random);
}
END_TEST

START_TEST(a_refused_allocation_is_an_error)
{
    g_autoptr(GError) error = NULL;
    ConvCase test = {.op = {.kind = VFI_OP_CONV, .u.conv = three_by_three}};
    GRand *random = g_rand_new_with_seed(13);

    test.op.src[0].shape = (VfiShape){4, 8, 8};
    set_result_size(&test, 4);
    conv_case_fill(&test, random, true);
    vfi_alloc_fail_after(0);
    VfiCpuOp *ready = vfi_cpu_op_new(&test.op, test_level, &error);
    vfi_alloc_fail_after(G_MAXUINT64);
    /* The C reference packs nothing. */
    ck_assert_int_eq(ready == NULL, test_level != VFI_CPU_LEVEL_C);
    if (ready == NULL)
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    vfi_cpu_op_free(ready);
    conv_case_clear(&test);
    g_rand_free(random);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("conv");
    TCase *tcase = tcase_create("conv");
    tcase_add_loop_test(tcase, common_kernels_match_the_definition, 0, 8);
    tcase_add_loop_test(tcase, odd_kernels_match_the_definition, 0, 8);
    tcase_add_test(tcase, two_by_two_pads_on_one_side);
    tcase_add_test(tcase, many_channels_match_the_definition);
    tcase_add_loop_test(tcase, tiles_of_groups_match_the_definition, 0, 5);
    tcase_add_loop_test(tcase, tiles_match_the_definition, 0, 9);
    tcase_add_loop_test(tcase, tiles_of_stride_2_match_the_definition, 0, 16);
    tcase_add_loop_test(tcase, winograd_is_accurate_on_average, 0, 4);
    tcase_add_test(tcase, sizes_of_one_pixel_match_the_definition);
    tcase_add_loop_test(tcase, large_planes_match_the_definition, 0, 2);
    tcase_add_test(tcase, special_values_stay_in_their_window);
    tcase_add_loop_test(tcase, chunks_of_huge_ops_stay_small, 0, 40);
    tcase_add_loop_test(tcase, ops_with_one_layer_share_its_weights, 0, 3);
    tcase_add_test(tcase, misfitting_operands_are_refused);
    tcase_add_test(tcase, a_refused_allocation_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
