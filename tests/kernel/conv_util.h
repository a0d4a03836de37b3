/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A convolution with its own weights and inputs, and the definitions of convolution and
 * transposed convolution in double precision, written independently of the engine's. */
#pragma once

#include "kernel_util.h"

#include "cpu/algorithm.h"

typedef struct {
    VfiOp op;
    float *weight, *bias, *slope;
    float *sources[2]; /* input, residual */
    double *expected;  /* of dst's shape */
} ConvCase;

static inline void conv_case_clear(ConvCase *test)
{
    g_free(test->weight);
    g_free(test->bias);
    g_free(test->slope);
    g_free(test->sources[0]);
    g_free(test->sources[1]);
    g_free(test->expected);
}

/* Fills weights and inputs at random once shapes and parameters are set; what the
 * parameters do not use (a residual, a bias) is given all the same. */
static inline void conv_case_fill(ConvCase *test, GRand *random, bool has_bias)
{
    VfiConvParams *p = &test->op.u.conv;
    VfiShape in = test->op.src[0].shape, out = test->op.dst.shape;
    size_t weight_out = (size_t)(p->weight_out != 0 ? p->weight_out : out.c);
    size_t filters = (size_t)in.c / (size_t)p->groups * weight_out;

    test->weight = random_floats(random, filters * (size_t)(p->kernel_h * p->kernel_w));
    test->bias = random_floats(random, (size_t)out.c);
    test->slope = random_floats(random, (size_t)out.c);
    test->sources[0] = random_floats(random, vfi_shape_elements(in));
    test->sources[1] = random_floats(random, vfi_shape_elements(out));
    p->weight = test->weight;
    p->out = out.c;
    p->bias = has_bias ? test->bias : NULL;
    p->activation.slope = test->slope;
    p->activation.leak = 0.2f;
    test->op.n_src = p->residual == VFI_RESIDUAL_NONE ? 1 : 2;
    test->op.src[1].shape = out;
    test->op.name = "test";
}

static inline TEST_FORMULA double input_at(const ConvCase *test, int c, int y, int x)
{
    VfiShape in = test->op.src[0].shape;
    if (y < 0 || x < 0 || y >= in.h || x >= in.w)
        return 0.0;
    return test
        ->sources[0][((size_t)c * (size_t)in.h + (size_t)y) * (size_t)in.w + (size_t)x];
}

static inline TEST_FORMULA double conv_sum(const ConvCase *test, int o, int y, int x)
{
    const VfiConvParams *p = &test->op.u.conv;
    int in_group = test->op.src[0].shape.c / p->groups;
    int first = o / (test->op.dst.shape.c / p->groups) * in_group;
    const float *weight = p->weight + (size_t)(o * in_group * p->kernel_h * p->kernel_w);
    double sum = 0.0;

    for (int i = 0; i < in_group; i++)
        for (int ky = 0; ky < p->kernel_h; ky++)
            for (int kx = 0; kx < p->kernel_w; kx++)
                sum +=
                    *weight++ * input_at(test, first + i, y * p->stride - p->pad_top + ky,
                                         x * p->stride - p->pad_left + kx);
    return sum;
}

static inline TEST_FORMULA double conv_transpose_sum(const ConvCase *test, int o, int y,
                                                     int x)
{
    const VfiConvParams *p = &test->op.u.conv;
    VfiShape in = test->op.src[0].shape;
    double sum = 0.0;

    for (int ky = 0; ky < p->kernel_h; ky++) {
        for (int kx = 0; kx < p->kernel_w; kx++) {
            int from_y = y + p->pad_top - ky, from_x = x + p->pad_left - kx;
            if (from_y % p->stride != 0 || from_x % p->stride != 0)
                continue;
            for (int i = 0; i < in.c; i++) {
                int filter =
                    i * (p->weight_out != 0 ? p->weight_out : test->op.dst.shape.c) + o;
                sum += p->weight[(filter * p->kernel_h + ky) * p->kernel_w + kx] *
                       input_at(test, i, from_y / p->stride, from_x / p->stride);
            }
        }
    }
    return sum;
}

