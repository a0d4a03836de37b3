/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live pipelines: latency, in-betweens that are late, QoS, overload. All by a test
 * clock. */
#include "simulated.h"

#define MS GST_MSECOND

typedef struct {
    gboolean live;
    GstClockTime min, max;
} Latency;

static Latency upstream;

static gboolean answer_latency(GstPad *pad, GstObject *parent, GstQuery *query)
{
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
        return gst_pad_query_default(pad, parent, query);
    gst_query_set_latency(query, upstream.live, upstream.min, upstream.max);
    return TRUE;
}

static Latency ask_latency(Simulated *sim)
{
    g_autoptr(GstQuery) query = gst_query_new_latency();
    Latency answer;

    ck_assert(gst_pad_query(sim->fixture->element->srcpads->data, query));
    gst_query_parse_latency(query, &answer.live, &answer.min, &answer.max);
    return answer;
}

static Simulated *behind(Latency latency, int index, const char *properties,
                         const char *rate, const char *out)
{
    Simulated *sim = simulated_new(in_flight_mode(index), properties, rate, out);

    upstream = latency;
    gst_pad_set_query_function(sim->fixture->harness->srcpad, answer_latency);
    return sim;
}

/* D(N-1)/N + budget; from a budget of D/N on D/N + (N-1) budget; on a grid D + budget. */
GST_START_TEST(latency_follows_rate_multiplier_and_mode)
{
    static const struct {
        const char *properties, *rate, *out;
        GstClockTime own, frame;
    } table[] = {
        {"latency-budget=5000000", "25/1", NULL, 25 * MS, 40 * MS},
        {"latency-budget=5000000 multiplier=5", "20/1", NULL, 45 * MS, 50 * MS},
        {"latency-budget=12000000 multiplier=5", "20/1", NULL, 58 * MS, 50 * MS},
        {"latency-budget=5000000", "20/1", "30/1", 55 * MS, 50 * MS},
        {"latency-budget=5000000", "0/1", NULL, 25 * MS, 40 * MS},
        {"latency-budget=5000000 multiplier=1", "25/1", NULL, 0, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        GstClockTime queue = __i__ == 0 ? 0 : 2 * table[i].frame;
        Simulated *sim = behind((Latency){TRUE, 7 * MS, GST_CLOCK_TIME_NONE}, __i__,
                                table[i].properties, table[i].rate, table[i].out);
        Latency answer = ask_latency(sim);
        ck_assert(answer.live);
        ck_assert_uint_eq(answer.min, 7 * MS + table[i].own);
        ck_assert_uint_eq(answer.max, GST_CLOCK_TIME_NONE);
        upstream.max = 100 * MS;
        answer = ask_latency(sim);
        ck_assert_uint_eq(answer.max, 100 * MS + table[i].own + queue);
        upstream = (Latency){FALSE, 0, GST_CLOCK_TIME_NONE};
        answer = ask_latency(sim);
        ck_assert(!answer.live);
        ck_assert_uint_eq(answer.min, 0);
        ck_assert_uint_eq(answer.max, GST_CLOCK_TIME_NONE);
        simulated_free(sim);
    }
}
GST_END_TEST

/* Until a cost is known, an in-between may take an output interval; slack is 4 ms. */
GST_START_TEST(measured_cost_becomes_latency)
{
    Simulated *sim = simulated_new(in_flight_mode(__i__), NULL, "20/1", NULL);

    ck_assert_uint_eq(simulated_configure_latency(sim), 54 * MS);
    simulated_messages(sim, GST_MESSAGE_LATENCY);
    sim->cost = 5 * MS;
    simulated_send(sim, 60);
    ck_assert_uint_eq(ask_latency(sim).min, 34 * MS);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    /* Less than a fifth more is no reason for a message. */
    sim->cost = 7 * MS;
    simulated_send(sim, 60);
    ck_assert_uint_eq(ask_latency(sim).min, 34 * MS);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 0);
    sim->cost = 20 * MS;
    simulated_send(sim, 60);
    ck_assert_uint_eq(ask_latency(sim).min, 49 * MS);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    simulated_free(sim);
}
GST_END_TEST

