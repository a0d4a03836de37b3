/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Durations, jumps, rates and multipliers without measure: outputs come as they are
 * pushed, so that there are a few entries in the element at any time, and a flush ends
 * them. */
#include "simulated.h"

#include "stream/held_repeats.h"
#include "stream/pending.h"

#define MS GST_MSECOND
#define HOUR (3600 * GST_SECOND)

/* For a frame: its outputs, one entry a kind, the frame itself, and events. */
#define FEW (GST_VFI_MAX_AHEAD + 16)

/* Stops the stream behind so many buffers, in the middle of what it does. */
typedef struct {
    Fixture *fixture;
    GstVfiStream *stream;
    guint n_buffers;
    guint most;        /* that may come */
    guint max_entries; /* seen */
    gboolean stopped;
} Watch;

static GstPadProbeReturn watch_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Watch *watch = data;
    guint n_entries =
        gst_vfi_pending_length(watch->stream) + gst_vfi_repeats_length(watch->stream);

    (void)pad;
    (void)info;
    watch->max_entries = MAX(watch->max_entries, n_entries);
    if (++watch->n_buffers < watch->most)
        return GST_PAD_PROBE_DROP;
    g_mutex_lock(&watch->fixture->lock);
    watch->stopped = TRUE;
    g_cond_broadcast(&watch->fixture->changed);
    while (!gst_vfi_stream_is_flushing(watch->stream))
        g_cond_wait_until(&watch->fixture->changed, &watch->fixture->lock,
                          g_get_monotonic_time() + G_TIME_SPAN_MILLISECOND);
    g_mutex_unlock(&watch->fixture->lock);
    return GST_PAD_PROBE_DROP;
}

static void wait_for_stop(Watch *watch)
{
    g_mutex_lock(&watch->fixture->lock);
    while (!watch->stopped)
        g_cond_wait(&watch->fixture->changed, &watch->fixture->lock);
    g_mutex_unlock(&watch->fixture->lock);
}

/* One way to ask for more outputs than there is time for. */
typedef struct {
    const char *rate;
    const char *out;
    const char *properties;
    gdouble speed;
    gint values[4];           /* of the frames */
    GstClockTime times[4][2]; /* their PTS and durations, up to duration 0 */
} Endless;

#define JUMP                                                                             \
    {                                                                                    \
        {HOUR, 40 * MS}, {HOUR + 40 * MS, HOUR}, {2 * HOUR + 40 * MS, 40 * MS},          \
        {                                                                                \
            0, 0                                                                         \
        }                                                                                \
    }

static const Endless endless[] = {
    {"0/1", "60/1", "", 1.0, {0, 9, 90}, JUMP},
    {"0/1", "1000000/1", "", 1.0, {0, 9, 90}, JUMP},
    {"25/1", "24999/1", "max-gap=9999999999999", 1.0, {0, 9, 90}, JUMP},
    /* Identical frames, cuts, skipped pairs, and an engine that is not asked. */
    {"0/1", "60/1", "", 1.0, {9, 9, 9}, JUMP},
    {"0/1", "60/1", "scene-threshold=0.01", 1.0, {0, 9, 200}, JUMP},
    {"0/1", "60/1", "skip-pairs=0-9", 1.0, {0, 9, 90}, JUMP},
    /* Repeats are held until a new picture comes, which they all lead to. */
    {"0/1", "60/1", "duplicate-mode=replace", 1.0, {9, 9, 90}, JUMP},
    {"0/1", "60/1", "duplicate-mode=replace", 1.0, {0, 9, 9}, JUMP},
    {"0/1",
     "1000/1",
     "max-gap=9999999999999",
     -1.0,
     {0, 9, 90},
     {{3 * HOUR, 40 * MS}, {3 * HOUR - 40 * MS, HOUR}, {HOUR, 40 * MS}, {0, 0}}},
    {"0/1",
     "1000000000/1",
     "tail=duplicate max-gap=9999999999999",
     1.0,
     {5},
     {{0, HOUR}}},
};

static GstFlowReturn push_frame(Fixture *f, const Endless *way, guint i)
{
    return gst_harness_push(
        f->harness, flat_frame(f, way->values[i], way->times[i][0], way->times[i][1]));
}

