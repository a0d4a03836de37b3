/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Element-wise kernels of the CUDA backend against the CPU's C reference. */
#include "tensor_util.h"

/* Rounding of the two exponential functions. */
#define SIGMOID_TOLERANCE 1e-6f

static const float special[] = {NAN,   INFINITY, -INFINITY, 0.0f,    -0.0f,
                                1e30f, -1e30f,   88.0f,     -100.0f, 1e-30f};

/* Runs @op aligned and not, into memory of its own and onto each source. */
static void check(VfiOp *op, const float *const *values, float tolerance)
{
    g_autofree float *expected = reference_of(op, values, NULL);
    TestConstants constants = constants_new(op, 0);

    for (int variant = 0; variant < 6; variant++) {
        Layout layout = {.shift = variant % 2};
        TestTensor sources[2] = {{.layout = layout}, {.layout = layout}};
        for (int i = 0; i < op->n_src; i++)
            sources[i] = tensor_new(op->src[i].shape, layout, values[i]);
        TestTensor own = tensor_new(op->dst.shape, layout, NULL);
        TestTensor *dst = variant < 2 ? &own : &sources[variant / 2 - 1];
        if (variant / 2 <= op->n_src && dst->tensor.c == op->dst.shape.c) {
            compute_op(op, &sources[0].tensor, &sources[1].tensor, &constants,
                       &dst->tensor);
            tensor_expect(dst, expected, tolerance, vfi_op_kind_to_string(op->kind));
        }
        for (int i = 0; i < op->n_src; i++)
            tensor_clear(&sources[i]);
        tensor_clear(&own);
    }
    constants_clear(&constants);
}

static float *values_of(GRand *random, VfiShape shape)
{
    size_t n = vfi_shape_elements(shape);
    float *values = random_floats(random, n);

    for (size_t i = 0; i < G_N_ELEMENTS(special) && 3 * i < n; i++)
        values[3 * i] = special[i];
    return values;
}

START_TEST(of_two_sources)
{
    static const VfiOpKind kinds[] = {VFI_OP_ADD, VFI_OP_SUB, VFI_OP_MUL};
    GRand *random = g_rand_new_with_seed((guint32)_i);
    VfiShape shape = tensor_shapes[_i];
    g_autofree float *a = values_of(random, shape), *b = values_of(random, shape);

    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++)
        for (int shared = 0; shared < 2; shared++) {
            VfiOp op = {.kind = kinds[k], .n_src = 2, .u.sum.scale = 0.3f};
            op.src[0].shape = op.src[1].shape = op.dst.shape = shape;
            if (shared)
                op.src[1].shape.c = 1;
            if (!shared || kinds[k] != VFI_OP_ADD)
                check(&op, (const float *const[]){a, b}, 0.0f);
        }
    g_rand_free(random);
}
END_TEST

START_TEST(of_one_source)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 10);
    VfiShape shape = tensor_shapes[_i];
    g_autofree float *values = values_of(random, shape);
    VfiOp op = {
        .kind = VFI_OP_AFFINE, .n_src = 1, .u.affine = {.mul = 1.7f, .add = -0.3f}};

    op.src[0].shape = op.dst.shape = shape;
    check(&op, (const float *const[]){values}, 0.0f);
    op.kind = VFI_OP_CLAMP;
    op.u.clamp.low = -0.25f;
    op.u.clamp.high = 0.5f;
    check(&op, (const float *const[]){values}, 0.0f);
    g_rand_free(random);
}
END_TEST

START_TEST(activations)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 20);
    VfiShape shape = tensor_shapes[_i];
    g_autofree float *values = values_of(random, shape);
    g_autofree float *slopes = random_floats(random, (size_t)shape.c);

    for (int kind = VFI_ACTIVATION_NONE; kind <= VFI_ACTIVATION_SIGMOID; kind++) {
        VfiOp op = {.kind = VFI_OP_ACTIVATE, .n_src = 1};
        op.src[0].shape = op.dst.shape = shape;
        op.u.activation = (VfiActivation){
            .kind = (VfiActivationKind)kind, .slope = slopes, .leak = 0.2f};
        check(&op, (const float *const[]){values},
              kind == VFI_ACTIVATION_SIGMOID ? SIGMOID_TOLERANCE : 0.0f);
    }
    g_rand_free(random);
}
END_TEST

START_TEST(fills)
{
    VfiRunInputs inputs = {
        .value = {[VFI_RUN_INPUT_TIME] = 0.3f, [VFI_RUN_INPUT_IMAGE_MEAN] = 0.6f}};
    char *memory = device_new(&inputs, sizeof inputs);
    VfiShape shape = {1, tensor_shapes[_i].h, tensor_shapes[_i].w};

    for (int input = 0; input < VFI_RUN_INPUT_COUNT; input++)
        for (int shift = 0; shift < 2; shift++) {
            VfiOp op = {.kind = VFI_OP_FILL,
                        .dst.shape = shape,
                        .u.fill = {(VfiRunInput)input, 2.0f, -0.7f, shape.h, shape.w}};
            g_autofree float *expected = reference_of(&op, NULL, &inputs);
            TestTensor dst = tensor_new(op.dst.shape, (Layout){.shift = shift}, NULL);
            const VfiCudaLaunch launch = {.op = &op,
                                          .dst = dst.tensor,
                                          .inputs =
                                              (const VfiRunInputs *)(const void *)memory};
            expect_success(vfi_cuda_op(op.kind)->launch(&launch));
            tensor_expect(&dst, expected, 0.0f, "fill");
            tensor_clear(&dst);
        }
    device_free(memory);
}
END_TEST

/* The error is relative even to very small results. */
START_TEST(sigmoid_near_zero)
{
    VfiShape shape = {1, 1, 160};
    float values[160];

    for (int i = 0; i < shape.w; i++)
        values[i] = -0.54f * (float)i;
    TestTensor test = tensor_new(shape, (Layout){0}, values);
    const VfiOp op = {.kind = VFI_OP_ACTIVATE,
                      .u.activation.kind = VFI_ACTIVATION_SIGMOID};
    compute_op(&op, &test.tensor, NULL, NULL, &test.tensor);
    g_autofree float *results = tensor_planes(&test);
    for (int i = 0; i < shape.w; i++) {
        double expected = 1.0 / (1.0 + exp(-(double)values[i]));
        if (!(fabs(results[i] - expected) <= 1e-6 * expected))
            ck_abort_msg("sigmoid of %g is %g, not %g", values[i], results[i], expected);
    }
    tensor_clear(&test);
}
END_TEST

/* More channels than a grid's y can count. */
START_TEST(very_many_channels)
{
    VfiShape shape = {65535 + 3, 1, 1};
    GRand *random = g_rand_new_with_seed(30);
    g_autofree float *a = random_floats(random, vfi_shape_elements(shape));
    VfiOp op = {.kind = VFI_OP_MUL, .n_src = 2};

    op.src[0].shape = op.src[1].shape = op.dst.shape = shape;
    op.src[1].shape.c = 1;
    check(&op, (const float *const[]){a, a}, 0.0f);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-elementwise");
    TCase *tcase = tcase_create("elementwise");
    int n = (int)G_N_ELEMENTS(tensor_shapes);

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, of_two_sources, 0, n);
    tcase_add_loop_test(tcase, of_one_source, 0, n);
    tcase_add_loop_test(tcase, activations, 0, n);
    tcase_add_loop_test(tcase, fills, 0, n);
    tcase_add_test(tcase, sigmoid_near_zero);
    tcase_add_test(tcase, very_many_channels);
    return check_main(suite);
}
