/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors of ops: shape rules against sizes worked out by hand, what they refuse, and
 * whether every kind's own test cases are ops that pass its check. */
#include <string.h>

#include <vfi/error.h>

#include "check_main.h"
#include "op/descriptor.h"
#include "op/resize.h"

#define SAME_3X3                                                                         \
    .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1,          \
    .pad_right = 1

static const struct {
    VfiOpKind kind;
    VfiOpCase op;
    VfiShape result;
} shapes[] = {
    {VFI_OP_CONV,
     {.src = {{3, 13, 30}},
      .params.conv = {.out = 5, SAME_3X3, .stride = 2, .groups = 1}},
     {5, 7, 15}},
    {VFI_OP_CONV,
     {.src = {{6, 9, 9}},
      .params.conv = {.out = 4, .kernel_h = 2, .kernel_w = 5, .stride = 1, .groups = 2}},
     {4, 8, 5}},
    {VFI_OP_CONV_TRANSPOSE,
     {.src = {{8, 5, 9}},
      .params.conv = {.out = 3,
                      .kernel_h = 4,
                      .kernel_w = 4,
                      .stride = 2,
                      .pad_top = 1,
                      .pad_left = 1,
                      .pad_bottom = 1,
                      .pad_right = 1,
                      .groups = 1,
                      .weight_out = 7}},
     {3, 10, 18}},
    {VFI_OP_SUB, {.src = {{4, 3, 2}, {1, 3, 2}}}, {4, 3, 2}},
    {VFI_OP_RESIZE,
     {.src = {{4, 3, 2}}, .params.resize = {.height = 7, .width = 1}},
     {4, 7, 1}},
    {VFI_OP_AVG_POOL, {.src = {{4, 7, 6}}}, {4, 3, 3}},
    {VFI_OP_NEAREST,
     {.src = {{4, 3, 2}}, .params.nearest = {.height = 7, .width = 2}},
     {4, 7, 2}},
    {VFI_OP_UPSAMPLE_CONV_SUM,
     {.src = {{8, 3, 2}}, .params.nearest = {.height = 6, .width = 4}},
     {2, 6, 4}},
    {VFI_OP_PIXEL_SHUFFLE, {.src = {{8, 3, 2}}}, {2, 6, 4}},
    {VFI_OP_WARP, {.src = {{8, 3, 2}, {2, 5, 7}}}, {8, 5, 7}},
    {VFI_OP_CORRELATION, {.src = {{8, 3, 2}, {2, 3, 2}, {8, 3, 2}}}, {9, 3, 2}},
    {VFI_OP_HAAR, {.src = {{3, 5, 7}}}, {16, 5, 7}},
    {VFI_OP_KEEP_INSIDE,
     {.src = {{3, 5, 7}}, .params.keep_inside = {.scale = 1.0}},
     {3, 5, 7}},
    {VFI_OP_FILL, {.params.fill = {.height = 4, .width = 9}}, {1, 4, 9}},
    {VFI_OP_NOISE,
     {.params.noise = {.channels = 6, .height = 4, .width = 9, .reduction = 8}},
     {6, 4, 9}},
    {VFI_OP_MAX_ABS, {.src = {{8, 3, 2}}}, {1, 1, 1}},
};

START_TEST(results_have_the_shape_worked_out_by_hand)
{
    VfiOp op;

    ck_assert(vfi_op_of_case(&op, shapes[_i].kind, &shapes[_i].op, NULL));
    ck_assert_int_eq(op.dst.shape.c, shapes[_i].result.c);
    ck_assert_int_eq(op.dst.shape.h, shapes[_i].result.h);
    ck_assert_int_eq(op.dst.shape.w, shapes[_i].result.w);
}
END_TEST

