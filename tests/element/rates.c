/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rates that are no multiple of the input's: where outputs lie, what they show, that
 * nothing drifts, and rates that change while frames flow. */
#include "fixture.h"

#define MS GST_MSECOND

/* Blend of two flat frames is known: rounded to nearest of a + (b - a) * phase, the
 * weight rounded to 1/65536. */
static int blended(int a, int b, double phase)
{
    int weight = (int)(phase * 65536.0 + 0.5);

    return (a * (65536 - weight) + b * weight + 32768) >> 16;
}

/* 24 to 60: the phases 0, 0.4, 0.8, 0.2, 0.6 repeat; every second input has an output of
 * its own, which is the very same memory. */
GST_START_TEST(phases_of_24_to_60)
{
    const double phases[] = {0, 0.4, 0.8, 0.2, 0.6};
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, "24/1");
    GstMemory *memories[9];

    fixture_set_caps(f, caps, "video/x-raw,framerate=60/1");
    for (guint64 i = 0; i < 9; i++) {
        GstClockTime pts = gst_util_uint64_scale(i, GST_SECOND, 24);
        GstClockTime end = gst_util_uint64_scale(i + 1, GST_SECOND, 24);
        GstBuffer *buffer = flat_frame(f, (int)i * 25, pts, end - pts);
        memories[i] = gst_buffer_peek_memory(buffer, 0);
        ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
    }
    finish(f);
    /* 9 / 24 s are 22.5 slots; the last copy lasts until the end. */
    ck_assert_uint_eq(n_buffers(f), 23);
    for (guint64 i = 0; i <= 20; i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        GstClockTime pts = gst_util_uint64_scale(i, GST_SECOND, 60);
        guint64 frame = i * 2 / 5;
        int a = (int)frame * 25;
        assert_times(buffer, pts, gst_util_uint64_scale(i + 1, GST_SECOND, 60) - pts);
        ck_assert_int_eq(first_byte(&f->info, buffer), blended(a, a + 25, phases[i % 5]));
        if (i % 5 == 0)
            ck_assert_ptr_eq(gst_buffer_peek_memory(buffer, 0), memories[frame]);
        assert_flag(buffer, GST_BUFFER_FLAG_GAP, FALSE);
    }
    ck_assert_uint_eq(counter(f, "interpolated"), 16);
    ck_assert_uint_eq(counter(f, "duplicate"), 2);
    ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, 22)) +
                          GST_BUFFER_DURATION(nth_buffer(f, 22)),
                      375 * MS);
    fixture_free(f);
}
GST_END_TEST

/* Matroska rounds times to milliseconds: originals still take the slots that they are
 * near to, and the slots stay exact. */
GST_START_TEST(rounded_times_snap)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, "24000/1001");

    fixture_set_caps(f, caps, "video/x-raw,framerate=60000/1001");
    for (guint64 i = 0; i < 41; i++) {
        GstClockTime pts = gst_util_uint64_scale_round(i, 1001 * 1000, 24000) * MS;
        ck_assert_int_eq(
            gst_harness_push(f->harness, flat_frame(f, (int)i, pts, GST_CLOCK_TIME_NONE)),
            GST_FLOW_OK);
    }
    finish(f);
    for (guint64 i = 0; i <= 100; i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        ck_assert_uint_eq(GST_BUFFER_PTS(buffer),
                          gst_util_uint64_scale(i, 1001 * GST_SECOND, 60000));
        if (i % 5 == 0)
            ck_assert_int_eq(first_byte(&f->info, buffer), (int)(i * 2 / 5));
    }
    /* Slots 0, 5, … 100 are originals. */
    ck_assert_uint_eq(counter(f, "interpolated"), 80);
    fixture_free(f);
}
GST_END_TEST

/* Frames at 0, 10, 60, 80 ms on the grid of 50 fps. */
GST_START_TEST(variable_rate_becomes_constant)
{
    const guint64 times[] = {0, 10, 60, 80};
    const int values[] = {0, 70, 150, 200, 250};
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, "0/1");

    fixture_set_caps(f, caps, "video/x-raw,framerate=50/1");
    for (guint i = 0; i < 4; i++) {
        const int frames[] = {0, 50, 150 + 50, 250};
        ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, frames[i],
                                                                 times[i] * MS, 20 * MS)),
                         GST_FLOW_OK);
    }
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 5);
    for (guint64 i = 0; i < 5; i++)
        assert_times(nth_buffer(f, i), i * 20 * MS, 20 * MS);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 0)), values[0]);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 1)), blended(50, 200, 0.2));
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 2)), blended(50, 200, 0.6));
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 3)), values[3]);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 4)), values[4]);
    fixture_free(f);
}
GST_END_TEST

