/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests/ops does not try of element-wise kernels: row groups take no more channels
 * than they can count. */
#include "tensor_util.h"

/* More channels than a grid's y can count. */
START_TEST(very_many_channels)
{
    VfiShape shape = {65535 + 3, 1, 1};
    GRand *random = g_rand_new_with_seed(30);
    g_autofree float *a = random_floats(random, vfi_shape_elements(shape));
    VfiOp op = {.kind = VFI_OP_MUL, .n_src = 2};

    op.src[0].shape = op.src[1].shape = op.dst.shape = shape;
    op.src[1].shape.c = 1;
    g_autofree float *expected = reference_of(&op, (const float *const[]){a, a}, NULL);
    TestTensor src = tensor_new(shape, (Layout){0}, a);
    TestTensor factor = tensor_new(op.src[1].shape, (Layout){0}, a);
    TestTensor dst = tensor_new(shape, (Layout){0}, NULL);
    compute_op(&op, &src.tensor, &factor.tensor, NULL, &dst.tensor);
    tensor_expect(&dst, expected, 0.0f, "mul");
    tensor_clear(&src);
    tensor_clear(&factor);
    tensor_clear(&dst);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-elementwise");
    TCase *tcase = tcase_create("elementwise");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, very_many_channels);
    return check_main(suite);
}
