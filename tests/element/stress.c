/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything at once: frames, properties, seeks from downstream, flushes and
 * renegotiation in threads of their own, then states. Meant for ThreadSanitizer;
 * elsewhere it shows that nothing hangs or fails. */
#include "fixture.h"

#define MS GST_MSECOND

/* What each thread does this many times. */
#define ROUNDS 300

typedef struct {
    GstHarness *harness;
    GstElement *element;
    gint running;
    GMutex upstream; /* what upstream's streaming thread holds */
} Stress;

/* Flows may be FLUSHING when the flusher is at work; an error may never come. */
static GstFlowReturn push(Stress *stress, guint64 i)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, 256, NULL);

    gst_buffer_memset(buffer, 0, (guint8)(i * 7), 256);
    GST_BUFFER_PTS(buffer) = i * 50 * MS;
    GST_BUFFER_DURATION(buffer) = 50 * MS;
    g_mutex_lock(&stress->upstream);
    GstFlowReturn flow = gst_harness_push(stress->harness, buffer);
    g_mutex_unlock(&stress->upstream);
    return flow;
}

static gpointer push_thread(gpointer data)
{
    Stress *stress = data;

    for (guint64 i = 0; g_atomic_int_get(&stress->running); i++) {
        GstFlowReturn flow = push(stress, i);
        ck_assert(flow == GST_FLOW_OK || flow == GST_FLOW_FLUSHING);
    }
    return NULL;
}

static gpointer flush_thread(gpointer data)
{
    Stress *stress = data;
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    for (int i = 0; i < ROUNDS / 3; i++) {
        gst_harness_push_event(stress->harness, gst_event_new_flush_start());
        g_mutex_lock(&stress->upstream);
        gst_harness_push_event(stress->harness, gst_event_new_flush_stop(TRUE));
        gst_harness_push_event(stress->harness, gst_event_new_segment(&segment));
        g_mutex_unlock(&stress->upstream);
        for (int pause = 0; pause < 20; pause++)
            g_thread_yield();
    }
    return NULL;
}

static gpointer property_thread(gpointer data)
{
    const char *const pairs[] = {"", "1,2,5-9", "0-100"};
    Stress *stress = data;
    GstStructure *stats;
    guint64 out;

    for (guint i = 0; i < ROUNDS; i++) {
        g_object_set(stress->element, "multiplier", 1 + i % 4, "scale", i % 2 ? 1.0 : 0.5,
                     "tail", (int)(i % 3), "skip-pairs", pairs[i % 3], "max-gap",
                     (guint64)(i % 2) * 60 * MS, "bypass-pixels", (guint64)(i % 7 == 0),
                     NULL);
        g_object_set(stress->element, "multipliers", i % 5 == 0 ? "3,1" : "", NULL);
        g_object_get(stress->element, "out", &out, "stats", &stats, NULL);
        gst_structure_free(stats);
    }
    return NULL;
}

static gpointer downstream_thread(gpointer data)
{
    Stress *stress = data;
    gint64 value;

    for (guint i = 0; i < ROUNDS; i++) {
        gst_harness_push_upstream_event(stress->harness, gst_event_new_reconfigure());
        gst_harness_push_upstream_event(
            stress->harness,
            gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_NONE,
                               GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, -1));
        gst_harness_push_upstream_event(
            stress->harness,
            gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, (gint64)i * 1000, i * 1000));
        gst_harness_query_latency(stress->harness);
        gst_pad_peer_query_duration(stress->harness->sinkpad, GST_FORMAT_DEFAULT, &value);
    }
    return NULL;
}

