/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times, offsets and flags of every output, and what ends a run of frames. */
#include "fixture.h"

#define MS GST_MSECOND

/* 20 fps: 50 ms a frame, exactly divisible by the multipliers used here. */
static Fixture *start(int index, const char *properties)
{
    Fixture *f = fixture_new(in_flight_mode(index), properties);
    g_autofree char *caps = video_caps("I420", 16, 16, "20/1");

    fixture_set_caps(f, caps, NULL);
    return f;
}

static void push(Fixture *f, int value, GstClockTime pts, GstClockTime duration)
{
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, value, pts, duration)),
                     GST_FLOW_OK);
}

GST_START_TEST(nothing_comes_out_of_nothing)
{
    Fixture *f = start(__i__, NULL);

    finish(f);
    ck_assert_uint_eq(n_buffers(f), 0);
    ck_assert_uint_eq(n_events(f, GST_EVENT_EOS), 1);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(one_frame_is_completed_by_copies)
{
    Fixture *f = start(__i__, "multiplier=5");

    push_frames(f, 1, 40);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 5);
    for (guint64 i = 0; i < 5; i++) {
        assert_times(nth_buffer(f, i), i * 10 * MS, 10 * MS);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_GAP, i > 0);
        ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, i)), 40);
    }
    ck_assert_uint_eq(counter(f, "duplicate"), 4);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(tail_hold_is_one_gap_event)
{
    Fixture *f = start(__i__, "multiplier=5 tail=hold");
    GstClockTime pts, duration;

    push_frames(f, 1, 40);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 1);
    ck_assert_uint_eq(n_events(f, GST_EVENT_GAP), 1);
    gst_event_parse_gap(last_event(f, GST_EVENT_GAP), &pts, &duration);
    ck_assert_uint_eq(pts, 10 * MS);
    ck_assert_uint_eq(duration, 40 * MS);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(tail_none_is_nothing)
{
    Fixture *f = start(__i__, "multiplier=5 tail=none");

    push_frames(f, 1, 40);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 1);
    ck_assert_uint_eq(n_events(f, GST_EVENT_GAP), 0);
    fixture_free(f);
}
GST_END_TEST

/* Blend of two flat frames is known: rounded to nearest of a + (b - a) * j / m, the
 * weight rounded to 1/65536. */
static int blended(int a, int b, guint64 j, guint64 m)
{
    int weight = (int)((double)j * 65536.0 / (double)m + 0.5);

    return (a * (65536 - weight) + b * weight + 32768) >> 16;
}

static void check_two_frames(int index, guint64 m)
{
    g_autofree char *properties = g_strdup_printf("multiplier=%" G_GUINT64_FORMAT, m);
    Fixture *f = start(index, properties);
    GstClockTime end = 0;

    push(f, 30, 0, 50 * MS);
    push(f, 200, 50 * MS, 50 * MS);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 2 * m);
    for (guint64 i = 0; i < 2 * m; i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        ck_assert_uint_eq(GST_BUFFER_PTS(buffer), end);
        end += GST_BUFFER_DURATION(buffer);
        ck_assert_uint_eq(GST_BUFFER_PTS(buffer),
                          i / m * 50 * MS + 50 * MS * (i % m) / m);
        ck_assert_int_eq(first_byte(&f->info, buffer),
                         i < m ? blended(30, 200, i, m) : 200);
        ck_assert_uint_eq(GST_BUFFER_OFFSET(buffer), i);
        ck_assert_uint_eq(GST_BUFFER_OFFSET_END(buffer), i + 1);
        ck_assert(!GST_BUFFER_DTS_IS_VALID(buffer));
        assert_flag(buffer, GST_BUFFER_FLAG_DISCONT, i == 0);
        assert_flag(buffer, GST_BUFFER_FLAG_GAP, i > m);
    }
    ck_assert_uint_eq(end, 100 * MS);
    ck_assert_uint_eq(counter(f, "in"), 2);
    ck_assert_uint_eq(counter(f, "out"), 2 * m);
    ck_assert_uint_eq(counter(f, "interpolated"), m - 1);
    ck_assert_uint_eq(counter(f, "duplicate"), m - 1);
    ck_assert_uint_eq(counter(f, "drop"), 0);
    fixture_free(f);
}

GST_START_TEST(two_frames_have_their_in_betweens)
{
    const guint64 multipliers[] = {2, 3, 4, 16, 100};

    for (guint64 i = 0; i < G_N_ELEMENTS(multipliers); i++)
        check_two_frames(__i__, multipliers[i]);
}
GST_END_TEST

