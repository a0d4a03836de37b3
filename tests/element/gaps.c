/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GAP events of the input: frames on both sides of one are partners where they may be,
 * and no event is left that speaks of time in which something is shown. */
#include "fixture.h"

#define MS GST_MSECOND
#define FLAGGED GST_GAP_FLAG_MISSING_DATA

/* 20 to 40 frames a second. */
static Fixture *start(int index, const char *properties, const char *out)
{
    Fixture *f = fixture_new(in_flight_mode(index), properties);
    g_autofree char *caps = video_caps("GRAY8", 16, 16, "20/1");

    fixture_set_caps(f, caps, out);
    return f;
}

static void push(Fixture *f, guint64 place)
{
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, (int)place * 20,
                                                             place * 50 * MS, 50 * MS)),
                     GST_FLOW_OK);
}

static void push_gap(Fixture *f, GstClockTime start, GstClockTime duration,
                     GstGapFlags flags)
{
    GstEvent *event = gst_event_new_gap(start, duration);

    gst_event_set_gap_flags(event, flags);
    ck_assert(gst_harness_push_event(f->harness, event));
}

static void push_tag(Fixture *f)
{
    ck_assert(gst_harness_push_event(
        f->harness, gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "x", NULL))));
}

/* What left from the first frame or GAP event on: times of frames in ms, "=" behind
 * copies, "!" before DISCONT, GAP events as "gap:time+duration", with "?" if data are
 * missing, tags as "tag". */
static void check(Fixture *f, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < f->items->len; i++) {
        Item *item = g_ptr_array_index(f->items, i);
        GstClockTime time, duration;
        GstGapFlags flags;
        if (item->buffer != NULL) {
            g_string_append_printf(
                text, " %s%g%s",
                GST_BUFFER_FLAG_IS_SET(item->buffer, GST_BUFFER_FLAG_DISCONT) ? "!" : "",
                (double)GST_BUFFER_PTS(item->buffer) / (double)MS,
                GST_BUFFER_FLAG_IS_SET(item->buffer, GST_BUFFER_FLAG_GAP) ? "=" : "");
        } else if (GST_EVENT_TYPE(item->event) == GST_EVENT_GAP) {
            gst_event_parse_gap(item->event, &time, &duration);
            gst_event_parse_gap_flags(item->event, &flags);
            g_string_append_printf(text, " gap:%g", (double)time / (double)MS);
            if (GST_CLOCK_TIME_IS_VALID(duration))
                g_string_append_printf(text, "+%g", (double)duration / (double)MS);
            g_string_append(text, flags & FLAGGED ? "?" : "");
        } else if (GST_EVENT_TYPE(item->event) == GST_EVENT_TAG) {
            g_string_append(text, " tag");
        }
    }
    ck_assert_str_eq(text->len > 0 ? text->str + 1 : "", expected);
}

/* Start and duration in ms, -1 for none; sent before the frame of 200 ms. */
static const gint64 nothings[][2] = {
    {150, 0},  {150, -1}, {0, 0},   {0, -1},   {125, 25},  {100, 10}, {0, 200},
    {150, 50}, {160, 20}, {200, 0}, {200, -1}, {180, 100}, {175, 25},
};

GST_START_TEST(events_about_nothing_change_nothing)
{
    const gint64 *times = nothings[__i__ / N_MODES];
    Fixture *f = start(__i__ % N_MODES, NULL, NULL);

    for (guint64 i = 0; i < 6; i++) {
        if (i == 4)
            push_gap(f, (GstClockTime)times[0] * MS,
                     times[1] < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime)times[1] * MS,
                     (GstGapFlags)0);
        push(f, i);
    }
    finish(f);
    check(f, "!0 25 50 75 100 125 150 175 200 225 250 275=");
    ck_assert_uint_eq(counter(f, "interpolated"), 5);
    fixture_free(f);
}
GST_END_TEST