GST_START_TEST(settings_that_change_the_latency_post_a_message)
{
    Simulated *sim =
        simulated_new(in_flight_mode(__i__), "latency-budget=5000000", "20/1", NULL);

    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    simulated_configure_latency(sim);
    simulated_send(sim, 30);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 0);
    g_object_set(sim->fixture->element, "multiplier", 5, NULL);
    simulated_send(sim, 1);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    ck_assert_uint_eq(ask_latency(sim).min, 45 * MS);
    g_object_set(sim->fixture->element, "latency-budget", (guint64)(6 * MS), NULL);
    simulated_send(sim, 1);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    ck_assert_uint_eq(ask_latency(sim).min, 46 * MS);
    simulated_send(sim, 30);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 0);
    simulated_free(sim);
}
GST_END_TEST

/* Variable rate: 40 ms are assumed, and 100 ms measured. */
GST_START_TEST(measured_frame_interval_becomes_latency)
{
    Simulated *sim =
        simulated_new(in_flight_mode(__i__), "latency-budget=5000000", "0/1", NULL);

    ck_assert_uint_eq(simulated_configure_latency(sim), 25 * MS);
    simulated_messages(sim, GST_MESSAGE_LATENCY);
    sim->frame = 100 * MS;
    simulated_send(sim, 30);
    ck_assert_uint_eq(ask_latency(sim).min, 55 * MS);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    simulated_free(sim);
}
GST_END_TEST

/* A frame that comes at another time than the caps say puts outputs on a grid, where one
 * may be wanted right after a frame. Once is enough to reckon with it. */
GST_START_TEST(odd_times_become_latency)
{
    Simulated *sim =
        simulated_new(in_flight_mode(__i__), "latency-budget=5000000", "20/1", "40/1");

    ck_assert_uint_eq(simulated_configure_latency(sim), 30 * MS);
    simulated_messages(sim, GST_MESSAGE_LATENCY);
    simulated_send(sim, 10);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 0);
    ck_assert_int_eq(gst_harness_push(sim->fixture->harness,
                                      flat_frame(sim->fixture, 90, 510 * MS, 50 * MS)),
                     GST_FLOW_OK);
    simulated_wait_for(sim, 500 * MS);
    ck_assert_uint_eq(ask_latency(sim).min, 55 * MS);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    sim->sent = 20;
    simulated_send(sim, 40);
    ck_assert_uint_eq(ask_latency(sim).min, 55 * MS);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 0);
    simulated_free(sim);
}
GST_END_TEST

/* How many buffers between originals there are, and of them copies. */
static void count_between(Simulated *sim, guint *n, guint *copies)
{
    *n = *copies = 0;
    for (guint i = 0; i < n_buffers(sim->fixture); i++) {
        GstBuffer *buffer = nth_buffer(sim->fixture, i);
        if (GST_BUFFER_PTS(buffer) % sim->frame == 0)
            continue;
        ++*n;
        if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP))
            continue;
        ++*copies;
        ck_assert_int_eq(first_byte(&sim->fixture->info, buffer),
                         10 + (int)(GST_BUFFER_PTS(buffer) / sim->frame % 200));
    }
}

/* A cost of 1.2 frame intervals can never be met. */
static Simulated *overloaded(int index, const char *properties)
{
    Simulated *sim = simulated_new(in_flight_mode(index), properties, "20/1", NULL);

    simulated_configure_latency(sim);
    sim->cost = 60 * MS;
    simulated_send(sim, 100);
    simulated_assert_originals(sim);
    return sim;
}

GST_START_TEST(late_in_betweens_become_copies)
{
    const char *properties[] = {NULL, "on-late=duplicate"};
    guint between, copies;

    for (size_t i = 0; i < G_N_ELEMENTS(properties); i++) {
        Simulated *sim = overloaded(__i__, properties[i]);
        count_between(sim, &between, &copies);
        ck_assert_uint_eq(between, 99);
        ck_assert_uint_eq(copies, 99 - sim->jobs);
        ck_assert_uint_ge(copies, 80);
        ck_assert_uint_eq(counter(sim->fixture, "duplicate"), copies);
        ck_assert_uint_eq(engine_stat(sim->fixture, "late"), copies);
        simulated_free(sim);
    }
}
GST_END_TEST

