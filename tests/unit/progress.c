/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a picture's progress is told, and how long the rest is said to take. */
#include "check_main.h"
#include "pure/progress.h"

#define MS GST_MSECOND

START_TEST(progress_is_told_first_last_and_now_and_then)
{
    static const struct {
        GstVfiProgress told, now;
        gboolean is_due;
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0, 0, 0}, FALSE},                 /* not begun, or no rounds */
        {{0, 0, 0, 0}, {0, 0, 1, 900 * MS}, FALSE},          /* none all the while */
        {{0, 0, 0, 0}, {0, 5, 0.1, 20 * MS}, TRUE},          /* the first of it */
        {{0, 0, 0, 0}, {0, 5, 0, 20 * MS}, FALSE},           /* nothing was done */
        {{0, 5, 0.1, 20 * MS}, {1, 5, 0.2, 30 * MS}, FALSE}, /* too soon */
        {{0, 5, 0.1, 20 * MS}, {1, 5, 0.2, 519 * MS}, FALSE},
        {{0, 5, 0.1, 20 * MS}, {1, 5, 0.2, 520 * MS}, TRUE},
        {{1, 5, 0.2, 20 * MS}, {1, 5, 0.3, 520 * MS}, TRUE},  /* within a round */
        {{1, 5, 0.2, 20 * MS}, {1, 5, 0.2, 900 * MS}, FALSE}, /* no news */
        {{4, 5, 0.9, 20 * MS}, {5, 5, 1, 21 * MS}, TRUE},     /* the last */
        {{4, 5, 0.9, 20 * MS}, {5, 5, 0.95, 21 * MS}, FALSE}, /* behind the rounds */
        {{5, 5, 1, 20 * MS}, {5, 5, 1, 900 * MS}, FALSE},
        {{5, 5, 0.9, 20 * MS}, {5, 10, 0.95, 520 * MS}, TRUE}, /* more have come */
    };

    ck_assert_int_eq(gst_vfi_progress_is_due(&cases[_i].told, &cases[_i].now),
                     cases[_i].is_due);
}
END_TEST

START_TEST(the_rest_takes_as_long_as_what_was_done)
{
    static const struct {
        GstVfiProgress progress;
        GstClockTime left;
    } cases[] = {
        {{0, 5, 0, 100 * MS}, GST_CLOCK_TIME_NONE},
        {{1, 5, 0.25, 100 * MS}, 300 * MS},
        {{2, 5, 0.5, 100 * MS}, 100 * MS},
        {{5, 5, 1, 100 * MS}, 0},
    };

    ck_assert_uint_eq(gst_vfi_progress_time_left(&cases[_i].progress), cases[_i].left);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("progress");
    TCase *tcase = tcase_create("progress");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, progress_is_told_first_last_and_now_and_then, 0, 13);
    tcase_add_loop_test(tcase, the_rest_takes_as_long_as_what_was_done, 0, 4);
    return check_main(suite);
}
