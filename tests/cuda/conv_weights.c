/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shapes and packed weights: computing the convolution from its definition with the
 * packed weights, over channels that are rounded up, gives the op's result. */
#include <string.h>

#include "base/f16.h"
#include "check_main.h"
#include "conv/conv_weights.h"

#define GUARD 0x5a
#define MOST 4096

/* Values that f16 holds exactly, all different. */
static float weight_value(size_t i)
{
    return (float)((int)(i % 1999) - 999) / 8.0f;
}

static float weights[MOST];

static VfiOp make_op(VfiOpKind kind, int in, int out, int kernel, int groups)
{
    VfiOp op = {
        .kind = kind,
        .n_src = 1,
        .src = {{.shape = {in, 5, 7}}},
        .dst = {.shape = {out, 5, 7}},
        .name = "layer",
        .u.conv = {.weight = weights,
                   .out = out,
                   .kernel_h = kernel,
                   .kernel_w = kernel,
                   .stride = 1,
                   .groups = groups},
    };

    for (size_t i = 0; i < MOST; i++)
        weights[i] = weight_value(i);
    return op;
}

/* Packs into memory with a guard after it; free with g_free(). */
static void *pack(const VfiCudaConvShape *shape, const VfiOp *op)
{
    size_t bytes;

    ck_assert(vfi_cuda_conv_weight_bytes(shape, &bytes, NULL));
    unsigned char *packed = g_malloc(bytes + 64);
    memset(packed, GUARD, bytes + 64);
    vfi_cuda_conv_pack_weights(shape, op, packed);
    for (size_t i = 0; i < 64; i++)
        if (packed[bytes + i] != GUARD)
            ck_abort_msg("byte %zu after the weights was written", i);
    return packed;
}

/* The packed weight from input @i to output @o, counted over all groups; 0 across
 * groups. */
static float packed_weight(const VfiCudaConvShape *shape, const void *packed, int o,
                           int i, int y, int x)
{
    int in = shape->src.c / shape->groups, out = shape->dst.c / shape->groups;
    int first = o, last = i % in, n_last = in;
    size_t at;

    if (o / out != i / in)
        return 0.0f;
    if (shape->transposed) {
        first = i;
        last = o;
        n_last = out;
    }
    if (shape->src.pixel_stride == 0)
        at =
            (((size_t)first * n_last + last) * shape->kernel_h + y) * shape->kernel_w + x;
    else
        at =
            (((size_t)first * shape->kernel_h + y) * shape->kernel_w + x) * n_last + last;
    return shape->math == VFI_CUDA_CONV_F16
               ? vfi_float_from_f16(((const uint16_t *)packed)[at])
               : ((const float *)packed)[at];
}

/* The op's weight; 0 for channels that only rounding up adds. */
static float meant_weight(const VfiOp *op, int o, int i, int y, int x)
{
    const VfiConvParams *conv = &op->u.conv;
    int in = op->src[0].shape.c / conv->groups, out = op->dst.shape.c / conv->groups;
    size_t taps = (size_t)conv->kernel_h * (size_t)conv->kernel_w, filter;

    if (o >= op->dst.shape.c || i >= op->src[0].shape.c || o / out != i / in)
        return 0.0f;
    if (op->kind == VFI_OP_CONV_TRANSPOSE)
        filter = (size_t)i * (size_t)vfi_conv_transpose_weight_channels(op) + (size_t)o;
    else
        filter = vfi_conv_filter(conv, o, i % in, in);
    return conv->weight[filter * taps + (size_t)(y * conv->kernel_w + x)];
}

static void compare(const VfiOp *op, VfiCudaConvMath math, bool planar, int groups)
{
    VfiCudaConvShape shape;
    int src = planar ? 0 : vfi_cuda_conv_channels(op->src[0].shape.c) + 8;
    int dst = planar ? 0 : vfi_cuda_conv_channels(op->dst.shape.c);

    ck_assert(vfi_cuda_conv_shape_init(&shape, op, math, src, dst, NULL));
    ck_assert_int_eq(shape.groups, groups);
    g_autofree void *packed = pack(&shape, op);
    for (int o = 0; o < shape.dst.c; o++)
        for (int i = 0; i < shape.src.c; i++)
            for (int y = 0; y < shape.kernel_h; y++)
                for (int x = 0; x < shape.kernel_w; x++)
                    if (packed_weight(&shape, packed, o, i, y, x) !=
                        meant_weight(op, o, i, y, x))
                        ck_abort_msg("from %d to %d at %d,%d", i, o, y, x);
}

START_TEST(channels_are_rounded_up)
{
    VfiOp op = make_op(VFI_OP_CONV, 3, 11, 3, 1);
    VfiCudaConvShape shape;
    size_t bytes;

    ck_assert(vfi_cuda_conv_shape_init(&shape, &op, VFI_CUDA_CONV_F16, 8, 24, NULL));
    ck_assert_int_eq(shape.src.c, 8);
    ck_assert_int_eq(shape.dst.c, 16);
    ck_assert_int_eq(shape.dst.pixel_stride, 24);
    ck_assert(vfi_cuda_conv_weight_bytes(&shape, &bytes, NULL));
    ck_assert_uint_eq(bytes, 16 * 3 * 3 * 8 * 2);
    compare(&op, VFI_CUDA_CONV_F16, false, 1);
    compare(&op, VFI_CUDA_CONV_TF32, false, 1);
    compare(&op, VFI_CUDA_CONV_F32, true, 1);
}
END_TEST

