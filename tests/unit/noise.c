/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From random words to normal numbers: each step against its formula in double
 * precision, and what becomes of the words at the ends. */
#include "check_main.h"
#include "op/noise.h"

/* From one word to the next that is tried; odd, so that all bits change. */
#define WORD_STEP (997u * SANITIZER_STEP * SANITIZER_STEP)

#define PI 3.14159265358979323846

/* The words at which steps begin and end, or choose another branch. */
static const uint32_t ends[] = {
    0,          1,          2,          0xff,       0x100,      0x00ffffff, 0x01000001,
    0x1fffffff, 0x20000000, 0x3fffffff, 0x40000000, 0x5fffff00, 0x60000000, 0x7fffffff,
    0x80000000, 0x9fffffff, 0xa0000000, 0xbfffffff, 0xc0000000, 0xdfffff00, 0xe0000000,
    0xffffff00, 0xffffff7f, 0xffffff80, 0xffffffff};

/* These give the error in units of what is allowed; infinite outside of the range. */

/* Half a step of f32 for each of two roundings. */
static double uniform_error(uint32_t bits)
{
    double u = (double)vfi_noise_uniform(bits), exact = (bits + 0.5) * 0x1p-32;

    return u >= 0x1p-33 && u <= 1.0 ? fabs(u - exact) / (0x1p-23 * exact) : INFINITY;
}

static double log_error(float u)
{
    double found = (double)vfi_noise_minus_two_log(u), exact = -2.0 * log((double)u);

    if (!(found >= 0.0))
        return INFINITY;
    return found == exact ? 0.0 : fabs(found - exact) / (2e-7 * exact);
}

static double log_of_uniform_error(uint32_t bits)
{
    return log_error(vfi_noise_uniform(bits));
}

static double direction_error(uint32_t bits)
{
    double angle = 2.0 * PI * 0x1p-24 * (bits >> 8);
    float cosine, sine;

    vfi_noise_direction(bits, &cosine, &sine);
    return fmax(fabs((double)cosine - cos(angle)), fabs((double)sine - sin(angle))) /
           1e-7;
}

static double (*const errors[])(uint32_t bits) = {uniform_error, log_of_uniform_error,
                                                  direction_error};

START_TEST(each_step_is_its_formula)
{
    double worst = 0.0;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        worst = fmax(worst, errors[_i](ends[i]));
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += WORD_STEP)
        worst = fmax(worst, errors[_i]((uint32_t)bits));
    ck_assert_double_le(worst, 1.0);
}
END_TEST

/* Few words lead to small u's: here all powers of two are met alike. */
START_TEST(logarithms_are_right_at_all_sizes)
{
    double worst = 0.0;

    for (int exponent = -33; exponent < 0; exponent++)
        for (int i = 0; i < 1 << 23; i += 101 * SANITIZER_STEP)
            worst = fmax(worst, log_error(ldexpf(1.0f + (float)i * 0x1p-23f, exponent)));
    ck_assert_double_le(worst, 1.0);
}
END_TEST

START_TEST(the_ends_are_finite)
{
    ck_assert_float_eq(vfi_noise_uniform(0), 0x1p-33f);
    ck_assert_double_eq_tol(sqrt((double)vfi_noise_minus_two_log(0x1p-33f)), 6.76371,
                            1e-5);
    ck_assert_float_eq(vfi_noise_uniform(UINT32_MAX), 1.0f);
    ck_assert_float_eq(vfi_noise_minus_two_log(1.0f), 0.0f);
}
END_TEST

START_TEST(quarters_of_a_turn_are_exact)
{
    static const float cosines[] = {1.0f, 0.0f, -1.0f, 0.0f};
    float cosine, sine;

    for (uint32_t quarter = 0; quarter < 4; quarter++) {
        vfi_noise_direction(quarter << 30, &cosine, &sine);
        ck_assert_float_eq(cosine, cosines[quarter]);
        ck_assert_float_eq(sine, cosines[(quarter + 3) % 4]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("noise");
    TCase *tcase = tcase_create("noise");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, each_step_is_its_formula, 0,
                        (int)(sizeof errors / sizeof errors[0]));
    tcase_add_test(tcase, logarithms_are_right_at_all_sizes);
    tcase_add_test(tcase, the_ends_are_finite);
    tcase_add_test(tcase, quarters_of_a_turn_are_exact);
    return check_main(suite);
}
