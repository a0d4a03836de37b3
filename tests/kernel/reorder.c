/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies from planes to channel blocks and back are exact, at every level with blocks. */
#include "kernel_util.h"

#include "cpu/algorithm.h"

static const VfiShape shapes[] = {{1, 1, 1},   {3, 5, 7},   {16, 4, 16},
                                  {17, 9, 33}, {40, 3, 15}, {70, 21, 2000}};

START_TEST(copies_between_layouts_are_exact)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    int block = kernels->block_row != NULL ? kernels->vector_floats : 0;
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    size_t n = vfi_shape_elements(shapes[_i]);
    g_autofree float *planes = random_floats(random, n);
    const float *sources[] = {planes};

    for (int to_blocks = 0; to_blocks < 2; to_blocks++) {
        VfiOp op = {.kind = VFI_OP_COPY, .n_src = 1, .name = "reorder"};
        op.src[0].shape = op.dst.shape = shapes[_i];
        op.src[0].block = to_blocks ? 0 : block;
        op.dst.block = to_blocks ? block : 0;
        g_autofree float *result = run_op_all_threads(&op, sources);
        ck_assert_mem_eq(result, planes, n * sizeof(float));
    }
    g_rand_free(random);
}
END_TEST

static void refuse(const VfiOp *op, const char *words)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(vfi_cpu_op_new(op, test_level, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

START_TEST(layouts_that_an_op_cannot_have_are_refused)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    int block = kernels->block_row != NULL ? kernels->vector_floats : 16;
    VfiOp op = {.kind = VFI_OP_COPY, .n_src = 1, .name = "x"};

    op.src[0].shape = op.dst.shape = (VfiShape){32, 4, 4};
    op.src[0].block = 4;
    refuse(&op, "a source has blocks of the wrong size");
    op.src[0].block = 0;
    op.dst.block = 3;
    refuse(&op, "the result has blocks of the wrong size");
    if (kernels->block_row == NULL)
        return;
    op.kind = VFI_OP_AFFINE;
    op.src[0].block = op.dst.block = block;
    refuse(&op, "operands must be planar");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("reorder");
    TCase *tcase = tcase_create("reorder");

    tcase_add_loop_test(tcase, copies_between_layouts_are_exact, 0,
                        (int)G_N_ELEMENTS(shapes));
    tcase_add_test(tcase, layouts_that_an_op_cannot_have_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