GST_START_TEST(late_in_betweens_are_skipped)
{
    Simulated *sim = overloaded(__i__, "on-late=skip");
    guint between, copies;

    count_between(sim, &between, &copies);
    ck_assert_uint_eq(copies, 0);
    ck_assert_uint_eq(between, sim->jobs);
    ck_assert_uint_le(between, 20);
    simulated_free(sim);
}
GST_END_TEST

GST_START_TEST(late_in_betweens_are_waited_for)
{
    Simulated *sim = overloaded(__i__, "on-late=wait");
    guint between, copies;

    count_between(sim, &between, &copies);
    ck_assert_uint_eq(between, 99);
    ck_assert_uint_eq(copies, 0);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_QOS), 0);
    ck_assert_uint_ge(sim->lag, 98 * 10 * MS);
    simulated_free(sim);
}
GST_END_TEST

/* Without a live source nothing is late by itself. */
GST_START_TEST(a_file_is_waited_for)
{
    Simulated *sim =
        behind((Latency){FALSE, 0, GST_CLOCK_TIME_NONE}, __i__, NULL, "20/1", NULL);
    guint between, copies;

    simulated_configure_latency(sim);
    sim->cost = 60 * MS;
    simulated_send(sim, 20);
    count_between(sim, &between, &copies);
    ck_assert_uint_eq(between, 19);
    ck_assert_uint_eq(copies, 0);
    simulated_free(sim);
}
GST_END_TEST

static void assert_rung(Simulated *sim, const char *expected)
{
    g_autofree char *rung = simulated_rung(sim);

    ck_assert_str_eq(rung, expected);
}

/* A sink says that the last in-between came 1 ms too late. */
static void complain(Simulated *sim)
{
    simulated_qos(sim, GST_QOS_TYPE_UNDERFLOW, (GstClockTimeDiff)MS,
                  sim->sent * sim->frame - 3 * sim->frame / 2);
}

/* An in-between takes @cost of the 50 ms that there are. */
static Simulated *with_cost(int index, const char *properties, GstClockTime cost)
{
    Simulated *sim = simulated_new(in_flight_mode(index), properties, "20/1", NULL);

    simulated_configure_latency(sim);
    sim->cost = cost;
    simulated_send(sim, 10);
    assert_rung(sim, "full");
    simulated_messages(sim, GST_MESSAGE_QOS);
    return sim;
}

static Simulated *with_time_to_spare(int index, const char *properties)
{
    return with_cost(index, properties, 2 * MS);
}

static guint upstream_events(Simulated *sim, GstEventType type)
{
    GstEvent *event;
    guint n = 0;

    while ((event = gst_harness_try_pull_upstream_event(sim->fixture->harness)) != NULL) {
        n += GST_EVENT_TYPE(event) == type;
        gst_event_unref(event);
    }
    return n;
}

/* A sink that says so of every fourth frame. */
static void complain_until(Simulated *sim, const char *rung)
{
    for (int i = 0; i < 10; i++) {
        g_autofree char *now = NULL;
        complain(sim);
        now = simulated_rung(sim);
        simulated_send(sim, 4);
        if (strcmp(now, rung) == 0)
            return;
    }
    ck_abort_msg("%s was not reached", rung);
}

static void send_until_rung(Simulated *sim, const char *rung, guint most)
{
    g_autofree char *now = simulated_rung(sim);

    for (guint i = 0; i < most && strcmp(now, rung) != 0; i++) {
        simulated_send(sim, 1);
        g_free(now);
        now = simulated_rung(sim);
    }
    ck_assert_str_eq(now, rung);
}

