/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backward warp against the CPU's C reference, in every layout. */
#include "tensor_util.h"

/* Flows that lead inside the picture, outside of it, and NaN. */
static float *flow_of(GRand *random, size_t n, float reach)
{
    float *flow = random_floats(random, n);

    for (size_t i = 0; i < n; i++)
        flow[i] *= reach;
    if (reach > 10.0f) {
        flow[0] = NAN;
        flow[n / 2] = INFINITY;
        flow[n - 1] = -INFINITY;
    }
    return flow;
}

START_TEST(warps)
{
    static const float reaches[] = {0.0f, 0.5f, 3.0f, 1e6f};
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    VfiShape shape = tensor_shapes[_i], flow_shape = {2, shape.h, shape.w};
    g_autofree float *values = random_halves(random, vfi_shape_elements(shape));

    for (size_t r = 0; r < G_N_ELEMENTS(reaches); r++) {
        g_autofree float *flow =
            flow_of(random, vfi_shape_elements(flow_shape), reaches[r]);
        VfiOp op = {.kind = VFI_OP_WARP, .n_src = 2, .dst.shape = shape};
        op.src[0].shape = shape;
        op.src[1].shape = flow_shape;
        g_autofree float *expected =
            reference_of(&op, (const float *const[]){values, flow}, NULL);
        for (size_t l = 0; l < G_N_ELEMENTS(layouts); l++) {
            TestTensor src = tensor_new(shape, layouts[l], values);
            TestTensor by = tensor_new(flow_shape, (Layout){.shift = (int)(l % 2)}, flow);
            TestTensor dst = tensor_new(shape, layouts[l], NULL);
            compute_op(&op, &src.tensor, &by.tensor, NULL, &dst.tensor);
            tensor_expect(&dst, expected, 0.0f, "warp");
            tensor_clear(&src);
            tensor_clear(&by);
            tensor_clear(&dst);
        }
    }
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-warp");
    TCase *tcase = tcase_create("warp");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, warps, 0, (int)G_N_ELEMENTS(tensor_shapes));
    return check_main(suite);
}