START_TEST(kernels_of_any_size)
{
    VfiOp op = make_op(VFI_OP_CONV, 5, 9, 2, 1);

    op.u.conv.kernel_h = 7;
    op.u.conv.pad_bottom = op.u.conv.pad_right = 1;
    compare(&op, VFI_CUDA_CONV_F16, false, 1);
    compare(&op, VFI_CUDA_CONV_F32, true, 1);
    op.u.conv.kernel_h = op.u.conv.kernel_w = 1;
    compare(&op, VFI_CUDA_CONV_F16, false, 1);
}
END_TEST

/* 16 channels in two groups stay two; 12 in three, and 24 to 12 in three, become one. */
START_TEST(groups_that_are_not_whole_become_one)
{
    VfiOp whole = make_op(VFI_OP_CONV, 16, 32, 3, 2);
    VfiOp narrow = make_op(VFI_OP_CONV, 12, 12, 3, 3);
    VfiOp mixed = make_op(VFI_OP_CONV, 24, 12, 3, 3);

    compare(&whole, VFI_CUDA_CONV_F16, false, 2);
    compare(&narrow, VFI_CUDA_CONV_F16, false, 1);
    compare(&mixed, VFI_CUDA_CONV_F16, false, 1);
    compare(&narrow, VFI_CUDA_CONV_F32, true, 3);
}
END_TEST

START_TEST(transposed_convolutions_have_inputs_first)
{
    VfiOp op = make_op(VFI_OP_CONV_TRANSPOSE, 10, 6, 4, 1);

    op.u.conv.stride = 2;
    compare(&op, VFI_CUDA_CONV_F16, false, 1);
    compare(&op, VFI_CUDA_CONV_F32, true, 1);
    op.u.conv.weight_out = 20; /* 6 of them */
    compare(&op, VFI_CUDA_CONV_F16, false, 1);
}
END_TEST

START_TEST(runs_of_channels_and_taps)
{
    VfiOp runs = make_op(VFI_OP_CONV, 7, 4, 3, 1);
    VfiOp taps = make_op(VFI_OP_CONV, 6, 20, 1, 1);

    runs.u.conv.weight_in = 15;
    runs.u.conv.n_runs = 2;
    runs.u.conv.runs[0] = (VfiChannelRun){3, 2};
    runs.u.conv.runs[1] = (VfiChannelRun){9, 5};
    compare(&runs, VFI_CUDA_CONV_F16, false, 1);
    taps.u.conv.taps = 4;
    taps.u.conv.tap_channels = 5;
    compare(&taps, VFI_CUDA_CONV_F16, false, 1);
}
END_TEST

START_TEST(slices_of_a_kernel_with_three_dimensions)
{
    VfiOp op = make_op(VFI_OP_CONV, 6, 5, 3, 1),
          grouped = make_op(VFI_OP_CONV, 8, 8, 3, 8);

    op.u.conv.depth = grouped.u.conv.depth = 3;
    for (int slice = 0; slice < 3; slice++) {
        op.u.conv.slice = grouped.u.conv.slice = slice;
        compare(&op, VFI_CUDA_CONV_F16, false, 1);
        compare(&op, VFI_CUDA_CONV_F32, true, 1);
        compare(&grouped, VFI_CUDA_CONV_F16, false, 1);
    }
}
END_TEST

START_TEST(shapes_have_texts_of_their_own)
{
    VfiOp op = make_op(VFI_OP_CONV, 3, 11, 3, 1);
    VfiCudaConvShape shape, other;

    ck_assert(vfi_cuda_conv_shape_init(&shape, &op, VFI_CUDA_CONV_F16, 8, 16, NULL));
    g_autofree char *text = vfi_cuda_conv_shape_key(&shape);
    ck_assert_str_eq(text,
                     "conv f16 8x5x7:8 to 16x5x7:16 kernel 3x3 stride 1 pad 0,0,0,0 "
                     "groups 1");
    for (size_t field = 0; field < sizeof shape / sizeof(int); field++) {
        other = shape;
        if (field == 0)
            other.transposed = true;
        else
            ((int *)&other)[field]++;
        if (field == 1)
            other.math = VFI_CUDA_CONV_TF32;
        g_autofree char *changed = vfi_cuda_conv_shape_key(&other);
        ck_assert_str_ne(text, changed);
    }
}
END_TEST

START_TEST(what_is_no_convolution_is_refused)
{
    VfiOp op = make_op(VFI_OP_WARP, 3, 3, 1, 1);
    VfiCudaConvShape shape = {.src = {1 << 30, 1, 1, 8}, .dst = {1 << 30, 1, 1, 8}};
    g_autoptr(GError) error = NULL;
    size_t bytes;

    ck_assert(!vfi_cuda_conv_shape_init(&shape, &op, VFI_CUDA_CONV_F32, 0, 0, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "layer"));
    g_clear_error(&error);
    shape.kernel_h = shape.kernel_w = 1 << 10;
    shape.groups = 1;
    ck_assert(!vfi_cuda_conv_weight_bytes(&shape, &bytes, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "1024×1024"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-conv_weights");
    TCase *tcase = tcase_create("weights");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, channels_are_rounded_up);
    tcase_add_test(tcase, kernels_of_any_size);
    tcase_add_test(tcase, groups_that_are_not_whole_become_one);
    tcase_add_test(tcase, transposed_convolutions_have_inputs_first);
    tcase_add_test(tcase, runs_of_channels_and_taps);
    tcase_add_test(tcase, slices_of_a_kernel_with_three_dimensions);
    tcase_add_test(tcase, shapes_have_texts_of_their_own);
    tcase_add_test(tcase, what_is_no_convolution_is_refused);
    return check_main(suite);
}