GST_START_TEST(a_minute_of_5994_has_no_drift)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("GRAY8", 8, 8, "60000/1001");
    const guint64 n = 3600;
    GstClockTime end = 0;

    fixture_set_caps(f, caps, NULL);
    push_frames(f, (int)n, 0);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 2 * n);
    for (guint64 i = 0; i < 2 * n; i++) {
        ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, i)), end);
        end += GST_BUFFER_DURATION(nth_buffer(f, i));
    }
    ck_assert_uint_eq(end, gst_util_uint64_scale(n, 1001 * GST_SECOND, 60000));
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(missing_times_follow_the_rate)
{
    Fixture *f = start(__i__, NULL);

    push(f, 0, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
    push(f, 10, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
    push(f, 20, 100 * MS, GST_CLOCK_TIME_NONE);
    push(f, 30, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 8);
    for (guint64 i = 0; i < 8; i++)
        assert_times(nth_buffer(f, i), i * 25 * MS, 25 * MS);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(missing_times_of_variable_video_are_dropped)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, "0/1");

    fixture_set_caps(f, caps, NULL);
    push(f, 0, 0, GST_CLOCK_TIME_NONE);
    push(f, 10, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
    push(f, 20, 30 * MS, GST_CLOCK_TIME_NONE);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 3);
    assert_times(nth_buffer(f, 1), 15 * MS, 15 * MS);
    ck_assert_uint_eq(counter(f, "drop"), 1);
    fixture_free(f);
}
GST_END_TEST

/* As cameras send over RTP: no rate, no durations. */
GST_START_TEST(slow_variable_video_is_interpolated)
{
    const guint64 steps[] = {200, 333, 1000, 2000};
    const guint64 step = steps[__i__ / N_MODES % 4] * MS;
    const gboolean fixed = __i__ / N_MODES >= 4;
    Fixture *f = fixture_new(in_flight_mode(__i__ % N_MODES), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, "0/1");

    fixture_set_caps(f, caps, fixed ? "video/x-raw,framerate=10/1" : NULL);
    for (guint64 i = 0; i < 8; i++)
        push(f, (int)i * 20, i * step, GST_CLOCK_TIME_NONE);
    finish(f);
    ck_assert_uint_eq(n_events(f, GST_EVENT_GAP), 0);
    for (guint i = 0; i < n_buffers(f); i++)
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_DISCONT, i == 0);
    if (fixed) {
        ck_assert_uint_eq(n_buffers(f), (8 * step + 100 * MS - 1) / (100 * MS));
    } else {
        ck_assert_uint_eq(n_buffers(f), 16);
        ck_assert_uint_eq(counter(f, "interpolated"), 7);
        for (guint i = 3; i < 16; i++)
            assert_times(nth_buffer(f, i), i * step / 2, step / 2);
    }
    fixture_free(f);
}
GST_END_TEST

/* Durations that say nothing useful: the original's comes from the rate or is
 * shortened. */
GST_START_TEST(odd_durations_do_no_harm)
{
    Fixture *f = start(__i__, NULL);

    push(f, 0, 0, 0);
    push(f, 10, 50 * MS, GST_CLOCK_TIME_NONE);
    push(f, 20, 100 * MS, 400 * MS);
    push(f, 30, 150 * MS, 50 * MS);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 8);
    for (guint64 i = 0; i < 8; i++)
        ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, i)), i * 25 * MS);
    ck_assert_uint_eq(GST_BUFFER_DURATION(nth_buffer(f, 0)), 25 * MS);
    ck_assert_uint_eq(GST_BUFFER_DURATION(nth_buffer(f, 2)), 25 * MS);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(frames_that_go_back_are_dropped)
{
    Fixture *f = start(__i__, NULL);

    push(f, 0, 100 * MS, 50 * MS);
    push(f, 10, 100 * MS, 50 * MS);
    push(f, 20, 50 * MS, 50 * MS);
    push(f, 30, 150 * MS, 50 * MS);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 4);
    ck_assert_uint_eq(counter(f, "drop"), 2);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 1)), 15);
    assert_times(nth_buffer(f, 1), 125 * MS, 25 * MS);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(discont_breaks_the_pair)
{
    Fixture *f = start(__i__, NULL);
    GstBuffer *late;

    push(f, 0, 0, 50 * MS);
    late = flat_frame(f, 100, 500 * MS, 50 * MS);
    GST_BUFFER_FLAG_SET(late, GST_BUFFER_FLAG_DISCONT);
    ck_assert_int_eq(gst_harness_push(f->harness, late), GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 4);
    assert_times(nth_buffer(f, 1), 25 * MS, 25 * MS);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 1)), 0);
    assert_flag(nth_buffer(f, 1), GST_BUFFER_FLAG_GAP, TRUE);
    assert_times(nth_buffer(f, 2), 500 * MS, 25 * MS);
    assert_flag(nth_buffer(f, 2), GST_BUFFER_FLAG_DISCONT, TRUE);
    assert_times(nth_buffer(f, 3), 525 * MS, 25 * MS);
    ck_assert_uint_eq(counter(f, "interpolated"), 0);
    fixture_free(f);
}
GST_END_TEST