/* One complaint is forgiven, for the work can be kept up; but it is much. */
GST_START_TEST(qos_events_walk_the_ladder)
{
    Simulated *sim = with_cost(__i__, NULL, 28 * MS);

    complain(sim);
    assert_rung(sim, "full");
    simulated_send(sim, 4);
    complain_until(sim, "half");
    complain_until(sim, "duplicates");
    ck_assert_uint_eq(upstream_events(sim, GST_EVENT_QOS), 0);
    send_until_rung(sim, "full", 20);
    simulated_assert_originals(sim);
    simulated_free(sim);
}
GST_END_TEST

/* Copies in place of what takes little would help nobody: all of it goes on. */
GST_START_TEST(little_work_is_not_what_a_sink_complains_about)
{
    Simulated *sim = with_time_to_spare(__i__, NULL);

    for (guint i = 0; i < 20; i++) {
        complain(sim);
        simulated_send(sim, 4);
        assert_rung(sim, "full");
    }
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 10 + 4 * 20 - 1);
    ck_assert_uint_eq(upstream_events(sim, GST_EVENT_QOS), 0);
    simulated_free(sim);
}
GST_END_TEST

GST_START_TEST(qos_events_go_on_from_the_last_rung_only)
{
    Simulated *sim = with_time_to_spare(__i__, "on-late=skip");

    complain_until(sim, "half");
    ck_assert_uint_eq(upstream_events(sim, GST_EVENT_QOS), 0);
    complain_until(sim, "none");
    ck_assert_uint_eq(upstream_events(sim, GST_EVENT_QOS), 1);
    complain(sim);
    ck_assert_uint_eq(upstream_events(sim, GST_EVENT_QOS), 1);
    simulated_free(sim);
}
GST_END_TEST

GST_START_TEST(without_qos_events_only_pass)
{
    Simulated *sim = with_time_to_spare(__i__, "qos=false");

    upstream_events(sim, GST_EVENT_QOS);
    complain(sim);
    assert_rung(sim, "full");
    ck_assert_uint_eq(upstream_events(sim, GST_EVENT_QOS), 1);
    simulated_free(sim);
}
GST_END_TEST

/* Frames 10 to 13 begin pairs inside 500 … 700 ms. */
GST_START_TEST(throttling_makes_no_in_betweens)
{
    Simulated *sim = with_time_to_spare(__i__, NULL);
    guint between, copies;

    simulated_qos(sim, GST_QOS_TYPE_THROTTLE, (GstClockTimeDiff)(200 * MS), 500 * MS);
    simulated_send(sim, 10);
    count_between(sim, &between, &copies);
    ck_assert_uint_eq(between, 19 - 4);
    ck_assert_uint_eq(copies, 0);
    ck_assert_uint_eq(sim->jobs, 15);
    assert_rung(sim, "full");
    simulated_assert_originals(sim);
    simulated_free(sim);
}
GST_END_TEST

GST_START_TEST(qos_messages_say_why_and_are_few)
{
    Simulated *sim = simulated_new(in_flight_mode(__i__), NULL, "20/1", NULL);
    guint n = 0, changes = 0;
    gint last = 1000000;
    GstMessage *message;

    simulated_configure_latency(sim);
    sim->cost = 60 * MS;
    simulated_send(sim, 400);
    while ((message = gst_bus_pop_filtered(sim->fixture->bus, GST_MESSAGE_QOS)) != NULL) {
        guint64 processed, dropped;
        gint64 jitter;
        GstFormat format;
        gdouble proportion;
        gint quality;
        gst_message_parse_qos_values(message, &jitter, &proportion, &quality);
        gst_message_parse_qos_stats(message, &format, &processed, &dropped);
        ck_assert_int_eq(format, GST_FORMAT_BUFFERS);
        ck_assert_int_gt(jitter, 0);
        ck_assert_uint_ge(processed, 1);
        changes += quality != last;
        last = quality;
        n++;
        gst_message_unref(message);
    }
    ck_assert_uint_ge(changes, 2);
    ck_assert_uint_le(n, changes + 20); /* 20 s */
    ck_assert_uint_ge(n, 10);
    simulated_free(sim);
}
GST_END_TEST

/* 60 s of 30 -> 120 at costs above the output interval of 8.3 ms: of all costs the first
 * can be met by every second in-between, the last by none. */
