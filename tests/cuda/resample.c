/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels that read at computed places against the CPU's C reference, in every layout. */
#include "tensor_util.h"

/* @shift: of the bias, in floats off alignment. */
static void check(VfiOp *op, const float *values, size_t shift, Layout from, Layout to)
{
    g_autofree float *expected = reference_of(op, (const float *const[]){values}, NULL);
    TestTensor src = tensor_new(op->src[0].shape, from, values);
    TestTensor dst = tensor_new(op->dst.shape, to, NULL);
    TestConstants constants = constants_new(op, shift);

    compute_op(op, &src.tensor, NULL, &constants, &dst.tensor);
    tensor_expect(&dst, expected, 0.0f, vfi_op_kind_to_string(op->kind));
    constants_clear(&constants);
    tensor_clear(&src);
    tensor_clear(&dst);
}

static VfiOp op_of(VfiOpKind kind, VfiShape in, VfiShape out)
{
    VfiOp op = {.kind = kind, .n_src = 1};

    op.src[0].shape = in;
    op.dst.shape = out;
    if (kind == VFI_OP_RESIZE)
        op.u.resize = (VfiResizeParams){.height = out.h, .width = out.w};
    else if (kind != VFI_OP_PIXEL_SHUFFLE)
        op.u.nearest = (VfiNearestParams){.height = out.h, .width = out.w};
    return op;
}

START_TEST(resizes)
{
    static const int sizes[][4] = {{1, 1, 1, 1},  {1, 1, 4, 3},   {5, 7, 10, 14},
                                   {7, 5, 15, 9}, {16, 32, 8, 8}, {33, 20, 11, 70},
                                   {9, 9, 4, 4},  {2, 3, 32, 96}};
    static const int channels[] = {1, 3, 4, 9};
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int shift = 0; shift < 2; shift++) {
            VfiShape in = {channels[_i], sizes[s][0], sizes[s][1]};
            VfiShape out = {channels[_i], sizes[s][2], sizes[s][3]};
            VfiOp op = op_of(VFI_OP_RESIZE, in, out);
            Layout layout = {.shift = shift};
            g_autofree float *values = random_floats(random, vfi_shape_elements(in));
            op.u.resize.mul = shift ? 1.0f : 0.7f;
            check(&op, values, 0, layout, layout);
        }
    g_rand_free(random);
}
END_TEST

START_TEST(pools_and_enlarges)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 10);
    VfiShape in = tensor_shapes[_i], half = {in.c, in.h / 2, in.w / 2};
    g_autofree float *values = random_halves(random, vfi_shape_elements(in));

    for (size_t l = 0; l < G_N_ELEMENTS(layouts); l++) {
        VfiOp pool = op_of(VFI_OP_AVG_POOL, in, half);
        if (half.h > 0 && half.w > 0)
            check(&pool, values, 0, layouts[l], layouts[l]);
        for (int more = 0; more < 3; more++) {
            VfiOp nearest =
                op_of(VFI_OP_NEAREST, in,
                      (VfiShape){in.c, 2 * in.h + more, (more + 1) * in.w + more / 2});
            check(&nearest, values, 0, layouts[l], layouts[l]);
        }
    }
    g_rand_free(random);
}
END_TEST

START_TEST(upsample_conv_sums)
{
    static const VfiShape sources[] = {{4, 1, 1},  {12, 3, 5}, {32, 4, 9},
                                       {52, 2, 3}, {96, 5, 7}, {1060, 1, 2}};
    GRand *random = g_rand_new_with_seed((guint32)_i + 20);
    VfiShape in = sources[_i];
    g_autofree float *values = random_halves(random, vfi_shape_elements(in));
    g_autofree float *bias = random_floats(random, (size_t)in.c / 4);

    for (size_t l = 0; l < 3 * G_N_ELEMENTS(layouts); l++) {
        VfiOp op = op_of(VFI_OP_UPSAMPLE_CONV_SUM, in,
                         (VfiShape){in.c / 4, 2 * in.h + (int)(l % 2), 2 * in.w});
        Layout layout = layouts[l / 3];
        /* Without bias, with an aligned one, and with one that is not. */
        size_t shift = l % 3 == 2 ? 1 : 0;
        op.u.nearest.bias = l % 3 == 0 ? NULL : bias;
        check(&op, values, shift, layout, layout);
    }
    g_rand_free(random);
}
END_TEST

START_TEST(pixel_shuffles)
{
    static const VfiShape sources[] = {{4, 1, 1}, {20, 3, 5}, {64, 9, 33}, {140, 2, 3}};
    GRand *random = g_rand_new_with_seed((guint32)_i + 30);
    VfiShape in = sources[_i];
    g_autofree float *values = random_halves(random, vfi_shape_elements(in));

    for (size_t l = 0; l < 2 * G_N_ELEMENTS(layouts); l++) {
        VfiOp op =
            op_of(VFI_OP_PIXEL_SHUFFLE, in, (VfiShape){in.c / 4, 2 * in.h, 2 * in.w});
        check(&op, values, 0, layouts[l / 2],
              (Layout){.shift = (int)(l % 2), .half = l % 3 == 0});
    }
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-resample");
    TCase *tcase = tcase_create("resample");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, resizes, 0, 4);
    tcase_add_loop_test(tcase, pools_and_enlarges, 0, (int)G_N_ELEMENTS(tensor_shapes));
    tcase_add_loop_test(tcase, upsample_conv_sums, 0, 6);
    tcase_add_loop_test(tcase, pixel_shuffles, 0, 4);
    return check_main(suite);
}