/* As rtpjitterbuffer's do-lost has it. */
GST_START_TEST(a_missing_frame_is_interpolated_over)
{
    const char *const out[] = {NULL, "video/x-raw,framerate=40/1",
                               "video/x-raw,framerate=50/1"};
    const char *const expected[] = {
        "!0 25 50 100 150 175 200 225=",
        "!0 25 50 75 100 125 150 175 200 225=",
        "!0 20 40 60 80 100 120 140 160 180 200 220= 240=",
    };
    int which = __i__ / N_MODES;
    Fixture *f = start(__i__ % N_MODES, NULL, out[which]);

    push(f, 0);
    push(f, 1);
    push_gap(f, 100 * MS, 50 * MS, FLAGGED);
    push(f, 3);
    push(f, 4);
    finish(f);
    check(f, expected[which]);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(missing_frames_add_up_to_a_gap)
{
    Fixture *f = start(__i__, NULL, NULL);

    push(f, 0);
    for (guint64 i = 1; i <= 5; i++) {
        push_gap(f, i * 50 * MS, 50 * MS, FLAGGED);
        push_tag(f);
    }
    push(f, 6);
    finish(f);
    check(f, "!0 25= gap:50+50? tag gap:100+50? tag gap:150+50? tag gap:200+50? tag "
             "gap:250+50? tag !300 325=");
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_long_gap_ends_the_run)
{
    Fixture *f = start(__i__, NULL, NULL);

    push(f, 0);
    push(f, 1);
    push_gap(f, 100 * MS, 900 * MS, FLAGGED);
    push(f, 20);
    finish(f);
    check(f, "!0 25 50 75= gap:100+900? !1000 1025=");
    fixture_free(f);
}
GST_END_TEST

/* The frames say more than the event. */
GST_START_TEST(a_gap_that_turns_out_long_is_told_once)
{
    Fixture *f = start(__i__, NULL, NULL);

    push(f, 0);
    push_gap(f, 50 * MS, 50 * MS, FLAGGED);
    push(f, 20);
    finish(f);
    check(f, "!0 25= gap:50+950? !1000 1025=");
    fixture_free(f);
}
GST_END_TEST

/* An event that takes in time which has been shown, or that the tail shows. */
GST_START_TEST(the_time_of_the_tail_is_no_gap)
{
    Fixture *f = start(__i__, NULL, NULL);

    push(f, 0);
    push_gap(f, 0, 500 * MS, (GstGapFlags)0);
    push_gap(f, 500 * MS, 100 * MS, (GstGapFlags)0);
    finish(f);
    check(f, "!0 25= gap:50+450 gap:500+100");
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(an_event_waits_for_the_end)
{
    Fixture *f = start(__i__, NULL, NULL);

    push(f, 0);
    push_gap(f, 20 * MS, 80 * MS, (GstGapFlags)0);
    push_tag(f);
    finish(f);
    check(f, "!0 25= gap:50+50 tag");
    fixture_free(f);
}
GST_END_TEST

/* Where nothing is put between frames nothing is shown instead of those that are
 * missing. */
GST_START_TEST(a_pair_that_is_skipped_leaves_its_gap)
{
    Fixture *f = start(__i__, "multipliers=1,1,1,1", NULL);

    push(f, 0);
    push_gap(f, 50 * MS, 50 * MS, FLAGGED);
    push_tag(f);
    push(f, 2);
    finish(f);
    check(f, "!0 gap:50+50? tag 100");
    fixture_free(f);
}
GST_END_TEST

/* Sinks of streams that begin late must not wait. */
GST_START_TEST(gaps_before_the_first_frame_pass)
{
    Fixture *f = start(__i__, NULL, NULL);

    push_gap(f, 0, 100 * MS, (GstGapFlags)0);
    wait_for_event(f, GST_EVENT_GAP);
    push_gap(f, 100 * MS, GST_CLOCK_TIME_NONE, (GstGapFlags)0);
    push(f, 3);
    finish(f);
    check(f, "gap:0+100 gap:100 !150 175=");
    fixture_free(f);
}
GST_END_TEST

/* An event behind a run that has ended waits for nothing. */
GST_START_TEST(gaps_behind_a_run_pass)
{
    Fixture *f = start(__i__, NULL, NULL);

    push(f, 0);
    push_gap(f, 50 * MS, 1000 * MS, (GstGapFlags)0);
    push_gap(f, 1050 * MS, 10 * MS, (GstGapFlags)0);
    push_tag(f);
    wait_for_event(f, GST_EVENT_TAG);
    check(f, "!0 25= gap:50+1000 gap:1050+10 tag");
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_flush_forgets_what_waits)
{
    Fixture *f = start(__i__, NULL, NULL);
    GstSegment segment;

    push(f, 0);
    push_gap(f, 50 * MS, 50 * MS, (GstGapFlags)0);
    push_tag(f);
    wait_for_buffers(f, 1);
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_start()));
    fixture_clear(f); /* a tag that was still queued may leave once the flush stops */
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE)));
    gst_segment_init(&segment, GST_FORMAT_TIME);
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_segment(&segment)));
    push(f, 0);
    push(f, 1);
    finish(f);
    check(f, "tag !0 25 50 75=");
    fixture_free(f);
}
GST_END_TEST

/* Repeats that are held back: what replaces them takes their time, and the event's. */
GST_START_TEST(events_between_repeats_keep_their_place)
{
    Fixture *f = start(__i__, "duplicate-mode=replace", NULL);

    for (guint64 i = 0; i < 4; i++) {
        ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, i == 3 ? 90 : 10,
                                                                 i * 50 * MS, 50 * MS)),
                         GST_FLOW_OK);
        push_gap(f, (i + 1) * 50 * MS - 10 * MS, 10 * MS, (GstGapFlags)0);
    }
    finish(f);
    check(f, "!0 25 50 75 100 125 150 175=");
    ck_assert_uint_eq(engine_stat(f, "replaced"), 2);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-gaps");
    TCase *tcase = tcase_create("gaps");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, events_about_nothing_change_nothing, 0,
                        N_MODES * (int)G_N_ELEMENTS(nothings));
    tcase_add_loop_test(tcase, a_missing_frame_is_interpolated_over, 0, 3 * N_MODES);
    tcase_add_loop_test(tcase, missing_frames_add_up_to_a_gap, 0, N_MODES);
    tcase_add_loop_test(tcase, a_long_gap_ends_the_run, 0, N_MODES);
    tcase_add_loop_test(tcase, a_gap_that_turns_out_long_is_told_once, 0, N_MODES);
    tcase_add_loop_test(tcase, the_time_of_the_tail_is_no_gap, 0, N_MODES);
    tcase_add_loop_test(tcase, an_event_waits_for_the_end, 0, N_MODES);
    tcase_add_loop_test(tcase, a_pair_that_is_skipped_leaves_its_gap, 0, N_MODES);
    tcase_add_loop_test(tcase, gaps_before_the_first_frame_pass, 0, N_MODES);
    tcase_add_loop_test(tcase, gaps_behind_a_run_pass, 0, N_MODES);
    tcase_add_loop_test(tcase, a_flush_forgets_what_waits, 0, N_MODES);
    tcase_add_loop_test(tcase, events_between_repeats_keep_their_place, 0, N_MODES);
    return element_main(argc, argv, suite);
}
