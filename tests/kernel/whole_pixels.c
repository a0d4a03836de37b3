/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ops that treat all channels of a pixel alike: means of 2 × 2 pixels, nearest
 * enlargement, what a 2 × 2 convolution makes of that, and the warp of channel blocks,
 * in planes and in blocks. */
#include "kernel_util.h"

#include "cpu/algorithm.h"

static const VfiShape shapes[] = {{1, 2, 2},   {3, 5, 7},   {16, 4, 16},
                                  {17, 9, 33}, {40, 3, 15}, {70, 21, 400}};

/* Layouts that the level has: planes, and blocks where there are any. */
static int blocks_of_level(int *blocks)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);

    blocks[0] = 0;
    blocks[1] = kernels->vector_floats;
    return kernels->warp_blocks != NULL ? 2 : 1;
}

static VfiOp op_of(VfiOpKind kind, VfiShape in, int h, int w, int block)
{
    VfiOp op = {.kind = kind, .n_src = 1, .name = "test"};

    op.src[0].shape = in;
    op.dst.shape = (VfiShape){in.c, h, w};
    op.src[0].block = op.dst.block = block;
    if (kind == VFI_OP_NEAREST || kind == VFI_OP_UPSAMPLE_CONV_SUM)
        op.u.nearest = (VfiNearestParams){.height = h, .width = w};
    return op;
}

START_TEST(pool_takes_means)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    VfiShape in = shapes[_i], out = {in.c, in.h / 2, in.w / 2};
    g_autofree float *source = random_floats(random, vfi_shape_elements(in));
    int blocks[2], n_blocks = blocks_of_level(blocks);

    for (int b = 0; b < n_blocks; b++) {
        VfiOp op = op_of(VFI_OP_AVG_POOL, in, out.h, out.w, blocks[b]);
        g_autofree float *result =
            run_op_all_threads(&op, (const float *const[]){source});
        const float *at = result;
        double largest = 0.0;
        for (int c = 0; c < in.c; c++)
            for (int y = 0; y < out.h; y++)
                for (int x = 0; x < out.w; x++) {
                    const float *p =
                        source + ((ptrdiff_t)c * in.h + 2 * y) * in.w + 2 * x;
                    double mean = ((double)p[0] + p[1] + p[in.w] + p[in.w + 1]) / 4;
                    double error = fabs(*at++ - mean);
                    largest = MAX(largest, error);
                }
        ck_assert_double_le(largest, 2e-7);
    }
    g_rand_free(random);
}
END_TEST

START_TEST(nearest_repeats_pixels)
{
    static const int more[][2] = {{0, 0}, {1, 0}, {0, 1}, {1, 1}};
    GRand *random = g_rand_new_with_seed((guint32)_i + 10);
    VfiShape in = shapes[_i];
    g_autofree float *source = random_floats(random, vfi_shape_elements(in));
    int blocks[2], n_blocks = blocks_of_level(blocks);

    for (size_t m = 0; m < G_N_ELEMENTS(more) * (size_t)n_blocks; m++) {
        int h = 2 * in.h + more[m / (size_t)n_blocks][0];
        int w = 2 * in.w + more[m / (size_t)n_blocks][1];
        VfiOp op = op_of(VFI_OP_NEAREST, in, h, w, blocks[m % (size_t)n_blocks]);
        g_autofree float *result =
            run_op_all_threads(&op, (const float *const[]){source});
        const float *at = result;
        int wrong = 0;
        for (int c = 0; c < in.c; c++)
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++)
                    wrong += *at++ != source[((ptrdiff_t)c * in.h + y * in.h / h) * in.w +
                                             x * in.w / w];
        ck_assert_int_eq(wrong, 0);
    }
    g_rand_free(random);
}
END_TEST

/* Channel @c of the enlarged @source at (y, x), 0 outside. */
static double enlarged_at(const float *source, VfiShape in, int h, int w, int c, int y,
                          int x)
{
    if (y >= h || x >= w)
        return 0.0;
    return source[((ptrdiff_t)c * in.h + y * in.h / h) * in.w + x * in.w / w];
}