static const struct {
    VfiOpKind kind;
    VfiOpCase op;
    const char *words;
} refused[] = {
    {VFI_OP_CONV,
     {.src = {{6, 4, 4}}, .params.conv = {.out = 4, SAME_3X3, .stride = 1, .groups = 4}},
     "conv 'test' of 6×4×4: 6 and 4 channels do not divide into 4 groups"},
    {VFI_OP_CONV,
     {.src = {{6, 4, 4}}, .params.conv = {.out = 4, SAME_3X3, .stride = 17, .groups = 1}},
     "stride 1 to 16"},
    {VFI_OP_CONV,
     {.src = {{6, 4, 4}},
      .params.conv = {.out = 4, .kernel_h = 5, .kernel_w = 1, .stride = 1, .groups = 1}},
     "a kernel of 5×1 does not fit"},
    {VFI_OP_CONV,
     {.src = {{6, 4, 4}, {4, 4, 3}},
      .params.conv = {.out = 4,
                      SAME_3X3,
                      .stride = 1,
                      .groups = 1,
                      .residual = VFI_RESIDUAL_AFTER_ACTIVATION}},
     "of 6×4×4 and 4×4×3: the residual's shape is not the result's, 4×4×4"},
    {VFI_OP_CONV,
     {.src = {{6, 4, 4}, {4, 4, 4}},
      .params.conv = {.out = 4, SAME_3X3, .stride = 1, .groups = 1}},
     "a residual too many"},
    {VFI_OP_ADD, {.src = {{4, 3, 2}, {1, 3, 2}}}, "the operands' shapes differ"},
    {VFI_OP_MUL,
     {.src = {{4, 3, 2}}},
     "a source is missing or too many: expected 2 to 2"},
    {VFI_OP_RESIZE, {.src = {{4, 3, 2}}, .params.resize.height = 5}, "5×0 is no size"},
    {VFI_OP_AVG_POOL, {.src = {{4, 1, 6}}}, "1×6 cannot be halved"},
    {VFI_OP_NEAREST,
     {.src = {{4, 3, 2}}, .params.nearest = {.height = 3, .width = 1}},
     "makes it smaller"},
    {VFI_OP_PIXEL_SHUFFLE, {.src = {{6, 3, 2}}}, "6 channels are not a multiple of 4"},
    {VFI_OP_WARP, {.src = {{6, 3, 2}, {3, 3, 2}}}, "the flow must have 2 channels"},
    {VFI_OP_WARP, {.src = {{6, 3, 2}, {2, 0, 2}}}, "source 1 has no pixels"},
    {VFI_OP_CONV,
     {.src = {{6, 4, 4}},
      .params
          .conv = {.out = 4, SAME_3X3, .stride = 1, .groups = 1, .depth = 3, .slice = 3}},
     "parts of the weight do not fit"},
    {VFI_OP_CONV,
     {.src = {{6, 4, 4}},
      .params.conv = {.out = 4, SAME_3X3, .stride = 1, .groups = 1, .slice = 1}},
     "parts of the weight do not fit"},
    {VFI_OP_CONV_TRANSPOSE,
     {.src = {{6, 4, 4}},
      .params.conv = {.out = 4, SAME_3X3, .stride = 1, .groups = 1, .depth = 2}},
     "parts of the weight do not fit"},
    {VFI_OP_CORRELATION,
     {.src = {{8, 3, 2}, {2, 3, 2}, {7, 3, 2}}},
     "the reference has not the shape of the image"},
    {VFI_OP_CORRELATION,
     {.src = {{8, 3, 2}, {2, 3, 4}, {8, 3, 2}}},
     "the flow must be 2×3×2"},
    {VFI_OP_HAAR, {.src = {{1, 3, 2}}}, "1 frames, expected 2 to"},
    {VFI_OP_KEEP_INSIDE,
     {.src = {{1, 3, 2}}, .params.keep_inside = {.scale = 0.0}},
     "a scale of 0, expected above 0, 1 at most"},
    {VFI_OP_KEEP_INSIDE,
     {.src = {{1, 3, 2}}, .params.keep_inside = {.scale = 1.5}},
     "a scale of 1.5"},
    {VFI_OP_FILL,
     {.params.fill = {.input = VFI_RUN_INPUT_COUNT, .height = 1, .width = 1}},
     "there is no run input"},
    {VFI_OP_NOISE,
     {.params.noise = {.channels = 6, .height = 0, .width = 9, .reduction = 8}},
     "6×0×9 is no size"},
    {VFI_OP_NOISE,
     {.params.noise = {.channels = 1, .height = 1, .width = 65536, .reduction = 1}},
     "1×1×65536 is no size, expected 1 to 256 channels of 1 to 65535"},
    {VFI_OP_NOISE,
     {.params.noise = {.channels = 257, .height = 1, .width = 1, .reduction = 1}},
     "257×1×1 is no size, expected 1 to 256 channels"},
    {VFI_OP_NOISE,
     {.params.noise =
          {.channels = 1, .height = 1, .width = 1, .stream = 64, .reduction = 1}},
     "there are more than 64 of them"},
    {VFI_OP_NOISE,
     {.params.noise = {.channels = 1, .height = 1, .width = 1}},
     "a reduction by 0, expected 1 or more"},
    {VFI_OP_KIND_COUNT, {.src = {{1, 1, 1}}}, "no such operation"},
};