GST_START_TEST(overload_has_a_bounded_backlog)
{
    const GstClockTime costs[] = {10 * MS, 20 * MS, 50 * MS, 200 * MS};
    Simulated *sim =
        simulated_new(in_flight_mode(__i__ % 2), "multiplier=4", "30/1", NULL);

    simulated_configure_latency(sim);
    sim->cost = costs[__i__ / 2];
    simulated_send(sim, 600);
    /* Only the first pairs, when the cost is not known, take their time. */
    ck_assert_uint_le(sim->worst_lag, 3 * sim->cost + sim->frame);
    sim->worst_lag = 0;
    simulated_send(sim, 1200);
    ck_assert_uint_le(sim->worst_lag, 2 * sim->cost);
    simulated_assert_originals(sim);
    ck_assert_uint_eq(n_buffers(sim->fixture), 4 * 1799 + 1);
    simulated_free(sim);
}
GST_END_TEST

GST_START_TEST(it_recovers_when_the_load_goes)
{
    Simulated *sim = overloaded(__i__, NULL);

    assert_rung(sim, "duplicates");
    sim->cost = 2 * MS;
    simulated_send(sim, 1000);
    assert_rung(sim, "full");
    ck_assert_uint_eq(sim->lag, 0);
    simulated_free(sim);
}
GST_END_TEST

/* 20 -> 40 frames a second; the frame of 150 ms stays away. */
GST_START_TEST(copies_stand_in_for_a_source_that_stops)
{
    Simulated *sim = simulated_new(2, "live-timeout=20000000", "20/1", NULL);

    simulated_configure_latency(sim);
    simulated_send(sim, 3);
    simulated_crank(sim);
    ck_assert_uint_eq(gst_clock_get_time(GST_CLOCK(sim->clock)), 170 * MS);
    simulated_wait_for(sim, 150 * MS);
    simulated_crank(sim);
    simulated_wait_for(sim, 175 * MS);
    ck_assert_uint_eq(gst_clock_get_time(GST_CLOCK(sim->clock)), 195 * MS);
    simulated_crank(sim);
    simulated_wait_for(sim, 200 * MS);
    /* It goes on with the frame of 250 ms. */
    sim->sent = 5;
    simulated_send(sim, 3);
    ck_assert_uint_eq(n_buffers(sim->fixture), 15);
    for (guint i = 0; i < 15; i++) {
        assert_times(nth_buffer(sim->fixture, i), i * 25 * MS, 25 * MS);
        assert_flag(nth_buffer(sim->fixture, i), GST_BUFFER_FLAG_GAP, i >= 5 && i <= 8);
    }
    simulated_free(sim);
}
GST_END_TEST

/* The same for a second: copies fill the time up to the frame, which begins a run. */
GST_START_TEST(copies_reach_the_frame_that_begins_a_run)
{
    Simulated *sim = simulated_new(2, "live-timeout=100000000", "20/1", NULL);

    simulated_configure_latency(sim);
    simulated_send(sim, 3);
    for (guint64 pts = 150; pts <= 875; pts += 25) {
        simulated_crank(sim);
        simulated_wait_for(sim, pts * MS);
    }
    ck_assert_uint_eq(gst_clock_get_time(GST_CLOCK(sim->clock)), 975 * MS);
    sim->sent = 20;
    simulated_send(sim, 3);
    ck_assert_uint_eq(n_events(sim->fixture, GST_EVENT_GAP), 0);
    ck_assert_uint_eq(n_buffers(sim->fixture), 45);
    for (guint i = 0; i < 45; i++) {
        assert_times(nth_buffer(sim->fixture, i), i * 25 * MS, 25 * MS);
        assert_flag(nth_buffer(sim->fixture, i), GST_BUFFER_FLAG_GAP, i >= 5 && i < 40);
        assert_flag(nth_buffer(sim->fixture, i), GST_BUFFER_FLAG_DISCONT,
                    i == 0 || i == 40);
    }
    simulated_free(sim);
}
GST_END_TEST

/* Time that passes without the clock, as where a source skips some: a GAP event about
 * what copies have not been shown for. */