static gpointer push_frames_and_eos(gpointer data)
{
    Fixture *f = ((Watch *)data)->fixture;
    const Endless *way = g_object_get_data(G_OBJECT(f->element), "way");
    GstFlowReturn flow = GST_FLOW_OK;

    for (guint i = 0; i < 4 && way->times[i][1] != 0 && flow == GST_FLOW_OK; i++)
        flow = push_frame(f, way, i);
    gst_harness_push_event(f->harness, gst_event_new_eos());
    return NULL;
}

static void start(Simulated *sim, const Endless *way)
{
    Fixture *f = sim->fixture;
    GstSegment segment;

    simulated_start(sim, way->rate, way->out);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.rate = way->speed;
    segment.stop = 9 * HOUR;
    gst_harness_push_event(f->harness, gst_event_new_segment(&segment));
    g_object_set_data(G_OBJECT(f->element), "way", (gpointer)way);
}

/* In the midst of it a flush comes, and nothing after it. */
GST_START_TEST(a_flush_ends_what_has_no_end)
{
    const Endless *way = &endless[__i__ / N_MODES];
    Simulated *sim = simulated_open(in_flight_mode(__i__ % N_MODES), way->properties);
    Fixture *f = sim->fixture;
    Watch watch = {.fixture = f, .stream = sim->stream, .most = 1000};
    g_autoptr(GstPad) pad = gst_element_get_static_pad(f->element, "src");
    GThread *thread;
    gulong probe;

    start(sim, way);
    probe = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, watch_buffer, &watch, NULL);
    thread = g_thread_new("upstream", push_frames_and_eos, &watch);
    wait_for_stop(&watch);
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_start()));
    g_thread_join(thread);
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE)));
    ck_assert_uint_eq(watch.n_buffers, 1000);
    ck_assert_uint_le(watch.max_entries, FEW);
    gst_pad_remove_probe(pad, probe);
    simulated_free(sim);
}
GST_END_TEST

/* The same for a change of state. */
GST_START_TEST(null_ends_what_has_no_end)
{
    const Endless *way = &endless[__i__ / N_MODES];
    Simulated *sim = simulated_open(in_flight_mode(__i__ % N_MODES), way->properties);
    Fixture *f = sim->fixture;
    Watch watch = {.fixture = f, .stream = sim->stream, .most = 100};
    g_autoptr(GstPad) pad = gst_element_get_static_pad(f->element, "src");
    GThread *thread;

    start(sim, way);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, watch_buffer, &watch, NULL);
    thread = g_thread_new("upstream", push_frames_and_eos, &watch);
    wait_for_stop(&watch);
    ck_assert_int_eq(gst_element_set_state(f->element, GST_STATE_NULL),
                     GST_STATE_CHANGE_SUCCESS);
    g_thread_join(thread);
    ck_assert_uint_eq(watch.n_buffers, 100);
    simulated_free(sim);
}
GST_END_TEST

/* A last frame that says it is shown for weeks: one GAP event says so downstream. */
GST_START_TEST(a_tail_without_end_is_a_gap)
{
    const char *rate = __i__ / N_MODES ? "0/1" : "24/1";
    Simulated *sim = simulated_new(in_flight_mode(__i__ % N_MODES), "", rate, "60/1");
    Fixture *f = sim->fixture;
    GstClockTime pts, duration;

    for (guint64 i = 0; i < 3; i++)
        ck_assert_int_eq(
            gst_harness_push(f->harness, flat_frame(f, (int)i * 9, i * 50 * MS,
                                                    i < 2 ? 50 * MS : 1000 * HOUR)),
            GST_FLOW_OK);
    finish(f);
    ck_assert_uint_le(n_buffers(f), 8);
    ck_assert_uint_eq(n_events(f, GST_EVENT_GAP), 1);
    gst_event_parse_gap(last_event(f, GST_EVENT_GAP), &pts, &duration);
    ck_assert_uint_eq(pts + duration, 1000 * HOUR + 100 * MS);
    simulated_free(sim);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-endless");
    TCase *tcase = tcase_create("endless");
    const int n_ways = (int)G_N_ELEMENTS(endless) * N_MODES;

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_flush_ends_what_has_no_end, 0, n_ways);
    tcase_add_loop_test(tcase, null_ends_what_has_no_end, 0, n_ways);
    tcase_add_loop_test(tcase, a_tail_without_end_is_a_gap, 0, 2 * N_MODES);
    return element_main(argc, argv, suite);
}