START_TEST(refusals_name_the_op_the_shapes_and_what_was_expected)
{
    g_autoptr(GError) error = NULL;
    VfiOp op;

    ck_assert(!vfi_op_of_case(&op, refused[_i].kind, &refused[_i].op, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_msg(strstr(error->message, refused[_i].words) != NULL, "%s",
                  error->message);
    ck_assert_ptr_nonnull(
        strstr(error->message, vfi_op_kind_to_string(refused[_i].kind)));
}
END_TEST

/* Gives @op the arrays that its descriptor lists. */
static void give_arrays(VfiOp *op, const float *values, size_t n)
{
    VfiOpArray arrays[VFI_OP_MAX_ARRAYS];
    int n_arrays = vfi_op_arrays(op, arrays);

    ck_assert_int_le(n_arrays, VFI_OP_MAX_ARRAYS);
    for (int i = 0; i < n_arrays; i++) {
        ck_assert_uint_gt(arrays[i].n, 0);
        ck_assert_uint_le(arrays[i].n, n);
        *vfi_op_array(&op->u, &arrays[i]) = values;
    }
}

START_TEST(own_cases_pass_the_check)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor((VfiOpKind)_i);
    g_autofree float *values = g_new0(float, 1 << 18);

    ck_assert_int_gt(descriptor->n_cases, 0);
    for (int i = 0; i < descriptor->n_cases; i++) {
        g_autoptr(GError) error = NULL;
        VfiOp op;
        bool sound = vfi_op_of_case(&op, (VfiOpKind)_i, &descriptor->cases[i], &error);
        if (sound) {
            give_arrays(&op, values, 1 << 18);
            sound = vfi_op_check(&op, VFI_LAYOUT_BLOCKS, &error);
        }
        ck_assert_msg(sound, "case %d: %s", i, error != NULL ? error->message : "");
        op.dst.shape.w++;
        ck_assert(!vfi_op_check(&op, VFI_LAYOUT_BLOCKS, NULL));
    }
}
END_TEST

START_TEST(descriptors_are_consistent)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor((VfiOpKind)_i);
    const unsigned any = VFI_LAYOUT_ALL;

    ck_assert_int_le(descriptor->min_sources, descriptor->max_sources);
    ck_assert_int_le(descriptor->max_sources, VFI_OP_MAX_SOURCES);
    ck_assert(descriptor->result & VFI_LAYOUT_PLANAR);
    for (int i = 0; i < descriptor->max_sources; i++)
        ck_assert(descriptor->source[i].layouts & VFI_LAYOUT_PLANAR);
    if (vfi_op_moves_pixels((VfiOpKind)_i))
        ck_assert_uint_eq(descriptor->result & any, descriptor->source[0].layouts & any);
    for (int i = 0; descriptor->row_local && i < descriptor->max_sources; i++)
        ck_assert(descriptor->source[i].reading == VFI_READS_PIXEL ||
                  descriptor->source[i].reading == VFI_READS_ANYWHERE);
    for (int other = 0; other < _i; other++)
        ck_assert_str_ne(vfi_op_kind_to_string((VfiOpKind)other),
                         vfi_op_kind_to_string((VfiOpKind)_i));
}
END_TEST

