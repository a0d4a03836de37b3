/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions that take a part of a weight give the bits of convolutions with that
 * part as a weight of its own: some runs of its input channels, the places of its
 * kernel as channels. */
#include "kernel_util.h"

#include "cpu/algorithm.h"

#define WEIGHT_IN 90

/* Source channels are those of two runs. */
static const VfiChannelRun runs[] = {{3, 7}, {41, 33}};
#define PART_IN 40

static const int outs[] = {5, 16, 48};

/* Layouts of source and result that the level has. */
static int layouts_of_level(int (*layouts)[2])
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    int block = kernels->vector_floats;

    layouts[0][0] = layouts[0][1] = layouts[1][0] = 0;
    layouts[1][1] = layouts[2][0] = layouts[2][1] = block;
    return kernels->multiply != NULL ? 3 : 1;
}

static VfiOp conv_op(const float *weight, int in, int out, int kernel)
{
    VfiOp op = {.kind = VFI_OP_CONV, .n_src = 1, .name = "test"};

    op.src[0].shape = (VfiShape){in, 13, 30};
    op.dst.shape = (VfiShape){out, 13, 30};
    op.u.conv = (VfiConvParams){.weight = weight,
                                .out = out,
                                .kernel_h = kernel,
                                .kernel_w = kernel,
                                .stride = 1,
                                .pad_top = kernel / 2,
                                .pad_left = kernel / 2,
                                .pad_bottom = kernel / 2,
                                .pad_right = kernel / 2,
                                .groups = 1};
    return op;
}

static void assert_same_bits(VfiOp *part, VfiOp *whole, const float *source)
{
    const float *sources[] = {source};
    int layouts[3][2], n = layouts_of_level(layouts);

    for (int i = 0; i < n; i++) {
        part->src[0].block = whole->src[0].block = layouts[i][0];
        part->dst.block = whole->dst.block = layouts[i][1];
        g_autofree float *result = run_op_all_threads(part, sources);
        g_autofree float *expected = run_op_all_threads(whole, sources);
        ck_assert_mem_eq(result, expected,
                         vfi_shape_elements(part->dst.shape) * sizeof(float));
    }
}

START_TEST(runs_of_input_channels)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    int out = outs[_i / 2], kernel = _i % 2 == 0 ? 3 : 1;
    size_t area = (size_t)kernel * (size_t)kernel;
    g_autofree float *weight = random_floats(random, (size_t)out * WEIGHT_IN * area);
    g_autofree float *own = g_new(float, (size_t)out *PART_IN *area);
    float *to = own;

    for (int o = 0; o < out; o++)
        for (size_t r = 0; r < G_N_ELEMENTS(runs); r++) {
            size_t first = (size_t)o * WEIGHT_IN + (size_t)runs[r].first;
            size_t n = (size_t)runs[r].count * area;
            memcpy(to, weight + first * area, n * sizeof(float));
            to += n;
        }
    VfiOp part = conv_op(weight, PART_IN, out, kernel);
    VfiOp whole = conv_op(own, PART_IN, out, kernel);
    g_autofree float *source =
        random_floats(random, vfi_shape_elements(part.src[0].shape));
    part.u.conv.weight_in = WEIGHT_IN;
    part.u.conv.n_runs = (int)G_N_ELEMENTS(runs);
    memcpy(part.u.conv.runs, runs, sizeof runs);
    assert_same_bits(&part, &whole, source);
    g_rand_free(random);
}
END_TEST

START_TEST(places_of_the_kernel_as_channels)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 20);
    int in = 24, out = outs[_i];
    g_autofree float *weight = random_floats(random, (size_t)out * (size_t)in * 4);
    g_autofree float *own = g_new(float, (size_t)out *(size_t)in * 4);

    for (int tap = 0; tap < 4; tap++)
        for (int o = 0; o < out; o++)
            for (int i = 0; i < in; i++)
                own[(tap * out + o) * in + i] = weight[(o * in + i) * 4 + tap];
    VfiOp part = conv_op(weight, in, 4 * out, 1), whole = conv_op(own, in, 4 * out, 1);
    g_autofree float *source =
        random_floats(random, vfi_shape_elements(part.src[0].shape));
    part.u.conv.taps = 4;
    part.u.conv.tap_channels = out;
    assert_same_bits(&part, &whole, source);
    g_rand_free(random);
}
END_TEST

START_TEST(parts_that_the_weight_has_not_are_refused)
{
    static const VfiChannelRun wrong[] = {{60, 40}, {-1, 40}, {0, 39}, {0, 0}};
    const float weight[1] = {0.0f};

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        VfiOp op = conv_op(weight, PART_IN, 8, 3);
        op.u.conv.weight_in = WEIGHT_IN;
        op.u.conv.n_runs = 1;
        op.u.conv.runs[0] = wrong[i];
        ck_assert_ptr_null(vfi_cpu_op_new(&op, test_level, &error));
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
        ck_assert_ptr_nonnull(strstr(error->message, "parts of the weight"));
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("conv_parts");
    TCase *tcase = tcase_create("conv_parts");

    tcase_add_loop_test(tcase, runs_of_input_channels, 0, 2 * G_N_ELEMENTS(outs));
    tcase_add_loop_test(tcase, places_of_the_kernel_as_channels, 0, G_N_ELEMENTS(outs));
    tcase_add_test(tcase, parts_that_the_weight_has_not_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
