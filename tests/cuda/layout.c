/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies between layouts and storages: every one to every other. */
#include "tensor_util.h"

static const Layout half_planes[] = {{.half = true}, {.half = true, .shift = 1}};

static Layout layout_at(size_t i)
{
    return i < G_N_ELEMENTS(layouts) ? layouts[i]
                                     : half_planes[i - G_N_ELEMENTS(layouts)];
}

START_TEST(copies)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    VfiShape shape = tensor_shapes[_i];
    size_t n_layouts = G_N_ELEMENTS(layouts) + G_N_ELEMENTS(half_planes);
    g_autofree float *values = random_halves(random, vfi_shape_elements(shape));

    for (size_t i = 0; i < n_layouts * n_layouts; i++) {
        TestTensor src = tensor_new(shape, layout_at(i / n_layouts), values);
        TestTensor dst = tensor_new(shape, layout_at(i % n_layouts), NULL);
        expect_success(vfi_cuda_copy(NULL, &src.tensor, &dst.tensor));
        tensor_expect(&dst, values, 0.0f, "copy");
        tensor_expect(&src, values, 0.0f, "source");
        tensor_clear(&src);
        tensor_clear(&dst);
    }
    g_rand_free(random);
}
END_TEST

/* What f16 does not hold: as the CPU's conversion. */
START_TEST(rounds_to_half)
{
    static const float values[] = {
        1.0f / 3, 65504.0f, 65519.0f, 65520.0f, -1e30f,    NAN,   INFINITY,  2049.0f,
        2051.0f,  6.1e-5f,  3e-8f,    2e-8f,    -INFINITY, -0.0f, -65535.0f, 1e-3f};
    VfiShape shape = {G_N_ELEMENTS(values), 1, 1};
    const Layout to[] = {half_planes[0], half_planes[1], {.last = true, .half = true}};

    for (size_t i = 0; i < G_N_ELEMENTS(to); i++) {
        TestTensor src = tensor_new(shape, (Layout){0}, values);
        TestTensor dst = tensor_new(shape, to[i], NULL);
        expect_success(vfi_cuda_copy(NULL, &src.tensor, &dst.tensor));
        tensor_expect(&dst, values, 0.0f, "rounding");
        tensor_clear(&src);
        tensor_clear(&dst);
    }
}
END_TEST

/* Channels of a wide tensor to a place among others: a piece of a concatenation. */
START_TEST(leaves_other_channels)
{
    VfiShape shape = {20, 3, 5};
    GRand *random = g_rand_new_with_seed(50);
    g_autofree float *values = random_halves(random, vfi_shape_elements(shape));
    TestTensor src = tensor_new(shape, (Layout){.last = true, .half = true}, values);
    TestTensor dst = tensor_new(
        shape, (Layout){.last = true, .half = true, .before = 40, .after = 24}, NULL);

    expect_success(vfi_cuda_copy(NULL, &src.tensor, &dst.tensor));
    tensor_expect(&dst, values, 0.0f, "piece");
    tensor_clear(&src);
    tensor_clear(&dst);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-layout");
    TCase *tcase = tcase_create("layout");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, copies, 0, (int)G_N_ELEMENTS(tensor_shapes));
    tcase_add_test(tcase, rounds_to_half);
    tcase_add_test(tcase, leaves_other_channels);
    return check_main(suite);
}
