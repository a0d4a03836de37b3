/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segments: their limits inside a pair, loops, speeds, playing backwards and key units
 * only, and what seeks send. */
#include "fixture.h"

#define MS GST_MSECOND

/* 20 fps, 50 ms a frame. */
static Fixture *start(int index, const char *properties)
{
    Fixture *f = fixture_new(in_flight_mode(index), properties);
    g_autofree char *caps = video_caps("I420", 16, 16, "20/1");

    fixture_set_caps(f, caps, NULL);
    return f;
}

static void push_segment(Fixture *f, const GstSegment *segment)
{
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_segment(segment)));
}

static GstSegment time_segment(GstClockTime from, GstClockTime to)
{
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = segment.time = segment.position = from;
    segment.stop = to;
    return segment;
}

static void push(Fixture *f, int value, GstClockTime pts)
{
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, value, pts, 50 * MS)),
                     GST_FLOW_OK);
}

/* Times of outputs in ms, ended by -1. */
static void check_times(Fixture *f, const double *times)
{
    guint n = 0;

    for (; times[n] >= 0; n++)
        ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, n)),
                          (GstClockTime)(times[n] * (double)MS));
    ck_assert_uint_eq(n_buffers(f), n);
}

GST_START_TEST(a_segment_may_start_inside_a_pair)
{
    Fixture *f = start(__i__, "multiplier=5");
    GstSegment segment = time_segment(75 * MS, GST_CLOCK_TIME_NONE);

    push_segment(f, &segment);
    push(f, 0, 0); /* wholly before: not even a partner of what is shown */
    push(f, 50, 50 * MS);
    push(f, 100, 100 * MS);
    finish(f);
    check_times(f, (const double[]){50, 80, 90, 100, 110, 120, 130, 140, -1});
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 1)), 80);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 2)), 90);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);
    fixture_free(f);
}
GST_END_TEST

/* The frame behind the stop is a partner and is not shown. */
GST_START_TEST(a_segment_may_stop_inside_a_pair)
{
    Fixture *f = start(__i__, "multiplier=5");
    GstSegment segment = time_segment(0, 85 * MS);

    push_segment(f, &segment);
    push(f, 0, 0);
    push(f, 50, 50 * MS);
    push(f, 100, 100 * MS);
    finish(f);
    check_times(f, (const double[]){0, 10, 20, 30, 40, 50, 60, 70, 80, -1});
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 8)), 80);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_tail_ends_at_the_stop)
{
    Fixture *f = start(__i__, "multiplier=5");
    GstSegment segment = time_segment(0, 85 * MS);

    push_segment(f, &segment);
    push(f, 0, 0);
    push(f, 50, 50 * MS);
    finish(f);
    check_times(f, (const double[]){0, 10, 20, 30, 40, 50, 60, 70, 80, -1});
    assert_times(nth_buffer(f, 8), 80 * MS, 5 * MS);
    assert_flag(nth_buffer(f, 8), GST_BUFFER_FLAG_GAP, TRUE);
    fixture_free(f);
}
GST_END_TEST

/* Every loop ends with SEGMENT_DONE and begins with the frames of its start. */
GST_START_TEST(loops_are_runs_of_their_own)
{
    Fixture *f = start(__i__, NULL);
    GstSegment segment = time_segment(0, 100 * MS);

    segment.flags = GST_SEGMENT_FLAG_SEGMENT;
    for (guint64 loop = 0; loop < 3; loop++) {
        segment.base = loop * 100 * MS;
        push_segment(f, &segment);
        push(f, 10, 0);
        push(f, 60, 50 * MS);
        ck_assert(gst_harness_push_event(
            f->harness, gst_event_new_segment_done(GST_FORMAT_TIME, 100 * (gint64)MS)));
    }
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 12);
    ck_assert_uint_eq(n_events(f, GST_EVENT_SEGMENT_DONE), 3);
    for (guint64 i = 0; i < 12; i++) {
        assert_times(nth_buffer(f, i), i % 4 * 25 * MS, 25 * MS);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_DISCONT, i % 4 == 0);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_GAP, i % 4 == 3);
    }
    ck_assert_uint_eq(counter(f, "interpolated"), 3);
    fixture_free(f);
}
GST_END_TEST

