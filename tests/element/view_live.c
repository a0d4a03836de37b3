/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live pipelines whose model sees more than two frames: sources that stop, and sessions
 * that come late. */
#include "simulated.h"

#include "view_script.h"

#define MS GST_MSECOND
#define FRAME (50 * MS)

static Simulated *start(int in_flight, const Family *family, const char *properties)
{
    g_autofree char *all = family_properties(family, properties);
    Simulated *sim = simulated_new(in_flight, all, "20/1", NULL);

    simulated_configure_latency(sim);
    return sim;
}

/* Sends frames number @first to @last of the clock's time; those whose views wait stay
 * where they are. */
static void send(Simulated *sim, guint64 first, guint64 last)
{
    for (guint64 i = first; i <= last; i++) {
        if (gst_clock_get_time(GST_CLOCK(sim->clock)) < i * FRAME)
            gst_test_clock_set_time(sim->clock, i * FRAME);
        ck_assert_int_eq(
            gst_harness_push(sim->fixture->harness,
                             flat_frame(sim->fixture, 10 + 7 * (int)i, i * FRAME, FRAME)),
            GST_FLOW_OK);
        script_settle(sim->fixture);
    }
}

static void check_row(Fixture *f, guint n, guint first_copy, guint last_copy)
{
    ck_assert_uint_eq(n_buffers(f), n);
    for (guint i = 0; i < n; i++) {
        assert_times(nth_buffer(f, i), i * FRAME / 2, FRAME / 2);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_GAP,
                    i >= first_copy && i <= last_copy);
    }
}

/* What waits for frames that do not come is made without them, in time for the copies;
 * the frame that comes then is the partner of the last one. As with two frames, see
 * element-live. */
GST_START_TEST(what_waits_leaves_when_the_source_stops)
{
    const Family *family = &wide_families[__i__];
    Simulated *sim = start(2, family, "on-late=wait live-timeout=20000000");
    guint n_later = (guint)family->after;

    send(sim, 0, 2);
    ck_assert_uint_eq(n_buffers(sim->fixture), n_later == 0 ? 5 : n_later == 1 ? 3 : 1);
    simulated_crank(sim);
    simulated_wait_for(sim, 150 * MS);
    ck_assert_uint_eq(gst_clock_get_time(GST_CLOCK(sim->clock)), 170 * MS);
    check_row(sim->fixture, 7, 5, 6);
    /* It goes on, and stops again. */
    send(sim, 5, 8);
    simulated_crank(sim);
    simulated_wait_for(sim, 450 * MS);
    ck_assert_uint_eq(n_buffers(sim->fixture), 19);
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 2 + 3 + 3);
    simulated_free(sim);
}
GST_END_TEST

/* The last pair's picture waits for a frame, and a segment comes long after its time: by
 * the old segment it is too late, whatever its time would be in the new one. */
GST_START_TEST(what_waits_is_late_by_its_own_segment)
{
    const Family family = {0, 1};
    Simulated *sim =
        start(in_flight_mode(__i__), &family, "on-late=duplicate latency-budget=5000000");
    GstSegment segment;

    sim->cost = 5 * MS;
    send(sim, 0, 3);
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 2);
    simulated_advance(sim, GST_SECOND);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.base = 2 * GST_SECOND;
    ck_assert(
        gst_harness_push_event(sim->fixture->harness, gst_event_new_segment(&segment)));
    finish(sim->fixture);
    ck_assert_uint_eq(n_buffers(sim->fixture), 8);
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 2);
    ck_assert_uint_eq(engine_stat(sim->fixture, "late"), 1);
    simulated_free(sim);
}
GST_END_TEST

#define OWN_LATENCY(family) ((family)->after * FRAME + 30 * MS) /* with cost's budget */
#define BUDGET "latency-budget=5000000"

/* A source that stops keeps nothing back: when work on a picture has to begin, it is made
 * without the frames that have not come. A millisecond is kept for waking up, five are
 * downstream's. */
GST_START_TEST(a_picture_waits_no_longer_than_it_may)
{
    const Family *family = &wide_families[__i__];
    Simulated *sim = start(2, family, BUDGET);
    guint n_waiting = family->after == 1 ? 1 : 2;

    sim->cost = 5 * MS;
    send(sim, 0, 2);
    ck_assert_uint_eq(n_buffers(sim->fixture), 5 - 2 * n_waiting);
    for (guint i = 0; i < n_waiting; i++) {
        simulated_crank(sim);
        simulated_wait_for(sim, (2 - n_waiting + i + 1) * FRAME);
    }
    ck_assert_uint_eq(gst_clock_get_time(GST_CLOCK(sim->clock)),
                      75 * MS + OWN_LATENCY(family) + 5 * MS - sim->cost - 1 * MS);
    check_row(sim->fixture, 5, G_MAXUINT, 0);
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 2);
    ck_assert_uint_eq(engine_stat(sim->fixture, "late"), 0);
    ck_assert_uint_eq(engine_stat(sim->fixture, "edge-views"),
                      family->before > 0 || n_waiting > 1 ? 2 : 1);
    simulated_free(sim);
}
GST_END_TEST

/* A frame that is late by more than there is to spare costs its view, and nothing else:
 * it is the last one's partner. */