GST_START_TEST(a_gap_event_begins_behind_the_copies)
{
    Simulated *sim = simulated_new(2, "live-timeout=100000000", "20/1", NULL);
    GstClockTime pts, duration;

    simulated_configure_latency(sim);
    simulated_send(sim, 3);
    simulated_crank(sim);
    simulated_wait_for(sim, 150 * MS);
    simulated_crank(sim);
    simulated_wait_for(sim, 175 * MS);
    ck_assert_int_eq(gst_harness_push(sim->fixture->harness,
                                      flat_frame(sim->fixture, 90, 2000 * MS, 50 * MS)),
                     GST_FLOW_OK);
    simulated_wait_for(sim, 2000 * MS);
    ck_assert_uint_eq(n_events(sim->fixture, GST_EVENT_GAP), 1);
    gst_event_parse_gap(last_event(sim->fixture, GST_EVENT_GAP), &pts, &duration);
    ck_assert_uint_eq(pts, 200 * MS);
    ck_assert_uint_eq(duration, 1800 * MS);
    ck_assert_uint_eq(n_buffers(sim->fixture), 9);
    simulated_free(sim);
}
GST_END_TEST

/* A frame whose time copies have taken is a partner, but not shown. */
GST_START_TEST(a_frame_that_comes_too_late_is_a_partner)
{
    Simulated *sim = simulated_new(2, "live-timeout=20000000", "20/1", NULL);

    simulated_configure_latency(sim);
    simulated_send(sim, 1);
    simulated_crank(sim);
    simulated_wait_for(sim, 50 * MS);
    ck_assert_int_eq(gst_harness_push(sim->fixture->harness,
                                      flat_frame(sim->fixture, 90, 50 * MS, 50 * MS)),
                     GST_FLOW_OK);
    ck_assert_int_eq(gst_harness_push(sim->fixture->harness,
                                      flat_frame(sim->fixture, 190, 100 * MS, 50 * MS)),
                     GST_FLOW_OK);
    simulated_wait_for(sim, 100 * MS);
    ck_assert_uint_eq(n_buffers(sim->fixture), 5);
    ck_assert_int_eq(first_byte(&sim->fixture->info, nth_buffer(sim->fixture, 3)), 140);
    ck_assert_uint_eq(counter(sim->fixture, "drop"), 2);
    simulated_free(sim);
}
GST_END_TEST

GST_START_TEST(a_wait_for_frames_ends_with_the_stream)
{
    Simulated *sim = simulated_new(2, "live-timeout=20000000", "20/1", NULL);

    simulated_configure_latency(sim);
    simulated_send(sim, 2);
    finish(sim->fixture);
    ck_assert_uint_eq(gst_test_clock_peek_id_count(sim->clock), 0);
    ck_assert_uint_eq(n_buffers(sim->fixture), 4);
    simulated_free(sim);
}
GST_END_TEST

static Simulated *with_slow_build(int index, const char *properties, Gate *gate)
{
    Simulated *sim = simulated_open(in_flight_mode(index), properties);

    simulated_gate_builds(sim, gate);
    simulated_start(sim, "20/1", NULL);
    simulated_configure_latency(sim);
    return sim;
}

/* Nothing tells when the build has ended: frames are sent until something shows it. */
static void send_until(Simulated *sim, GstMessageType type)
{
    for (int i = 0; i < 100000; i++) {
        simulated_send(sim, 1);
        if (gst_bus_have_pending(sim->fixture->bus) && simulated_messages(sim, type) > 0)
            return;
        g_thread_yield();
    }
    ck_abort_msg("no message came");
}

static GstProgressType progress(Simulated *sim)
{
    GstProgressType type = GST_PROGRESS_TYPE_CONTINUE;
    g_autoptr(GstMessage) message =
        gst_bus_pop_filtered(sim->fixture->bus, GST_MESSAGE_PROGRESS);

    ck_assert(message != NULL);
    gst_message_parse_progress(message, &type, NULL, NULL);
    return type;
}