START_TEST(upsample_conv_sum_is_a_convolution_of_the_enlarged)
{
    static const VfiShape sources[] = {{4, 1, 1}, {12, 3, 5}, {64, 4, 9}, {192, 7, 30}};
    GRand *random = g_rand_new_with_seed((guint32)_i + 30);
    VfiShape in = sources[_i], out = {in.c / 4, 2 * in.h + 1, 2 * in.w};
    g_autofree float *source = random_floats(random, vfi_shape_elements(in));
    g_autofree float *bias = random_floats(random, (size_t)out.c);
    int blocks[2], n_blocks = blocks_of_level(blocks);

    for (int b = 0; b < n_blocks; b++) {
        VfiOp op = op_of(VFI_OP_UPSAMPLE_CONV_SUM, in, out.h, out.w, blocks[b]);
        double largest = 0.0;
        op.dst.shape = out;
        op.u.nearest.bias = bias;
        if (blocks[b] > 0 && out.c % blocks[b] != 0)
            continue;
        g_autofree float *result =
            run_op_all_threads(&op, (const float *const[]){source});
        const float *at = result;
        for (int c = 0; c < out.c; c++)
            for (int y = 0; y < out.h; y++)
                for (int x = 0; x < out.w; x++) {
                    double sum = bias[c];
                    for (int tap = 0; tap < 4; tap++)
                        sum += enlarged_at(source, in, out.h, out.w, tap * out.c + c,
                                           y + tap / 2, x + tap % 2);
                    double error = fabs(*at++ - sum);
                    largest = MAX(largest, error);
                }
        ck_assert_double_le(largest, 1e-6);
    }
    g_rand_free(random);
}
END_TEST

/* The warp of planes, which tests/kernel/warp.c holds against the formula, has the same
 * bits. */
START_TEST(warp_of_blocks_is_the_warp_of_planes)
{
    static const float reaches[] = {0.5f, 3.0f, 1e6f};
    GRand *random = g_rand_new_with_seed((guint32)_i + 20);
    VfiShape shape = shapes[_i];
    size_t n = vfi_shape_elements(shape), plane = (size_t)shape.h * (size_t)shape.w;
    g_autofree float *source = random_floats(random, n);
    g_autofree float *flow = random_floats(random, 2 * plane);
    int blocks[2], n_blocks = blocks_of_level(blocks);

    for (size_t r = 0; r < G_N_ELEMENTS(reaches) && n_blocks == 2; r++) {
        const float *sources[] = {source, flow};
        VfiOp op = op_of(VFI_OP_WARP, shape, shape.h, shape.w, 0);
        for (size_t i = 0; i < 2 * plane; i++)
            flow[i] *= reaches[r];
        flow[0] = NAN;
        op.n_src = 2;
        op.src[1].shape = (VfiShape){2, shape.h, shape.w};
        g_autofree float *expected = run_op_all_threads(&op, sources);
        op.src[0].block = op.dst.block = blocks[1];
        g_autofree float *result = run_op_all_threads(&op, sources);
        ck_assert_mem_eq(result, expected, n * sizeof(float));
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

START_TEST(operands_that_do_not_fit_are_refused)
{
    int blocks[2], n_blocks = blocks_of_level(blocks);
    VfiShape in = {32, 6, 8};
    VfiOp pool = op_of(VFI_OP_AVG_POOL, in, 3, 3, 0);
    VfiOp nearest = op_of(VFI_OP_NEAREST, in, 5, 16, 0);
    VfiOp warp = op_of(VFI_OP_WARP, in, 6, 8, 0);

    refuse(&pool, "to 32×3×3: the result must be 32×3×4");
    refuse(&nearest, "as large as the source");
    nearest.kind = VFI_OP_UPSAMPLE_CONV_SUM;
    nearest.src[0].shape.c = 30;
    refuse(&nearest, "four times the result's channels");
    if (n_blocks < 2)
        return;
    warp.n_src = 2;
    warp.src[1].shape = (VfiShape){2, 6, 8};
    warp.dst.block = blocks[1];
    refuse(&warp, "not laid out as the result");
    warp.src[0].block = warp.src[1].block = blocks[1];
    refuse(&warp, "must be planar, but source 1 is not");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("whole_pixels");
    TCase *tcase = tcase_create("whole_pixels");

    tcase_add_loop_test(tcase, pool_takes_means, 0, (int)G_N_ELEMENTS(shapes));
    tcase_add_loop_test(tcase, nearest_repeats_pixels, 0, (int)G_N_ELEMENTS(shapes));
    tcase_add_loop_test(tcase, upsample_conv_sum_is_a_convolution_of_the_enlarged, 0, 4);
    tcase_add_loop_test(tcase, warp_of_blocks_is_the_warp_of_planes, 0,
                        (int)G_N_ELEMENTS(shapes));
    tcase_add_test(tcase, operands_that_do_not_fit_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
