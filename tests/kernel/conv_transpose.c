/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transposed convolution at every level against its definition. */
#include "conv_util.h"

static void check_one(GRand *random, VfiConvParams params, VfiShape in, int out_channels)
{
    static const VfiActivationKind activations[] = {
        VFI_ACTIVATION_NONE, VFI_ACTIVATION_PRELU, VFI_ACTIVATION_LEAKY,
        VFI_ACTIVATION_SIGMOID};
    ConvCase test = {.op = {.kind = VFI_OP_CONV_TRANSPOSE}};
    int h =
        (in.h - 1) * params.stride - params.pad_top - params.pad_bottom + params.kernel_h;
    int w =
        (in.w - 1) * params.stride - params.pad_left - params.pad_right + params.kernel_w;

    if (h < 1 || w < 1)
        return;
    params.groups = 1;
    params.activation.kind = activations[g_rand_int_range(random, 0, 4)];
    params.residual = (VfiResidual)g_rand_int_range(random, 0, 3);
    test.op.u.conv = params;
    test.op.src[0].shape = in;
    test.op.dst.shape = (VfiShape){out_channels, h, w};
    conv_case_fill(&test, random, g_rand_int_range(random, 0, 4) > 0);
    conv_case_check(&test);
    conv_case_clear(&test);
}

static const VfiConvParams doubling = {.kernel_h = 4,
                                       .kernel_w = 4,
                                       .stride = 2,
                                       .pad_top = 1,
                                       .pad_left = 1,
                                       .pad_bottom = 1,
                                       .pad_right = 1};

START_TEST(doubling_matches_the_definition)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);

    for (int i = 0; i < 8; i++) {
        VfiShape in = {g_rand_int_range(random, 1, 101), g_rand_int_range(random, 1, 14),
                       g_rand_int_range(random, 1, 40)};
        check_one(random, doubling, in, g_rand_int_range(random, 1, 14));
    }
    check_one(random, doubling, (VfiShape){3, 1, 1}, 5);
    g_rand_free(random);
}
END_TEST

/* The weight's first channels alone. */
START_TEST(channels_left_out_match_the_definition)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 30);
    VfiConvParams params = doubling;

    for (int i = 0; i < 4; i++) {
        int channels = g_rand_int_range(random, 1, 30);
        params.weight_out = channels + g_rand_int_range(random, 0, 20);
        check_one(random, params, (VfiShape){g_rand_int_range(random, 1, 40), 5, 9},
                  channels);
    }
    g_rand_free(random);
}
END_TEST

START_TEST(wide_planes_match_the_definition)
{
    GRand *random = g_rand_new_with_seed(20);

    check_one(random, doubling, (VfiShape){7, 11, 2501}, 5);
    g_rand_free(random);
}
END_TEST

START_TEST(any_kernel_and_stride_match_the_definition)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 50);

    for (int i = 0; i < 20; i++) {
        VfiConvParams params = {
            .kernel_h = g_rand_int_range(random, 1, 7),
            .kernel_w = g_rand_int_range(random, 1, 7),
            .stride = g_rand_int_range(random, 1, 5),
            .pad_top = g_rand_int_range(random, 0, 3),
            .pad_left = g_rand_int_range(random, 0, 3),
            .pad_bottom = g_rand_int_range(random, 0, 3),
            .pad_right = g_rand_int_range(random, 0, 3),
        };
        VfiShape in = {g_rand_int_range(random, 1, 20), g_rand_int_range(random, 1, 12),
                       g_rand_int_range(random, 1, 24)};
        check_one(random, params, in, g_rand_int_range(random, 1, 20));
    }
    g_rand_free(random);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("conv_transpose");
    TCase *tcase = tcase_create("conv_transpose");
    tcase_add_loop_test(tcase, doubling_matches_the_definition, 0, 4);
    tcase_add_loop_test(tcase, channels_left_out_match_the_definition, 0, 3);
    tcase_add_test(tcase, wide_planes_match_the_definition);
    tcase_add_loop_test(tcase, any_kernel_and_stride_match_the_definition, 0, 6);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