/* 45 frames a second, then 15, from a container that says 30: where 60 are asked for they
 * come, and where nothing is, times are left alone. */
GST_START_TEST(a_multiple_is_kept_for_variable_times)
{
    const gboolean fixed = __i__ / N_MODES == 0;
    Fixture *f = fixture_new(in_flight_mode(__i__ % N_MODES), NULL);
    g_autofree char *caps = video_caps("GRAY8", 8, 8, "30/1");
    guint halves[2] = {0, 0};

    fixture_set_caps(f, caps, fixed ? "video/x-raw,framerate=60/1" : NULL);
    for (guint64 i = 0; i < 60; i++) {
        GstClockTime pts = i < 45 ? gst_util_uint64_scale(i, GST_SECOND, 45)
                                  : gst_util_uint64_scale(i - 30, GST_SECOND, 15);
        GstClockTime duration = GST_SECOND / (i < 45 ? 45 : 15);
        ck_assert_int_eq(
            gst_harness_push(f->harness, flat_frame(f, (int)i * 4, pts, duration)),
            GST_FLOW_OK);
    }
    finish(f);
    for (guint64 i = 0; i < n_buffers(f); i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        halves[GST_BUFFER_PTS(buffer) < 999 * MS ? 0 : 1]++;
        if (fixed)
            ck_assert_uint_eq(GST_BUFFER_PTS(buffer),
                              gst_util_uint64_scale(i, GST_SECOND, 60));
    }
    ck_assert_uint_eq(halves[0], fixed ? 60 : 90);
    ck_assert_uint_eq(halves[1], fixed ? 60 : 30);
    fixture_free(f);
}
GST_END_TEST

/* Downstream asks for the rate again while frames flow, which changes nothing. */
GST_START_TEST(a_multiple_is_kept_through_negotiation)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("GRAY8", 8, 8, "25/1");
    const guint64 times[] = {0, 40, 90, 125, 170, 200};

    fixture_set_caps(f, caps, "video/x-raw,framerate=50/1");
    for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
        ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, (int)i, times[i] * MS,
                                                                 GST_CLOCK_TIME_NONE)),
                         GST_FLOW_OK);
        gst_harness_push_upstream_event(f->harness, gst_event_new_reconfigure());
    }
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 12);
    for (guint64 i = 0; i < 12; i++)
        assert_times(nth_buffer(f, i), i * 20 * MS, 20 * MS);
    fixture_free(f);
}
GST_END_TEST

/* What an hour of outputs must be, one by one. */
typedef struct {
    GMutex lock;
    guint64 n;
    GstClockTime end;
    gboolean exact;
} Hour;

static GstPadProbeReturn count_slot(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    Hour *hour = data;

    (void)pad;
    g_mutex_lock(&hour->lock);
    if (GST_BUFFER_PTS(buffer) != hour->end ||
        GST_BUFFER_PTS(buffer) !=
            gst_util_uint64_scale(hour->n, 1001 * GST_SECOND, 60000))
        hour->exact = FALSE;
    hour->n++;
    hour->end += GST_BUFFER_DURATION(buffer);
    g_mutex_unlock(&hour->lock);
    return GST_PAD_PROBE_DROP;
}

/* An hour of film at 24000/1001 ends where it should: 5 outputs for 2 inputs, every one
 * at its exact time, all durations together the span. Frames keep one picture, so that
 * nothing but time is computed. */
