/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rates and times as people write them. */
#include "check_main.h"

#include "convert/error.h"
#include "convert/rate.h"

static const struct {
    const char *text;
    gboolean is_factor;
    int num, den;
} RATES[] = {
    {"60", FALSE, 60, 1},
    {"60000/1001", FALSE, 60000, 1001},
    {"59.94", FALSE, 60000, 1001},
    {"23.976", FALSE, 24000, 1001},
    {"29.97", FALSE, 30000, 1001},
    {"12.5", FALSE, 25, 2},
    {"2x", TRUE, 2, 1},
    {"2.5x", TRUE, 5, 2},
    {"1000X", TRUE, 1000, 1},
};

START_TEST(test_rate)
{
    RateRequest rate;
    ck_assert(rate_parse(RATES[_i].text, &rate, NULL));
    ck_assert_int_eq(rate.is_factor, RATES[_i].is_factor);
    ck_assert_int_eq(rate.num, RATES[_i].num);
    ck_assert_int_eq(rate.den, RATES[_i].den);
}
END_TEST

static const char *const NO_RATES[] = {"",   "0",    "-60",   "60fps", "x",   "0x",
                                       "1/", "60/0", "1001x", "0.5x",  "1e3", "60 "};

START_TEST(test_no_rate)
{
    RateRequest rate;
    g_autoptr(GError) error = NULL;
    ck_assert(!rate_parse(NO_RATES[_i], &rate, &error));
    ck_assert(g_error_matches(error, CONVERT_ERROR, CONVERT_ERROR_USAGE));
    ck_assert_ptr_nonnull(strstr(error->message, "60000/1001"));
}
END_TEST

START_TEST(test_near)
{
    ck_assert_int_eq(rate_near(30.303), 30); /* 33 ms */
    ck_assert_int_eq(rate_near(23.81), 24);  /* 42 ms */
    ck_assert_int_eq(rate_near(58.82), 59);  /* 17 ms are no usual rate */
    ck_assert_int_eq(rate_near(40), 40);
    ck_assert_int_eq(rate_near(0.2), 1);
}
END_TEST

START_TEST(test_factor)
{
    int num = 0, den = 0;
    ck_assert(factor_parse("4", &num, &den, NULL));
    ck_assert(num == 4 && den == 1);
    ck_assert(factor_parse("2.5x", &num, &den, NULL));
    ck_assert(num == 5 && den == 2);
    ck_assert(!factor_parse("1/2", &num, &den, NULL));
    ck_assert(!factor_parse("1001", &num, &den, NULL));
    ck_assert(!factor_parse("x", &num, &den, NULL));
}
END_TEST

static const struct {
    const char *text;
    GstClockTime time;
} TIMES[] = {
    {"0", 0},
    {"90", 90 * GST_SECOND},
    {"1.5", 1500 * GST_MSECOND},
    {"1:30", 90 * GST_SECOND},
    {"00:01:30.250", 90250 * GST_MSECOND},
    {"27:00:00", 27 * 3600 * GST_SECOND},
};

START_TEST(test_time)
{
    GstClockTime time = 0;
    ck_assert(time_parse(TIMES[_i].text, &time, NULL));
    ck_assert_uint_eq(time, TIMES[_i].time);
}
END_TEST

static const char *const NO_TIMES[] = {"",        ":",  "1:", "1:60",
                                       "1:2:3:4", "-1", "1m", "1.2:03"};

START_TEST(test_no_time)
{
    GstClockTime time = 0;
    g_autoptr(GError) error = NULL;
    ck_assert(!time_parse(NO_TIMES[_i], &time, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "HH:MM:SS"));
}
END_TEST

START_TEST(test_time_text)
{
    g_autofree gchar *text = time_text(3723 * GST_SECOND + 456 * GST_MSECOND);
    ck_assert_str_eq(text, "1:02:03.456");
    g_autofree gchar *none = time_text(GST_CLOCK_TIME_NONE);
    ck_assert_str_eq(none, "the end");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_rate, 0, (int)G_N_ELEMENTS(RATES));
    tcase_add_loop_test(tcase, test_no_rate, 0, (int)G_N_ELEMENTS(NO_RATES));
    tcase_add_test(tcase, test_near);
    tcase_add_test(tcase, test_factor);
    tcase_add_loop_test(tcase, test_time, 0, (int)G_N_ELEMENTS(TIMES));
    tcase_add_loop_test(tcase, test_no_time, 0, (int)G_N_ELEMENTS(NO_TIMES));
    tcase_add_test(tcase, test_time_text);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
