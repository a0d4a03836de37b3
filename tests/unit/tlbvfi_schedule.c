/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLBVFI's sampler: its steps, and the coefficients of each against the formulas of the
 * paper that these are worked out from. */
#include "models/tlbvfi.h"

#include <math.h>

#include "check_main.h"

/* arange(999, 1, -999 / (n - 2)) rounded down, then 1 and 0; as PyTorch 2.3 gave them. */
static const struct {
    unsigned n;
    int steps[12];
} known[] = {
    {3, {999, 1, 0}},
    {4, {999, 499, 1, 0}},
    {5, {999, 666, 333, 1, 0}},
    {6, {999, 749, 499, 249, 1, 0}},
    {10, {999, 874, 749, 624, 499, 374, 249, 124, 1, 0}},
    {11, {999, 888, 777, 666, 555, 444, 333, 222, 111, 1, 0}},
};

START_TEST(steps_are_upstreams)
{
    for (unsigned i = 0; i < known[_i].n; i++)
        ck_assert_int_eq(vfi_tlbvfi_step(known[_i].n, i, 1.0).step, known[_i].steps[i]);
}
END_TEST

/* 1 comes twice: the last of the even steps is one. Such a step changes nothing. */
START_TEST(a_thousand_steps_end_with_two_alike)
{
    static const double nothing[] = {1.0, 0.0, 0.0, 0.0};

    for (unsigned i = 1; i < 998; i++)
        ck_assert_int_lt(vfi_tlbvfi_step(1000, i, 1.0).step,
                         vfi_tlbvfi_step(1000, i - 1, 1.0).step);
    VfiTlbvfiStep step = vfi_tlbvfi_step(1000, 997, 1.0);
    ck_assert_int_eq(step.step, 1);
    ck_assert_int_eq(vfi_tlbvfi_step(1000, 998, 1.0).step, 1);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol(step.weight[i], nothing[i], 1e-12);
}
END_TEST

/* Share of the bridge's end and variance at a step: m goes from 0.001 to 0.999, and the
 * tables are f32. */
static double share(int step)
{
    return (double)(float)(0.001 + 0.998 * step / 999.0);
}

static double variance(int step)
{
    double m = 0.001 + 0.998 * step / 999.0;

    return (double)(float)(2.0 * m * (1.0 - m));
}

/* A step as the paper has it: the end of the walk is guessed, then the next state drawn
 * around a mean between that, the bridge's end and where the walk is. */
static double next_state(int step, int next, double eta, double x, double found, double y,
                         double noise)
{
    double m = share(step), m_next = share(next), v = variance(step);
    double v_next = variance(next), guess = x - found;

    if (step == 0)
        return guess;
    double sigma2 =
        (v - v_next * pow(1.0 - m, 2.0) / pow(1.0 - m_next, 2.0)) * v_next / v;
    double mean = (1.0 - m_next) * guess + m_next * y +
                  sqrt((v_next - sigma2) / v) * (x - (1.0 - m) * guess - m * y);
    return mean + sqrt(sigma2) * eta * noise;
}

START_TEST(coefficients_are_those_of_the_formulas)
{
    static const double at[][4] = {{1.0, 0.0, 0.0, 0.0},
                                   {0.0, 1.0, 0.0, 0.0},
                                   {0.0, 0.0, 1.0, 0.0},
                                   {0.0, 0.0, 0.0, 1.0},
                                   {0.7, -0.3, 1.9, -1.4}};

    for (size_t k = 0; k < G_N_ELEMENTS(known); k++)
        for (unsigned i = 0; i < known[k].n; i++)
            for (size_t j = 0; j < G_N_ELEMENTS(at); j++) {
                const double *v = at[j];
                VfiTlbvfiStep step = vfi_tlbvfi_step(known[k].n, i, 0.25);
                double expected = next_state(known[k].steps[i], known[k].steps[i + 1],
                                             0.25, v[0], v[1], v[2], v[3]);
                double sum = 0.0;
                for (int w = 0; w < 4; w++)
                    sum += step.weight[w] * v[w];
                ck_assert_double_eq_tol(sum, expected, 1e-6);
            }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tlbvfi_schedule");
    TCase *tcase = tcase_create("schedule");

    tcase_add_loop_test(tcase, steps_are_upstreams, 0, (int)G_N_ELEMENTS(known));
    tcase_add_test(tcase, a_thousand_steps_end_with_two_alike);
    tcase_add_test(tcase, coefficients_are_those_of_the_formulas);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