GST_START_TEST(everything_at_once)
{
    GstElement *element = gst_element_factory_make("vfiinterp", NULL);
    Stress stress = {.element = gst_object_ref_sink(element), .running = 1};
    g_autoptr(GstQuery) drain = gst_query_new_drain();
    GThread *threads[3], *pusher;
    guint64 in;

    g_mutex_init(&stress.upstream);
    g_object_set(element, "model", "blend", "max-in-flight", in_flight_mode(__i__), NULL);
    stress.harness = gst_harness_new_with_element(element, "sink", "src");
    gst_harness_set_drop_buffers(stress.harness, TRUE);
    gst_harness_set_src_caps_str(stress.harness,
                                 "video/x-raw,format=GRAY8,width=16,height=16,"
                                 "framerate=20/1");
    pusher = g_thread_new("push", push_thread, &stress);
    threads[0] = g_thread_new("flush", flush_thread, &stress);
    threads[1] = g_thread_new("properties", property_thread, &stress);
    threads[2] = g_thread_new("downstream", downstream_thread, &stress);
    for (int i = 0; i < 3; i++)
        g_thread_join(threads[i]);
    g_atomic_int_set(&stress.running, 0);
    g_thread_join(pusher);
    /* on a busy machine the pusher may not have come to its turn between two flushes */
    ck_assert_int_eq(push(&stress, 0), GST_FLOW_OK);
    gst_pad_peer_query(stress.harness->srcpad, drain);
    g_object_get(element, "in", &in, NULL);
    ck_assert_uint_gt(in, 0);
    gst_harness_teardown(stress.harness);
    g_mutex_clear(&stress.upstream);
    gst_object_unref(element);
}
GST_END_TEST

/* As upstream does that is told to begin anew: with its streaming thread outside, the
 * stream's events are sent again before the next frame. */
static void start_over(Stress *stress)
{
    GstPad *sink = gst_pad_get_peer(stress->harness->srcpad);

    g_mutex_lock(&stress->upstream);
    ck_assert(gst_pad_unlink(stress->harness->srcpad, sink));
    ck_assert_int_eq(gst_pad_link(stress->harness->srcpad, sink), GST_PAD_LINK_OK);
    ck_assert_int_eq(gst_element_set_state(stress->element, GST_STATE_PLAYING),
                     GST_STATE_CHANGE_SUCCESS);
    g_mutex_unlock(&stress->upstream);
    gst_object_unref(sink);
}

/* States change while a frame may be anywhere in the element, and under properties. */
GST_START_TEST(states_under_load)
{
    GstElement *element = gst_element_factory_make("vfiinterp", NULL);
    Stress stress = {.element = gst_object_ref_sink(element), .running = 1};
    g_autoptr(GstEvent) reconfigure = gst_event_new_reconfigure();
    GValue multiplier = G_VALUE_INIT;
    GstHarnessThread *properties, *reconfigures;
    GThread *pusher;

    g_mutex_init(&stress.upstream);
    g_object_set(element, "model", "blend", "max-in-flight", in_flight_mode(__i__), NULL);
    stress.harness = gst_harness_new_with_element(element, "sink", "src");
    gst_harness_set_drop_buffers(stress.harness, TRUE);
    gst_harness_set_src_caps_str(stress.harness,
                                 "video/x-raw,format=GRAY8,width=16,height=16,"
                                 "framerate=20/1");
    g_value_init(&multiplier, G_TYPE_UINT);
    g_value_set_uint(&multiplier, 3);
    pusher = g_thread_new("push", push_thread, &stress);
    properties =
        gst_harness_stress_property_start(stress.harness, "multiplier", &multiplier);
    reconfigures =
        gst_harness_stress_send_upstream_event_start(stress.harness, reconfigure);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(gst_element_set_state(element, GST_STATE_READY),
                         GST_STATE_CHANGE_SUCCESS);
        start_over(&stress);
    }
    gst_harness_stress_thread_stop(reconfigures);
    gst_harness_stress_thread_stop(properties);
    g_atomic_int_set(&stress.running, 0);
    g_thread_join(pusher);
    ck_assert_int_eq(push(&stress, 0), GST_FLOW_OK);
    g_value_unset(&multiplier);
    gst_harness_teardown(stress.harness);
    g_mutex_clear(&stress.upstream);
    gst_object_unref(element);
}
GST_END_TEST

static Suite *stress_suite(void)
{
    Suite *suite = suite_create("stress");
    TCase *tcase = tcase_create("stress");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 280);
    tcase_add_loop_test(tcase, everything_at_once, 0, N_MODES);
    tcase_add_loop_test(tcase, states_under_load, 0, N_MODES);
    return suite;
}

int main(int argc, char **argv)
{
    return element_main(argc, argv, stress_suite());
}