GST_START_TEST(an_hour_does_not_drift)
{
    const guint64 n_in = 86314;
    GstElement *element = gst_element_factory_make("vfiinterp", NULL);
    Hour hour = {.exact = TRUE};
    g_autoptr(GstPad) pad = NULL;
    GstHarness *harness;
    GstBuffer *picture = gst_buffer_new_allocate(NULL, 256, NULL);

    g_mutex_init(&hour.lock);
    gst_object_ref_sink(element);
    gst_buffer_memset(picture, 0, 128, 256);
    g_object_set(element, "model", "blend", "max-in-flight", in_flight_mode(__i__), NULL);
    pad = gst_element_get_static_pad(element, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count_slot, &hour, NULL);
    harness = gst_harness_new_with_element(element, "sink", "src");
    gst_harness_set_sink_caps_str(harness, "video/x-raw,framerate=60000/1001");
    gst_harness_set_src_caps_str(harness, "video/x-raw,format=GRAY8,width=16,height=16,"
                                          "framerate=24000/1001");
    for (guint64 i = 0; i < n_in; i++) {
        GstBuffer *buffer = gst_buffer_copy(picture);
        GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(i, 1001 * GST_SECOND, 24000);
        GST_BUFFER_DURATION(buffer) =
            gst_util_uint64_scale(i + 1, 1001 * GST_SECOND, 24000) -
            GST_BUFFER_PTS(buffer);
        ck_assert_int_eq(gst_harness_push(harness, buffer), GST_FLOW_OK);
    }
    ck_assert(gst_harness_push_event(harness, gst_event_new_eos()));
    while (TRUE) {
        GstEvent *event = gst_harness_pull_event(harness);
        gboolean eos = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
        gst_event_unref(event);
        if (eos)
            break;
    }
    g_mutex_lock(&hour.lock);
    ck_assert(hour.exact);
    ck_assert_uint_eq(hour.n, n_in / 2 * 5);
    ck_assert_uint_eq(hour.end, gst_util_uint64_scale(n_in, 1001 * GST_SECOND, 24000));
    g_mutex_unlock(&hour.lock);
    gst_buffer_unref(picture);
    gst_harness_teardown(harness);
    g_mutex_clear(&hour.lock);
    gst_object_unref(element);
}
GST_END_TEST

/* Downstream asks for other rates while frames flow: times go on without a hole. */
GST_START_TEST(downstream_changes_the_rate)
{
    const char *const rates[] = {"40/1", "50/1", "20/1", "60/1", "33/1"};
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, "20/1");
    GstClockTime end = 0;

    fixture_set_caps(f, caps, "video/x-raw,framerate=40/1");
    for (guint64 i = 0; i < 20; i++) {
        if (i > 0 && i % 4 == 0) {
            g_autofree char *text =
                g_strconcat("video/x-raw,framerate=", rates[i / 4], NULL);
            g_autoptr(GstCaps) wanted = gst_caps_from_string(text);
            gst_harness_set_sink_caps(f->harness, gst_caps_ref(wanted));
        }
        ck_assert_int_eq(
            gst_harness_push(f->harness, flat_frame(f, (int)i, i * 50 * MS, 50 * MS)),
            GST_FLOW_OK);
    }
    finish(f);
    if (in_flight_mode(__i__) == 0)
        ck_assert_uint_eq(n_events(f, GST_EVENT_CAPS), G_N_ELEMENTS(rates));
    for (guint64 i = 0; i < n_buffers(f); i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        GstClockTimeDiff hole = GST_CLOCK_DIFF(end, GST_BUFFER_PTS(buffer));
        /* The frame before a change was given its part of the old rate. */
        ck_assert(ABS(hole) <= 25 * (GstClockTimeDiff)MS);
        ck_assert(i == 0 ||
                  GST_BUFFER_PTS(buffer) > GST_BUFFER_PTS(nth_buffer(f, i - 1)));
        end = GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer);
    }
    ck_assert_uint_ge(end, 990 * MS);
    fixture_free(f);
}
GST_END_TEST

static GstPadProbeReturn answer_in_frames(GstPad *pad, GstPadProbeInfo *info,
                                          gpointer data)
{
    GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);
    GstFormat format;

    (void)pad;
    (void)data;
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_DURATION:
        gst_query_parse_duration(query, &format, NULL);
        gst_query_set_duration(query, format, format == GST_FORMAT_DEFAULT ? 240 : 10000);
        return GST_PAD_PROBE_HANDLED;
    case GST_QUERY_POSITION:
        gst_query_parse_position(query, &format, NULL);
        gst_query_set_position(query, format, format == GST_FORMAT_DEFAULT ? 24 : 1000);
        return GST_PAD_PROBE_HANDLED;
    default:
        return GST_PAD_PROBE_OK;
    }
}