START_TEST(arrays_are_as_large_as_kernels_read_them)
{
    static const VfiOpCase part = {
        .src = {{38, 4, 4}},
        .params.conv = {.out = 24,
                        SAME_3X3,
                        .stride = 1,
                        .groups = 1,
                        .weight_in = 64,
                        .n_runs = 2,
                        .runs = {{3, 6}, {32, 32}},
                        .activation.kind = VFI_ACTIVATION_PRELU}};
    VfiOpArray arrays[VFI_OP_MAX_ARRAYS];
    VfiOp op;

    ck_assert(vfi_op_of_case(&op, VFI_OP_CONV, &part, NULL));
    ck_assert_int_eq(vfi_op_arrays(&op, arrays), 3);
    ck_assert_uint_eq(arrays[0].n, 64 * 24 * 9);
    ck_assert_uint_eq(arrays[1].n, 24);
    ck_assert_uint_eq(arrays[2].n, 24);
    op.u.conv.depth = 3;
    ck_assert_int_eq(vfi_op_arrays(&op, arrays), 3);
    ck_assert_uint_eq(arrays[0].n, 64 * 24 * 9 * 3);
    op.u.conv.weight = (float[1]){0};
    g_autoptr(GError) error = NULL;
    ck_assert(!vfi_op_check(&op, VFI_LAYOUT_BLOCKS, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "its slope is missing"));
}
END_TEST

START_TEST(macs_are_counted_where_they_are_done)
{
    VfiOp conv = {.kind = VFI_OP_CONV, .n_src = 1, .src = {{.shape = {16, 20, 40}}}};
    conv.dst.shape = (VfiShape){32, 10, 20};
    conv.u.conv = (VfiConvParams){.out = 32, .kernel_h = 3, .kernel_w = 3, .groups = 4};
    ck_assert_double_eq(vfi_op_macs(&conv), 10 * 20 * 32 * 4 * 9);
    conv.kind = VFI_OP_CONV_TRANSPOSE;
    conv.u.conv.groups = 1;
    ck_assert_double_eq(vfi_op_macs(&conv), 20 * 40 * 16 * 32 * 9);
    conv.kind = VFI_OP_COPY;
    ck_assert_double_eq(vfi_op_macs(&conv), 0);
}
END_TEST

static const struct {
    VfiShape in, out;
    int factor;
    VfiShape picture;
} resizes[] = {
    {{2, 64, 96}, {2, 32, 48}, 2, {2, 64, 96}}, {{2, 64, 96}, {2, 2, 3}, 32, {2, 64, 96}},
    {{2, 64, 64}, {2, 1, 1}, 0, {0, 0, 0}},     {{2, 9, 6}, {2, 3, 2}, 0, {0, 0, 0}},
    {{2, 64, 96}, {2, 32, 24}, 0, {0, 0, 0}},   {{2, 65, 96}, {2, 32, 48}, 0, {0, 0, 0}},
    {{2, 32, 48}, {2, 64, 96}, 0, {2, 64, 96}}, {{2, 32, 48}, {2, 40, 24}, 0, {0, 0, 0}},
};

START_TEST(resizes_by_powers_of_two_are_done_by_rows)
{
    VfiOp op = {.kind = VFI_OP_RESIZE, .n_src = 1};

    op.src[0].shape = resizes[_i].in;
    op.dst.shape = resizes[_i].out;
    ck_assert_int_eq(vfi_op_factor_down(&op), resizes[_i].factor);
    ck_assert_int_eq(vfi_op_reads_beyond_rows(&op, 0), resizes[_i].factor == 0);
    ck_assert_int_eq(vfi_op_picture(&op).h, resizes[_i].picture.h);
    ck_assert_int_eq(vfi_op_picture(&op).w, resizes[_i].picture.w);
    op.kind = VFI_OP_CONV;
    ck_assert_int_eq(vfi_op_factor_down(&op), 0);
    ck_assert_int_eq(vfi_op_picture(&op).h, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("op");
    TCase *tcase = tcase_create("op");

    tcase_add_loop_test(tcase, results_have_the_shape_worked_out_by_hand, 0,
                        (int)G_N_ELEMENTS(shapes));
    tcase_add_loop_test(tcase, refusals_name_the_op_the_shapes_and_what_was_expected, 0,
                        (int)G_N_ELEMENTS(refused));
    tcase_add_loop_test(tcase, own_cases_pass_the_check, 0, VFI_OP_KIND_COUNT);
    tcase_add_loop_test(tcase, descriptors_are_consistent, 0, VFI_OP_KIND_COUNT);
    tcase_add_test(tcase, arrays_are_as_large_as_kernels_read_them);
    tcase_add_test(tcase, macs_are_counted_where_they_are_done);
    tcase_add_loop_test(tcase, resizes_by_powers_of_two_are_done_by_rows, 0,
                        (int)G_N_ELEMENTS(resizes));
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return check_main(make_suite());
}
