/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots, segments and where the element's grid is anchored. */
#include "check_main.h"

#include "convert/schedule.h"

static const struct {
    int n, d;
} RATES[] = {{24, 1},       {25, 1},       {50, 1},  {60, 1},
             {30000, 1001}, {60000, 1001}, {240, 1}, {7, 3}};

/* Of the first five hours, some slots: n / rate, rounded, and back. */
START_TEST(test_slots)
{
    const int n = RATES[_i].n, d = RATES[_i].d;
    const GstClockTime origin = 83 * GST_MSECOND;
    Schedule schedule;
    schedule_init(&schedule, origin, n, d, 10);
    for (guint64 slot = 0; slot < 4000000; slot = slot * 3 / 2 + 1) {
        GstClockTime time = schedule_slot_time(&schedule, slot);
        long double exact = (long double)slot * d / n * 1e9L + (long double)origin;
        ck_assert(exact - 0.51L <= (long double)time &&
                  (long double)time <= exact + 0.51L);
        ck_assert_uint_eq(schedule_nearest_slot(&schedule, time), slot);
        ck_assert_uint_eq(schedule_nearest_slot(&schedule, time + 400 * GST_USECOND),
                          slot);
        ck_assert_uint_eq(schedule_slots_before(&schedule, time), slot);
        ck_assert_uint_eq(schedule_slots_before(&schedule, time + GST_MSECOND), slot + 1);
    }
    ck_assert_uint_eq(schedule_nearest_slot(&schedule, 0), 0);
    ck_assert_uint_eq(schedule_slots_before(&schedule, 0), 0);
}
END_TEST

/* The anchor is a slot, at the time or less than a slot before it, and never after it by
 * more than what containers round by. */
START_TEST(test_anchor)
{
    const int n = RATES[_i].n, d = RATES[_i].d;
    Schedule schedule;
    schedule_init(&schedule, GST_SECOND, n, d, 10);
    GstClockTime interval = gst_util_uint64_scale(GST_SECOND, (guint64)d, (guint64)n);
    for (GstClockTime time = GST_SECOND; time < 2 * GST_SECOND; time += 1234567) {
        GstClockTime anchor = schedule_anchor(&schedule, time);
        guint64 slot = schedule_nearest_slot(&schedule, anchor);
        ck_assert_uint_eq(schedule_slot_time(&schedule, slot), anchor);
        ck_assert_uint_le(anchor, time + 1500 * GST_USECOND);
        ck_assert_uint_lt(time, anchor + interval + 1);
    }
    ck_assert_uint_eq(schedule_anchor(&schedule, 0), GST_SECOND);
}
END_TEST

START_TEST(test_segments)
{
    Schedule schedule;
    schedule_init(&schedule, 0, 60000, 1001, 10);
    ck_assert_uint_eq(schedule.segment_frames, 599); /* 10 s are 599.4 */
    ck_assert_uint_eq(schedule_segment_start(&schedule, 0), 0);
    ck_assert_uint_eq(schedule_segment_start(&schedule, 3),
                      schedule_slot_time(&schedule, 1797));
    schedule_init(&schedule, 0, 25, 1, 0.001);
    ck_assert_uint_eq(schedule.segment_frames, 1);
}
END_TEST

START_TEST(test_variable)
{
    Schedule schedule;
    schedule_init(&schedule, GST_SECOND, 0, 1, 2.5);
    ck_assert_uint_eq(schedule_anchor(&schedule, 1234567890), 1234567890);
    ck_assert_uint_eq(schedule_segment_start(&schedule, 0), GST_SECOND);
    ck_assert_uint_eq(schedule_segment_start(&schedule, 2), 6 * GST_SECOND);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_slots, 0, (int)G_N_ELEMENTS(RATES));
    tcase_add_loop_test(tcase, test_anchor, 0, (int)G_N_ELEMENTS(RATES));
    tcase_add_test(tcase, test_segments);
    tcase_add_test(tcase, test_variable);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