static inline TEST_FORMULA double finish(const ConvCase *test, double sum, int o,
                                         size_t at)
{
    const VfiConvParams *p = &test->op.u.conv;
    double x = sum + (p->bias != NULL ? p->bias[o] : 0.0);

    if (p->residual == VFI_RESIDUAL_BEFORE_ACTIVATION)
        x += test->sources[1][at];
    if (p->activation.kind == VFI_ACTIVATION_PRELU)
        x = x < 0 ? x * test->slope[o] : x;
    if (p->activation.kind == VFI_ACTIVATION_LEAKY)
        x = x < 0 ? x * p->activation.leak : x;
    if (p->activation.kind == VFI_ACTIVATION_SIGMOID)
        x = 1.0 / (1.0 + exp(-x));
    if (p->residual == VFI_RESIDUAL_AFTER_ACTIVATION)
        x += test->sources[1][at];
    return x;
}

/* Computes test->expected. Returns the largest sum before the epilogue: what the limit on
 * errors is relative to, since an activation may hide it. */
static inline TEST_FORMULA double conv_case_expect(ConvCase *test)
{
    VfiShape out = test->op.dst.shape;
    double largest = 1e-30;
    size_t at = 0;

    g_free(test->expected); /* a case may be filled and checked again */
    test->expected = g_new(double, vfi_shape_elements(out));
    for (int o = 0; o < out.c; o++) {
        for (int y = 0; y < out.h; y++) {
            for (int x = 0; x < out.w; x++, at++) {
                double sum = test->op.kind == VFI_OP_CONV
                                 ? conv_sum(test, o, y, x)
                                 : conv_transpose_sum(test, o, y, x);
                if (isfinite(sum))
                    largest = MAX(largest, fabs(sum));
                test->expected[at] = finish(test, sum, o, at);
            }
        }
    }
    return largest;
}

/* Largest error against the definition and against the C reference. */
#define DIRECT_LIMIT 5e-6
#define WINOGRAD_LIMIT 4e-5

static inline bool uses_winograd(const VfiOp *op)
{
    return vfi_operand_is_blocked(&op->src[0]) && vfi_operand_is_blocked(&op->dst) &&
           vfi_winograd_suits(op);
}

static inline void conv_case_set_layouts(ConvCase *test, int in_block, int out_block)
{
    test->op.src[0].block = in_block;
    test->op.src[1].block = test->op.dst.block = out_block;
}

/* Runs the case in its layouts and compares with the definition and the C reference. */
static inline void conv_case_compare(ConvCase *test, const double *reference,
                                     double scale)
{
    size_t n = vfi_shape_elements(test->op.dst.shape);
    double limit = uses_winograd(&test->op) ? WINOGRAD_LIMIT : DIRECT_LIMIT;
    g_autofree float *result =
        run_op_all_threads(&test->op, (const float *const *)test->sources);
    double error = largest_error(result, test->expected, n, scale);
    const VfiConvParams *p = &test->op.u.conv;

    ck_assert_msg(error <= limit,
                  "%s %d×%d×%d to %d×%d×%d, %d×%d stride %d, blocks %d to %d: error %g",
                  vfi_op_kind_to_string(test->op.kind), test->op.src[0].shape.c,
                  test->op.src[0].shape.h, test->op.src[0].shape.w, test->op.dst.shape.c,
                  test->op.dst.shape.h, test->op.dst.shape.w, p->kernel_h, p->kernel_w,
                  p->stride, test->op.src[0].block, test->op.dst.block, error);
    ck_assert_double_le(largest_error(result, reference, n, scale), limit);
}

/* Runs the filled case at the level under test, in every layout of operands that the
 * level has, and compares. */
static inline void conv_case_check(ConvCase *test)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    int block = kernels->multiply != NULL ? kernels->vector_floats : 0;
    size_t n = vfi_shape_elements(test->op.dst.shape);
    double scale = MAX(conv_case_expect(test), 1.0);
    Setting setting = {.level = VFI_CPU_LEVEL_C, .threads = 1};
    g_autofree double *reference = g_new(double, n);

    conv_case_set_layouts(test, 0, 0);
    g_autofree float *planar =
        run_op(&test->op, (const float *const *)test->sources, &setting);
    for (size_t i = 0; i < n; i++)
        reference[i] = planar[i];
    conv_case_compare(test, reference, scale);
    if (block == 0)
        return;
    if (test->op.u.conv.groups != 1) {
        conv_case_set_layouts(test, block, block);
        if (uses_winograd(&test->op))
            conv_case_compare(test, reference, scale);
        return;
    }
    conv_case_set_layouts(test, block, 0);
    conv_case_compare(test, reference, scale);
    if (test->op.u.conv.activation.kind == VFI_ACTIVATION_SIGMOID)
        return;
    conv_case_set_layouts(test, 0, block);
    conv_case_compare(test, reference, scale);
    conv_case_set_layouts(test, block, block);
    conv_case_compare(test, reference, scale);
}