/* Behind a non-flushing seek the new segment follows the frames of the old one. */
GST_START_TEST(a_new_segment_completes_the_old_one)
{
    Fixture *f = start(__i__, NULL);
    GstSegment segment = time_segment(500 * MS, GST_CLOCK_TIME_NONE);
    const GstSegment *last;
    GstEvent *event;

    push(f, 10, 0);
    push(f, 60, 50 * MS);
    segment.base = 100 * MS;
    push_segment(f, &segment);
    push(f, 20, 500 * MS);
    push(f, 40, 550 * MS);
    finish(f);
    check_times(f, (const double[]){0, 25, 50, 75, 500, 525, 550, 575, -1});
    assert_flag(nth_buffer(f, 3), GST_BUFFER_FLAG_GAP, TRUE);
    assert_flag(nth_buffer(f, 4), GST_BUFFER_FLAG_DISCONT, TRUE);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 5)), 30);
    event = last_event(f, GST_EVENT_SEGMENT);
    gst_event_parse_segment(event, &last);
    ck_assert(gst_segment_is_equal(last, &segment));
    fixture_free(f);
}
GST_END_TEST

static const double speeds[] = {2.0, 0.5, 1.25};

GST_START_TEST(speed_leaves_timestamps_alone)
{
    Fixture *f = start(__i__ % N_MODES, NULL);
    GstSegment segment = time_segment(0, GST_CLOCK_TIME_NONE);
    const GstSegment *last;

    segment.rate = speeds[__i__ / N_MODES];
    push_segment(f, &segment);
    push_frames(f, 3, 40);
    finish(f);
    check_times(f, (const double[]){0, 25, 50, 75, 100, 125, -1});
    gst_event_parse_segment(last_event(f, GST_EVENT_SEGMENT), &last);
    ck_assert(last->rate == segment.rate);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);
    fixture_free(f);
}
GST_END_TEST

/* The frame with the lower time is the first of its pair; durations reach up to the
 * output above. */
GST_START_TEST(backwards_outputs_descend)
{
    Fixture *f = start(__i__, "multiplier=5");
    GstSegment segment = time_segment(0, 200 * MS);

    segment.rate = -1.0;
    push_segment(f, &segment);
    for (guint64 i = 4; i-- > 0;)
        push(f, (int)i * 50, i * 50 * MS);
    finish(f);
    check_times(f, (const double[]){150, 140, 130, 120, 110, 100, 90, 80, 70, 60, 50, 40,
                                    30, 20, 10, 0, -1});
    for (guint64 i = 0; i < 16; i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        ck_assert_int_eq(first_byte(&f->info, buffer), 150 - 10 * (int)i);
        ck_assert_uint_eq(GST_BUFFER_DURATION(buffer), i == 0 ? 50 * MS : 10 * MS);
        ck_assert_uint_eq(GST_BUFFER_OFFSET(buffer), i);
    }
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(key_units_are_only_passed_on)
{
    Fixture *f = start(__i__ % N_MODES, NULL);
    gboolean reverse = __i__ / N_MODES;
    GstSegment segment = time_segment(0, 2000 * MS);
    GstMemory *memories[4];

    segment.rate = reverse ? -4.0 : 4.0;
    segment.flags = GST_SEGMENT_FLAG_TRICKMODE | GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS;
    push_segment(f, &segment);
    for (guint64 i = 0; i < 4; i++) {
        guint64 place = reverse ? 3 - i : i;
        GstBuffer *buffer = flat_frame(f, (int)place, place * 400 * MS, 50 * MS);
        memories[i] = gst_buffer_peek_memory(buffer, 0);
        ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
    }
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 4);
    for (guint64 i = 0; i < 4; i++) {
        assert_times(nth_buffer(f, i), (reverse ? 3 - i : i) * 400 * MS, 50 * MS);
        ck_assert_ptr_eq(gst_buffer_peek_memory(nth_buffer(f, i), 0), memories[i]);
    }
    ck_assert_uint_eq(n_events(f, GST_EVENT_GAP), 0);
    fixture_free(f);
}
GST_END_TEST