GST_START_TEST(copies_are_shown_until_the_model_is_ready)
{
    Gate gate = {0};
    Simulated *sim = with_slow_build(__i__, NULL, &gate);

    ck_assert_int_eq(progress(sim), GST_PROGRESS_TYPE_START);
    simulated_send(sim, 10);
    ck_assert_uint_eq(counter(sim->fixture, "duplicate"), 9);
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 0);
    gate_open(&gate);
    send_until(sim, GST_MESSAGE_PROGRESS);
    fixture_clear(sim->fixture);
    simulated_send(sim, 10);
    ck_assert_uint_ge(counter(sim->fixture, "interpolated"), 10);
    for (guint i = 0; i < n_buffers(sim->fixture); i++)
        assert_flag(nth_buffer(sim->fixture, i), GST_BUFFER_FLAG_GAP, FALSE);
    simulated_free(sim);
    gate_clear(&gate);
}
GST_END_TEST

GST_START_TEST(a_build_aside_can_fail)
{
    Gate gate = {.fails = TRUE};
    Simulated *sim = with_slow_build(__i__, "on-error=duplicate", &gate);

    simulated_send(sim, 2);
    gate_open(&gate);
    send_until(sim, GST_MESSAGE_WARNING);
    simulated_send(sim, 10);
    simulated_assert_originals(sim);
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 0);
    simulated_free(sim);
    gate_clear(&gate);
}
GST_END_TEST

GST_START_TEST(a_build_aside_ends_with_the_element)
{
    Gate gate = {.open = TRUE};
    Simulated *sim = with_slow_build(__i__, NULL, &gate);

    simulated_free(sim);
    gate_clear(&gate);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-live");
    TCase *tcase = tcase_create("live");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, latency_follows_rate_multiplier_and_mode, 0, N_MODES);
    tcase_add_loop_test(tcase, measured_cost_becomes_latency, 0, N_MODES);
    tcase_add_loop_test(tcase, settings_that_change_the_latency_post_a_message, 0,
                        N_MODES);
    tcase_add_loop_test(tcase, measured_frame_interval_becomes_latency, 0, N_MODES);
    tcase_add_loop_test(tcase, odd_times_become_latency, 0, N_MODES);
    tcase_add_loop_test(tcase, late_in_betweens_become_copies, 0, N_MODES);
    tcase_add_loop_test(tcase, late_in_betweens_are_skipped, 0, N_MODES);
    tcase_add_loop_test(tcase, late_in_betweens_are_waited_for, 0, N_MODES);
    tcase_add_loop_test(tcase, a_file_is_waited_for, 0, N_MODES);
    tcase_add_loop_test(tcase, qos_events_walk_the_ladder, 0, N_MODES);
    tcase_add_loop_test(tcase, little_work_is_not_what_a_sink_complains_about, 0,
                        N_MODES);
    tcase_add_loop_test(tcase, qos_events_go_on_from_the_last_rung_only, 0, N_MODES);
    tcase_add_loop_test(tcase, without_qos_events_only_pass, 0, N_MODES);
    tcase_add_loop_test(tcase, throttling_makes_no_in_betweens, 0, N_MODES);
    tcase_add_loop_test(tcase, qos_messages_say_why_and_are_few, 0, N_MODES);
    tcase_add_loop_test(tcase, overload_has_a_bounded_backlog, 0, 4 * N_MODES);
    tcase_add_loop_test(tcase, it_recovers_when_the_load_goes, 0, N_MODES);
    tcase_add_test(tcase, copies_stand_in_for_a_source_that_stops);
    tcase_add_test(tcase, copies_reach_the_frame_that_begins_a_run);
    tcase_add_test(tcase, a_gap_event_begins_behind_the_copies);
    tcase_add_test(tcase, a_frame_that_comes_too_late_is_a_partner);
    tcase_add_test(tcase, a_wait_for_frames_ends_with_the_stream);
    tcase_add_loop_test(tcase, copies_are_shown_until_the_model_is_ready, 0, N_MODES);
    tcase_add_loop_test(tcase, a_build_aside_can_fail, 0, N_MODES);
    tcase_add_loop_test(tcase, a_build_aside_ends_with_the_element, 0, N_MODES);
    return element_main(argc, argv, suite);
}