/* With frames 1 ns apart the in-between has no time of its own. */
GST_START_TEST(in_betweens_without_a_time_are_dropped)
{
    Fixture *f = start(__i__, NULL);

    push(f, 0, 0, 50 * MS);
    push(f, 10, 1, 50 * MS);
    finish(f);
    ck_assert_uint_eq(counter(f, "interpolated"), 0);
    ck_assert_uint_eq(counter(f, "drop"), 1);
    for (guint64 i = 1; i < n_buffers(f); i++)
        ck_assert_uint_gt(GST_BUFFER_PTS(nth_buffer(f, i)),
                          GST_BUFFER_PTS(nth_buffer(f, i - 1)));
    fixture_free(f);
}
GST_END_TEST

/* 20 to 50: slots 20 ms apart, every second frame shown, values where they are
 * between. */
GST_START_TEST(a_grid_has_its_own_times)
{
    static const int expected[] = {0, 40, 80, 120, 160, 200, 200, 200};
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, "20/1");

    fixture_set_caps(f, caps, "video/x-raw,framerate=50/1");
    push(f, 0, 0, 50 * MS);
    push(f, 100, 50 * MS, 50 * MS);
    push(f, 200, 100 * MS, 50 * MS);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 8);
    for (guint i = 0; i < 8; i++) {
        assert_times(nth_buffer(f, i), i * 20 * MS, i < 7 ? 20 * MS : 10 * MS);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_GAP, i > 5);
        ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, i)), expected[i]);
    }
    ck_assert_uint_eq(counter(f, "interpolated"), 4);
    ck_assert_uint_eq(counter(f, "drop"), 0);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(reverse_play_falls)
{
    static const int expected[] = {200, 150, 100, 50, 0};
    Fixture *f = start(__i__, NULL);
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.rate = -1.0;
    segment.stop = 150 * MS;
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_segment(&segment)));
    push(f, 200, 100 * MS, 50 * MS);
    push(f, 100, 50 * MS, 50 * MS);
    push(f, 0, 0, 50 * MS);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 5);
    for (guint i = 0; i < 5; i++) {
        assert_times(nth_buffer(f, i), (4 - i) * 25 * MS, i == 0 ? 50 * MS : 25 * MS);
        ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, i)), expected[i]);
    }
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(frames_before_the_segment_are_partners)
{
    Fixture *f = start(__i__, "multiplier=5");
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = 25 * MS;
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_segment(&segment)));
    push(f, 0, 0, 25 * MS);
    push(f, 100, 50 * MS, 50 * MS);
    finish(f);
    /* In-betweens at 30 and 40 ms, the frame at 50 ms and its four copies. */
    ck_assert_uint_eq(n_buffers(f), 7);
    assert_times(nth_buffer(f, 0), 30 * MS, 10 * MS);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 0)), blended(0, 100, 3, 5));
    assert_times(nth_buffer(f, 2), 50 * MS, 10 * MS);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-time");
    TCase *tcase = tcase_create("time");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, nothing_comes_out_of_nothing, 0, N_MODES);
    tcase_add_loop_test(tcase, one_frame_is_completed_by_copies, 0, N_MODES);
    tcase_add_loop_test(tcase, tail_hold_is_one_gap_event, 0, N_MODES);
    tcase_add_loop_test(tcase, tail_none_is_nothing, 0, N_MODES);
    tcase_add_loop_test(tcase, two_frames_have_their_in_betweens, 0, N_MODES);
    tcase_add_loop_test(tcase, a_minute_of_5994_has_no_drift, 0, N_MODES);
    tcase_add_loop_test(tcase, missing_times_follow_the_rate, 0, N_MODES);
    tcase_add_loop_test(tcase, missing_times_of_variable_video_are_dropped, 0, N_MODES);
    tcase_add_loop_test(tcase, slow_variable_video_is_interpolated, 0, 8 * N_MODES);
    tcase_add_loop_test(tcase, odd_durations_do_no_harm, 0, N_MODES);
    tcase_add_loop_test(tcase, frames_that_go_back_are_dropped, 0, N_MODES);
    tcase_add_loop_test(tcase, discont_breaks_the_pair, 0, N_MODES);
    tcase_add_loop_test(tcase, in_betweens_without_a_time_are_dropped, 0, N_MODES);
    tcase_add_loop_test(tcase, a_grid_has_its_own_times, 0, N_MODES);
    tcase_add_loop_test(tcase, reverse_play_falls, 0, N_MODES);
    tcase_add_loop_test(tcase, frames_before_the_segment_are_partners, 0, N_MODES);
    return element_main(argc, argv, suite);
}