GST_START_TEST(a_frame_that_is_late_goes_on)
{
    const Family family = {1, 1};
    Simulated *sim = start(2, &family, BUDGET);

    sim->cost = 5 * MS;
    send(sim, 0, 2);
    simulated_crank(sim);
    simulated_wait_for(sim, 100 * MS);
    send(sim, 3, 5);
    check_row(sim->fixture, 9, G_MAXUINT, 0);
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 4);
    ck_assert_uint_eq(engine_stat(sim->fixture, "late"), 0);
    ck_assert_uint_eq(engine_stat(sim->fixture, "edge-views"), 2);
    simulated_free(sim);
}
GST_END_TEST

/* Where pictures may be late, and where there is no deadline, they wait. */
GST_START_TEST(what_may_be_late_waits)
{
    const Family family = {0, 1};
    Simulated *sim = start(2, &family, "on-late=wait " BUDGET);

    send(sim, 0, 2);
    ck_assert_uint_eq(gst_test_clock_peek_id_count(sim->clock), 0);
    simulated_advance(sim, GST_SECOND);
    send(sim, 3, 3);
    ck_assert_uint_eq(n_buffers(sim->fixture), 5);
    ck_assert_uint_eq(engine_stat(sim->fixture, "edge-views"), 0);
    simulated_free(sim);
}
GST_END_TEST

/* Clocks take what is too far away for the past: the task would wake at once, find that
 * there is time, and so on for ever. */
GST_START_TEST(no_wait_ends_in_another_century)
{
    const Family family = {0, 1};
    Simulated *sim = start(2, &family, BUDGET);
    GstClockID id = NULL;
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.base = G_MAXINT64;
    ck_assert(
        gst_harness_push_event(sim->fixture->harness, gst_event_new_segment(&segment)));
    send(sim, 0, 2);
    ck_assert(gst_test_clock_peek_next_pending_id(sim->clock, &id));
    ck_assert_uint_le(gst_clock_id_get_time(id),
                      gst_clock_get_time(GST_CLOCK(sim->clock)) + 3600 * GST_SECOND);
    gst_clock_id_unref(id);
    simulated_free(sim);
}
GST_END_TEST

/* What a flush drops is not waited for. */
GST_START_TEST(a_flush_ends_the_wait)
{
    const Family family = {0, 1};
    Simulated *sim = start(2, &family, BUDGET);
    GstHarness *harness = sim->fixture->harness;
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    send(sim, 0, 2);
    ck_assert_uint_eq(gst_test_clock_peek_id_count(sim->clock), 1);
    ck_assert(gst_harness_push_event(harness, gst_event_new_flush_start()));
    ck_assert(gst_harness_push_event(harness, gst_event_new_flush_stop(FALSE)));
    ck_assert(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
    send(sim, 3, 3);
    ck_assert_uint_eq(gst_test_clock_peek_id_count(sim->clock), 0);
    simulated_free(sim);
}
GST_END_TEST

/* Frames that came before there was a session were never compared: no view shows them but
 * the last, which is the partner of the first that was. */
GST_START_TEST(views_begin_with_the_session)
{
    const Family *family = &wide_families[__i__ / N_MODES];
    g_autofree char *properties = family_properties(family, "on-late=wait");
    Simulated *sim = simulated_open(in_flight_mode(__i__ % N_MODES), properties);
    Gate gate = {.open = FALSE};
    guint64 sent = 4, n_made, n_edges;

    simulated_gate_builds(sim, &gate);
    simulated_start(sim, "20/1", NULL);
    simulated_configure_latency(sim);
    send(sim, 0, 3);
    ck_assert_uint_eq(n_buffers(sim->fixture), 7);
    ck_assert_uint_eq(counter(sim->fixture, "duplicate"), 3);
    gate_open(&gate);
    /* Nothing tells when the build has ended: frames are sent until a picture shows
     * it. */
    while (counter(sim->fixture, "interpolated") == 0) {
        send(sim, sent, sent);
        sent++;
        ck_assert_uint_lt(sent, 100000);
        g_thread_yield();
    }
    send(sim, sent, sent + 20);
    finish(sim->fixture);
    n_made = counter(sim->fixture, "interpolated");
    n_edges = engine_stat(sim->fixture, "edge-views");
    ck_assert_uint_gt(n_made, 8);
    ck_assert_uint_eq(n_edges, (guint64)(family->before + family->after));
    simulated_free(sim);
    gate_clear(&gate);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-view_live");
    TCase *tcase = tcase_create("view_live");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, what_waits_leaves_when_the_source_stops, 0,
                        N_WIDE_FAMILIES);
    for (int i = 0; i < N_WIDE_FAMILIES; i++)
        if (wide_families[i].after > 0)
            tcase_add_loop_test(tcase, a_picture_waits_no_longer_than_it_may, i, i + 1);
    tcase_add_test(tcase, a_frame_that_is_late_goes_on);
    tcase_add_test(tcase, what_may_be_late_waits);
    tcase_add_test(tcase, no_wait_ends_in_another_century);
    tcase_add_test(tcase, a_flush_ends_the_wait);
    tcase_add_loop_test(tcase, what_waits_is_late_by_its_own_segment, 0, N_MODES);
    tcase_add_loop_test(tcase, views_begin_with_the_session, 0,
                        N_MODES * N_WIDE_FAMILIES);
    return element_main(argc, argv, suite);
}
