/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* f16: every number that there is, and what lies between two of them, at every level. */
#include <math.h>

#include "kernel_util.h"

#include "cpu/algorithm.h"

#define N_HALVES 65536

/* By the definition of binary16. */
static double value_of(unsigned half)
{
    int exponent = half >> 10 & 31, mantissa = half & 1023;
    double size = exponent == 31  ? (mantissa == 0 ? INFINITY : NAN)
                  : exponent == 0 ? ldexp(mantissa, -24)
                                  : ldexp(1024 + mantissa, exponent - 25);

    return half & 0x8000 ? -size : size;
}

START_TEST(every_number_goes_there_and_back)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    g_autofree uint16_t *halves = g_new(uint16_t, N_HALVES);
    g_autofree uint16_t *back = g_new(uint16_t, N_HALVES);
    g_autofree float *floats = g_new(float, N_HALVES);

    for (unsigned i = 0; i < N_HALVES; i++)
        halves[i] = (uint16_t)i;
    kernels->widen(floats, halves, N_HALVES);
    kernels->narrow(back, floats, N_HALVES);
    for (unsigned i = 0; i < N_HALVES; i++) {
        double value = value_of(i);
        if (isnan(value)) {
            if (!isnan(floats[i]) || !isnan(value_of(back[i])))
                ck_abort_msg("0x%04x is not a number any more", i);
            continue;
        }
        if (floats[i] != value || !signbit(floats[i]) != !signbit(value))
            ck_abort_msg("0x%04x is %g, not %g", i, (double)floats[i], value);
        unsigned expected = isinf(value) ? i - 1 : i; /* the largest finite one */
        if (back[i] != expected)
            ck_abort_msg("0x%04x came back as 0x%04x", i, back[i]);
    }
}
END_TEST

/* A quarter, a half and three quarters of the way from each number to the next. */
START_TEST(what_lies_between_is_rounded_to_nearest_even)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    enum { N = 0x7bff };
    g_autofree float *between = g_new(float, N);
    g_autofree uint16_t *rounded = g_new(uint16_t, N);
    double sign = _i % 2 ? -1 : 1;
    int quarters = _i / 2 + 1;

    for (unsigned i = 0; i < N; i++) {
        double low = value_of(i), high = value_of(i + 1);
        between[i] = (float)(sign * (low + (high - low) * quarters / 4));
    }
    kernels->narrow(rounded, between, N);
    for (unsigned i = 0; i < N; i++) {
        unsigned expected = quarters == 1 ? i : quarters == 3 ? i + 1 : i + i % 2;
        if (sign < 0)
            expected |= 0x8000;
        if (rounded[i] != expected)
            ck_abort_msg("%g became 0x%04x, not 0x%04x", (double)between[i], rounded[i],
                         expected);
    }
}
END_TEST

START_TEST(what_is_too_large_becomes_the_largest)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(test_level);
    float values[67];
    uint16_t rounded[G_N_ELEMENTS(values)];

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        values[i] = i % 3 == 0 ? 65505.0f : i % 3 == 1 ? -3e38f : INFINITY;
    kernels->narrow(rounded, values, G_N_ELEMENTS(values));
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        ck_assert_uint_eq(rounded[i], i % 3 == 1 ? 0xfbff : 0x7bff);
}
END_TEST

static void refuse(const VfiOp *op, const char *words)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(vfi_cpu_op_new(op, test_level, &error));
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

START_TEST(only_conversions_take_halves)
{
    VfiOp op = {.kind = VFI_OP_CONVERT, .n_src = 1, .name = "x"};

    op.src[0].shape = op.dst.shape = (VfiShape){3, 4, 5};
    refuse(&op, "one operand must be f16");
    op.src[0].half = op.dst.half = true;
    refuse(&op, "one operand must be f16");
    op.kind = VFI_OP_COPY;
    refuse(&op, "operands must be f32");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("half");
    TCase *tcase = tcase_create("half");

    tcase_add_test(tcase, every_number_goes_there_and_back);
    tcase_add_loop_test(tcase, what_lies_between_is_rounded_to_nearest_even, 0, 6);
    tcase_add_test(tcase, what_is_too_large_becomes_the_largest);
    tcase_add_test(tcase, only_conversions_take_halves);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
