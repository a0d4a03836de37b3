/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows a convolution, against the CPU's C reference: every activation, residual
 * and layout. */
#include "tensor_util.h"

#include "cpu/conv/conv.h"

/* Rounding of the two exponential functions. */
#define SIGMOID_TOLERANCE 1e-6f

typedef struct {
    VfiShape shape;
    float *sums, *residual, *bias, *slopes;
} Case;

static Case case_new(GRand *random, VfiShape shape)
{
    size_t n = vfi_shape_elements(shape), c = (size_t)shape.c;

    return (Case){
        .shape = shape,
        .sums = random_halves(random, n),
        .residual = random_halves(random, n),
        .bias = random_floats(random, c),
        .slopes = random_floats(random, c),
    };
}

static void case_clear(Case *test)
{
    g_free(test->sums);
    g_free(test->residual);
    g_free(test->bias);
    g_free(test->slopes);
}

static float *expect(const Case *test, const VfiConvParams *params)
{
    size_t plane = (size_t)test->shape.h * (size_t)test->shape.w;
    float *result = g_new(float, vfi_shape_elements(test->shape));

    for (int c = 0; c < test->shape.c; c++) {
        VfiEpilogueRow row = vfi_epilogue_of(params, c);
        row.acc = test->sums + (size_t)c * plane;
        row.residual = test->residual + (size_t)c * plane;
        row.dst = result + (size_t)c * plane;
        row.n = plane;
        vfi_cpu_kernels(VFI_CPU_LEVEL_C)->epilogue(&row);
    }
    return result;
}

/* Where dst lies. */
typedef enum { DST_OWN, DST_SUMS, DST_RESIDUAL } Place;

static void run_and_compare(const Case *test, const VfiConvParams *params,
                            const float *expected, const Layout *from, const Layout *to,
                            Place place)
{
    const VfiOp op = {.kind = VFI_OP_CONV, .dst.shape = test->shape, .u.conv = *params};
    TestConstants constants = constants_new(&op);
    TestTensor sums = tensor_new(test->shape, *from, test->sums);
    TestTensor residual = tensor_new(test->shape, *to, test->residual);
    TestTensor own = tensor_new(test->shape, *to, NULL);
    TestTensor *dst = place == DST_OWN ? &own : place == DST_SUMS ? &sums : &residual;
    VfiCudaLaunch launch = {.op = &op, .sums = sums.tensor, .dst = dst->tensor};

    launch.src[1] = residual.tensor;
    memcpy(launch.constant, constants.at, sizeof launch.constant);
    expect_success(vfi_cuda_op(op.kind)->launch(&launch));
    tensor_expect(dst, expected,
                  params->activation.kind == VFI_ACTIVATION_SIGMOID ? SIGMOID_TOLERANCE
                                                                    : 0.0f,
                  "epilogue");
    constants_clear(&constants);
    tensor_clear(&sums);
    tensor_clear(&residual);
    tensor_clear(&own);
}

static void check_layouts(const Case *test, const VfiConvParams *params)
{
    static const Layout sums_layouts[] = {
        {.last = true}, {.last = true, .half = true}, {.last = false}};
    size_t n_from = G_N_ELEMENTS(sums_layouts);
    g_autofree float *expected = expect(test, params);

    for (size_t l = 0; l < n_from * G_N_ELEMENTS(layouts); l++) {
        const Layout *from = &sums_layouts[l % n_from], *to = &layouts[l / n_from];
        run_and_compare(test, params, expected, from, to, DST_OWN);
        if (params->residual != VFI_RESIDUAL_NONE)
            run_and_compare(test, params, expected, from, to, DST_RESIDUAL);
        run_and_compare(test, params, expected, from, to, DST_SUMS);
    }
}

START_TEST(follows_a_convolution)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    Case test = case_new(random, tensor_shapes[_i]);

    for (int i = 0; i < 4 * 3 * 2; i++) {
        VfiConvParams params = {
            .bias = i % 2 == 0 ? test.bias : NULL,
            .activation = {.kind = (VfiActivationKind)(i / 2 % 4),
                           .slope = test.slopes,
                           .leak = 0.2f},
            .residual = (VfiResidual)(i / 8),
        };
        check_layouts(&test, &params);
    }
    case_clear(&test);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-epilogue");
    TCase *tcase = tcase_create("epilogue");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, follows_a_convolution, 0,
                        (int)G_N_ELEMENTS(tensor_shapes));
    return check_main(suite);
}