static const struct {
    const char *out;
    gint64 duration, position;
} in_frames[] = {
    {"video/x-raw,framerate=48/1", 480, 48},
    {"video/x-raw,framerate=60/1", 600, 60},
    {"video/x-raw,framerate=24/1", 240, 24},
};

GST_START_TEST(frames_count_at_the_output)
{
    Fixture *f = fixture_new(in_flight_mode(__i__ % N_MODES), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, "24/1");
    gint64 value;

    fixture_set_caps(f, caps, in_frames[__i__ / N_MODES].out);
    gst_pad_add_probe(f->harness->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM,
                      answer_in_frames, NULL, NULL);
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, 0, 0, 41 * MS)), 0);
    wait_for_buffers(f, 1);
    ck_assert(
        gst_pad_peer_query_duration(f->harness->sinkpad, GST_FORMAT_DEFAULT, &value));
    ck_assert_int_eq(value, in_frames[__i__ / N_MODES].duration);
    ck_assert(
        gst_pad_peer_query_position(f->harness->sinkpad, GST_FORMAT_DEFAULT, &value));
    ck_assert_int_eq(value, in_frames[__i__ / N_MODES].position);
    ck_assert(gst_pad_peer_query_duration(f->harness->sinkpad, GST_FORMAT_TIME, &value));
    ck_assert_int_eq(value, 10000);
    ck_assert(gst_pad_peer_query_position(f->harness->sinkpad, GST_FORMAT_TIME, &value));
    ck_assert_int_eq(value, 1000);
    fixture_free(f);
}
GST_END_TEST

/* A list of multipliers makes a constant rate variable, unless downstream insists. */
GST_START_TEST(lists_make_the_rate_variable)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), "multipliers=5,1");
    g_autofree char *caps = video_caps("I420", 16, 16, "20/1");
    GstCaps *out;
    int num, den;

    fixture_set_caps(f, caps, NULL);
    push_frames(f, 3, 40);
    finish(f);
    gst_event_parse_caps(last_event(f, GST_EVENT_CAPS), &out);
    ck_assert(gst_structure_get_fraction(gst_caps_get_structure(out, 0), "framerate",
                                         &num, &den));
    ck_assert_int_eq(num, 0);
    ck_assert_uint_eq(n_buffers(f), 5 + 1 + 2);
    ck_assert_uint_eq(counter(f, "interpolated"), 4);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_fixed_rate_ignores_lists)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), "multipliers=5,1");
    g_autofree char *caps = video_caps("I420", 16, 16, "20/1");
    GstMessage *warning;

    fixture_set_caps(f, caps, "video/x-raw,framerate=40/1");
    push_frames(f, 3, 40);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 6);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);
    warning = gst_bus_pop_filtered(f->bus, GST_MESSAGE_WARNING);
    ck_assert(warning != NULL);
    gst_message_unref(warning);
    ck_assert(gst_bus_pop_filtered(f->bus, GST_MESSAGE_WARNING) == NULL);
    fixture_free(f);
}
GST_END_TEST

static Suite *rates_suite(void)
{
    Suite *suite = suite_create("rates");
    TCase *tcase = tcase_create("rates");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 280);
    tcase_add_loop_test(tcase, phases_of_24_to_60, 0, N_MODES);
    tcase_add_loop_test(tcase, rounded_times_snap, 0, N_MODES);
    tcase_add_loop_test(tcase, variable_rate_becomes_constant, 0, N_MODES);
    tcase_add_loop_test(tcase, a_multiple_is_kept_for_variable_times, 0, 2 * N_MODES);
    tcase_add_loop_test(tcase, a_multiple_is_kept_through_negotiation, 0, N_MODES);
    tcase_add_loop_test(tcase, an_hour_does_not_drift, 0, N_MODES);
    tcase_add_loop_test(tcase, downstream_changes_the_rate, 0, N_MODES);
    tcase_add_loop_test(tcase, frames_count_at_the_output, 0,
                        N_MODES * (int)G_N_ELEMENTS(in_frames));
    tcase_add_loop_test(tcase, lists_make_the_rate_variable, 0, N_MODES);
    tcase_add_loop_test(tcase, a_fixed_rate_ignores_lists, 0, N_MODES);
    return suite;
}

int main(int argc, char **argv)
{
    return element_main(argc, argv, rates_suite());
}
