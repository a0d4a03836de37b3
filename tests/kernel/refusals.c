/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operands that do not fit an op, or each other, are refused by name at every level. */
#include "kernel_util.h"

#include "cpu/algorithm.h"

static void refuse(const VfiOp *op, const char *words)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(vfi_cpu_op_new(op, test_level, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

static VfiOp op_of(VfiOpKind kind, VfiShape in, VfiShape out)
{
    VfiOp op = {.kind = kind, .n_src = 1, .name = "test"};

    op.src[0].shape = in;
    op.dst.shape = out;
    return op;
}

/* Channels that lie side by side at the level; 0: none do. */
static int block_of_level(void)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);

    return kernels->block_row != NULL ? kernels->vector_floats : 0;
}

START_TEST(blocks_of_other_sizes)
{
    VfiShape shape = {32, 4, 4};
    VfiOp op = op_of(VFI_OP_COPY, shape, shape);

    op.src[0].block = 4;
    refuse(&op, "a source has blocks of the wrong size");
    op.src[0].block = 0;
    op.dst.block = 3;
    refuse(&op, "the result has blocks of the wrong size");
}
END_TEST

START_TEST(blocks_that_an_op_cannot_have)
{
    VfiShape shape = {32, 4, 4};
    VfiOp op = op_of(VFI_OP_AFFINE, shape, shape);

    if (block_of_level() == 0)
        return;
    op.src[0].block = op.dst.block = block_of_level();
    refuse(&op, "operands must be planar");
    op.kind = VFI_OP_WARP;
    op.n_src = 2;
    op.src[1].shape = (VfiShape){2, 4, 4};
    op.src[0].block = 0;
    refuse(&op, "not laid out as the result");
    op.src[0].block = op.src[1].block = block_of_level();
    refuse(&op, "must be planar, but source 1 is not");
}
END_TEST

START_TEST(shapes_that_do_not_fit)
{
    VfiOp pool = op_of(VFI_OP_AVG_POOL, (VfiShape){32, 6, 8}, (VfiShape){32, 3, 3});
    VfiOp nearest = op_of(VFI_OP_NEAREST, (VfiShape){32, 6, 8}, (VfiShape){32, 5, 16});

    refuse(&pool, "to 32×3×3: the result must be 32×3×4");
    nearest.u.nearest = (VfiNearestParams){.height = 5, .width = 16};
    refuse(&nearest, "as large as the source");
    nearest.kind = VFI_OP_UPSAMPLE_CONV_SUM;
    nearest.src[0].shape.c = 30;
    refuse(&nearest, "four times the result's channels");
}
END_TEST

START_TEST(shapes_that_do_not_shuffle)
{
    static const VfiShape sources[] = {{3, 4, 4}, {8, 4, 4}, {4, 4, 5}, {4, 3, 4}};
    static const char *const words[] = {
        "3 channels are not a multiple of 4", "to 1×8×8: the result must be 2×8×8",
        "to 1×8×8: the result must be 1×8×10", "to 1×8×8: the result must be 1×6×8"};

    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        VfiOp op = op_of(VFI_OP_PIXEL_SHUFFLE, sources[i], (VfiShape){1, 8, 8});
        refuse(&op, words[i]);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("refusals");
    TCase *tcase = tcase_create("refusals");

    tcase_add_test(tcase, blocks_of_other_sizes);
    tcase_add_test(tcase, blocks_that_an_op_cannot_have);
    tcase_add_test(tcase, shapes_that_do_not_fit);
    tcase_add_test(tcase, shapes_that_do_not_shuffle);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