/* After trick mode the pairs are interpolated again. */
GST_START_TEST(normal_play_goes_on_after_key_units)
{
    Fixture *f = start(__i__, NULL);
    GstSegment segment = time_segment(0, GST_CLOCK_TIME_NONE);

    segment.flags = GST_SEGMENT_FLAG_TRICKMODE | GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS;
    push_segment(f, &segment);
    push(f, 0, 0);
    push(f, 0, 400 * MS);
    segment = time_segment(1000 * MS, GST_CLOCK_TIME_NONE);
    push_segment(f, &segment);
    push(f, 10, 1000 * MS);
    push(f, 20, 1050 * MS);
    finish(f);
    check_times(f, (const double[]){0, 400, 1000, 1025, 1050, 1075, -1});
    ck_assert_uint_eq(counter(f, "interpolated"), 1);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(an_instant_rate_change_is_forwarded)
{
    Fixture *f = start(__i__, NULL);
    gdouble rate;

    push(f, 0, 0);
    ck_assert(gst_harness_push_event(
        f->harness, gst_event_new_instant_rate_change(2.0, GST_SEGMENT_FLAG_NONE)));
    wait_for_event(f, GST_EVENT_INSTANT_RATE_CHANGE);
    gst_event_parse_instant_rate_change(last_event(f, GST_EVENT_INSTANT_RATE_CHANGE),
                                        &rate, NULL);
    ck_assert(rate == 2.0);
    push(f, 50, 50 * MS);
    finish(f);
    check_times(f, (const double[]){0, 25, 50, 75, -1});
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(seeks_go_upstream)
{
    Fixture *f = start(__i__, NULL);
    GstEvent *seek = gst_event_new_seek(2.0, GST_FORMAT_TIME, GST_SEEK_FLAG_ACCURATE,
                                        GST_SEEK_TYPE_SET, 100 * (gint64)MS,
                                        GST_SEEK_TYPE_SET, 500 * (gint64)MS);
    guint32 number = gst_event_get_seqnum(seek);
    GstEvent *received = NULL;

    ck_assert(gst_harness_push_upstream_event(f->harness, seek));
    do {
        gst_clear_event(&received);
        received = gst_harness_pull_upstream_event(f->harness);
    } while (GST_EVENT_TYPE(received) != GST_EVENT_SEEK);
    ck_assert_uint_eq(gst_event_get_seqnum(received), number);
    gst_event_unref(received);
    fixture_free(f);
}
GST_END_TEST

/* The seek's number travels with the segment and with what ends it. */
GST_START_TEST(sequence_numbers_are_kept)
{
    Fixture *f = start(__i__, NULL);
    GstSegment segment = time_segment(0, GST_CLOCK_TIME_NONE);
    GstEvent *event = gst_event_new_segment(&segment);

    segment.base = 7;
    gst_event_unref(event);
    event = gst_event_new_segment(&segment);
    gst_event_set_seqnum(event, 4711);
    ck_assert(gst_harness_push_event(f->harness, event));
    push_frames(f, 2, 40);
    event = gst_event_new_eos();
    gst_event_set_seqnum(event, 4712);
    ck_assert(gst_harness_push_event(f->harness, event));
    wait_for_event(f, GST_EVENT_EOS);
    ck_assert_uint_eq(gst_event_get_seqnum(last_event(f, GST_EVENT_SEGMENT)), 4711);
    ck_assert_uint_eq(gst_event_get_seqnum(last_event(f, GST_EVENT_EOS)), 4712);
    fixture_free(f);
}
GST_END_TEST

static Suite *segments_suite(void)
{
    Suite *suite = suite_create("segments");
    TCase *tcase = tcase_create("segments");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_segment_may_start_inside_a_pair, 0, N_MODES);
    tcase_add_loop_test(tcase, a_segment_may_stop_inside_a_pair, 0, N_MODES);
    tcase_add_loop_test(tcase, a_tail_ends_at_the_stop, 0, N_MODES);
    tcase_add_loop_test(tcase, loops_are_runs_of_their_own, 0, N_MODES);
    tcase_add_loop_test(tcase, a_new_segment_completes_the_old_one, 0, N_MODES);
    tcase_add_loop_test(tcase, speed_leaves_timestamps_alone, 0,
                        N_MODES * (int)G_N_ELEMENTS(speeds));
    tcase_add_loop_test(tcase, backwards_outputs_descend, 0, N_MODES);
    tcase_add_loop_test(tcase, key_units_are_only_passed_on, 0, 2 * N_MODES);
    tcase_add_loop_test(tcase, normal_play_goes_on_after_key_units, 0, N_MODES);
    tcase_add_loop_test(tcase, an_instant_rate_change_is_forwarded, 0, N_MODES);
    tcase_add_loop_test(tcase, seeks_go_upstream, 0, N_MODES);
    tcase_add_loop_test(tcase, sequence_numbers_are_kept, 0, N_MODES);
    return suite;
}

int main(int argc, char **argv)
{
    return element_main(argc, argv, segments_suite());
}
