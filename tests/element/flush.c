/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flushes as they should not come: in odd orders, from any thread, alone, in the middle
 * of a push and of a state change. The stream begins anew behind each. */
#include "fixture.h"

#include <string.h>

#define MS GST_MSECOND
#define SMALL "video/x-raw,format=I420,width=16,height=16,framerate=20/1"

static Fixture *start(int index, const char *properties)
{
    Fixture *f = fixture_new(in_flight_mode(index), properties);

    fixture_set_caps(f, SMALL, NULL);
    return f;
}

static GstFlowReturn push(Fixture *f, guint64 number)
{
    return gst_harness_push(
        f->harness, flat_frame(f, (int)(number % 200), number * 50 * MS, 50 * MS));
}

static void send(Fixture *f, GstEvent *event)
{
    ck_assert(gst_harness_push_event(f->harness, event));
}

static void send_segment(Fixture *f)
{
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    send(f, gst_event_new_segment(&segment));
}

/* Nothing of before is left: frames of a new segment come out as those of a new
 * stream. */
static void check_fresh_start(Fixture *f)
{
    fixture_clear(f);
    send_segment(f);
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    wait_for_buffers(f, 3);
    for (guint i = 0; i < 3; i++) {
        ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, i)), i * 25 * MS);
        ck_assert_uint_eq(GST_BUFFER_OFFSET(nth_buffer(f, i)), i);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_DISCONT, i == 0);
    }
}

GST_START_TEST(a_flush_stop_alone_is_a_flush)
{
    Fixture *f = start(__i__, "multiplier=2");

    for (int round = 0; round < 100; round++) {
        for (guint64 i = 0; i < 3; i++)
            ck_assert_int_eq(push(f, i), GST_FLOW_OK);
        send(f, gst_event_new_flush_stop(TRUE));
        fixture_clear(f);
        ck_assert_uint_eq(n_buffers(f), 0);
        check_fresh_start(f);
        send(f, gst_event_new_flush_stop(TRUE));
        send_segment(f);
    }
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(flushes_may_come_twice)
{
    Fixture *f = start(__i__, NULL);

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    send(f, gst_event_new_flush_start());
    gst_harness_push_event(f->harness, gst_event_new_flush_start());
    ck_assert_int_eq(push(f, 1), GST_FLOW_FLUSHING);
    send(f, gst_event_new_flush_stop(TRUE));
    send(f, gst_event_new_flush_stop(FALSE));
    check_fresh_start(f);
    fixture_free(f);
}
GST_END_TEST

/* No frame may come between a flush and the segment that follows it. */
typedef struct {
    Fixture *fixture;
    GMutex lock;
} Flusher;

static gpointer send_flush_stops(gpointer data)
{
    Flusher *flusher = data;

    for (int i = 0; i < 100; i++) {
        g_mutex_lock(&flusher->lock);
        send(flusher->fixture, gst_event_new_flush_stop(TRUE));
        send_segment(flusher->fixture);
        g_mutex_unlock(&flusher->lock);
        g_thread_yield();
    }
    return NULL;
}

GST_START_TEST(flush_stops_from_another_thread)
{
    Fixture *f = start(__i__, "multiplier=3");
    Flusher flusher = {.fixture = f};
    GThread *thread;

    g_mutex_init(&flusher.lock);
    thread = g_thread_new("flush", send_flush_stops, &flusher);
    for (guint64 i = 0; i < 300; i++) {
        g_mutex_lock(&flusher.lock);
        ck_assert_int_eq(push(f, i), GST_FLOW_OK);
        g_mutex_unlock(&flusher.lock);
    }
    g_thread_join(thread);
    g_mutex_clear(&flusher.lock);
    g_object_set(f->element, "multiplier", 2, NULL);
    gst_harness_push_upstream_event(f->harness, gst_event_new_reconfigure());
    send(f, gst_event_new_flush_stop(TRUE));
    check_fresh_start(f);
    fixture_free(f);
}
GST_END_TEST

/* As an application does that seeks in the thread that brings it a frame. */
typedef struct {
    Fixture *fixture;
    GMutex lock;
    GCond cond;
    gboolean done;
} Seeker;

static GstPadProbeReturn flush_here(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Seeker *seeker = data;

    g_mutex_lock(&seeker->lock);
    send(seeker->fixture, gst_event_new_flush_start());
    send(seeker->fixture, gst_event_new_flush_stop(TRUE));
    seeker->done = TRUE;
    g_cond_signal(&seeker->cond);
    g_mutex_unlock(&seeker->lock);
    /* What was flushed away does not come after the flush. */
    gst_pad_remove_probe(pad, GST_PAD_PROBE_INFO_ID(info));
    return GST_PAD_PROBE_DROP;
}

GST_START_TEST(a_flush_from_within_a_push)
{
    Fixture *f = start(__i__, NULL);
    g_autoptr(GstPad) pad = gst_element_get_static_pad(f->element, "src");
    Seeker seeker = {.fixture = f};

    g_mutex_init(&seeker.lock);
    g_cond_init(&seeker.cond);
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    wait_for_buffers(f, 1);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, flush_here, &seeker, NULL);
    push(f, 1);
    g_mutex_lock(&seeker.lock);
    while (!seeker.done)
        g_cond_wait(&seeker.cond, &seeker.lock);
    g_mutex_unlock(&seeker.lock);
    check_fresh_start(f);
    fixture_free(f);
    g_mutex_clear(&seeker.lock);
    g_cond_clear(&seeker.cond);
}
GST_END_TEST

/* Downstream is linked before the task hears that it was not: the error is out of
 * date. */
typedef struct {
    GstHarness *harness;
    gint refusals;
} Downstream;

static GstFlowReturn refuse_and_mend(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    Downstream *downstream = g_object_get_data(G_OBJECT(pad), "downstream");

    (void)parent;
    gst_buffer_unref(buffer);
    if (g_atomic_int_dec_and_test(&downstream->refusals)) {
        gst_pad_push_event(pad, gst_event_new_reconfigure());
        return GST_FLOW_NOT_LINKED;
    }
    return GST_FLOW_OK;
}

GST_START_TEST(a_link_before_its_lack_is_known)
{
    Fixture *f = start(1, NULL);
    Downstream downstream = {f->harness, 1};

    g_object_set_data(G_OBJECT(f->harness->sinkpad), "downstream", &downstream);
    gst_pad_set_chain_function(f->harness->sinkpad, refuse_and_mend);
    for (guint64 i = 0; i < 6; i++)
        ck_assert_int_eq(push(f, i), GST_FLOW_OK);
    finish(f);
    fixture_free(f);
}
GST_END_TEST

static gboolean has_task(GstPad *pad)
{
    GST_OBJECT_LOCK(pad);
    gboolean has = GST_PAD_TASK(pad) != NULL;
    GST_OBJECT_UNLOCK(pad);
    return has;
}

/* Nothing may start the task of a pad that is not active any more. */
static gpointer flush_until_stopped(gpointer data)
{
    Fixture *f = data;

    while (gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE)) ||
           GST_STATE(f->element) != GST_STATE_NULL)
        g_thread_yield();
    return NULL;
}

GST_START_TEST(flush_stops_while_states_change)
{
    Fixture *f = start(__i__, NULL);
    g_autoptr(GstPad) pad = gst_element_get_static_pad(f->element, "src");
    GThread *thread = g_thread_new("flush", flush_until_stopped, f);

    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(gst_element_set_state(f->element, GST_STATE_READY),
                         GST_STATE_CHANGE_SUCCESS);
        ck_assert(!has_task(pad));
        ck_assert_int_eq(gst_element_set_state(f->element, GST_STATE_PLAYING),
                         GST_STATE_CHANGE_SUCCESS);
    }
    ck_assert_int_eq(gst_element_set_state(f->element, GST_STATE_NULL),
                     GST_STATE_CHANGE_SUCCESS);
    g_thread_join(thread);
    ck_assert(!has_task(pad));
    fixture_free(f);
}
GST_END_TEST

/* A pad is deactivated and activated in a stream, which begins anew. */
GST_START_TEST(the_src_pad_pauses)
{
    Fixture *f = start(__i__, NULL);
    g_autoptr(GstPad) pad = gst_element_get_static_pad(f->element, "src");
    g_autoptr(GstCaps) caps = gst_caps_from_string(SMALL);

    for (guint64 i = 0; i < 3; i++)
        ck_assert_int_eq(push(f, i), GST_FLOW_OK);
    ck_assert(gst_pad_set_active(pad, FALSE));
    ck_assert_int_eq(push(f, 3), GST_FLOW_FLUSHING);
    ck_assert(gst_pad_set_active(pad, TRUE));
    send(f, gst_event_new_flush_stop(TRUE));
    send(f, gst_event_new_stream_start("again"));
    send(f, gst_event_new_caps(caps));
    check_fresh_start(f);
    fixture_free(f);
}
GST_END_TEST

/* Holds the first buffer until told, and the second one until a flush. */
typedef struct {
    GMutex lock;
    GCond cond;
    gboolean go;
    guint seen;
} Doors;

static GstPadProbeReturn at_doors(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Doors *doors = data;
    GstPadProbeReturn ret = GST_PAD_PROBE_PASS;

    (void)pad;
    (void)info;
    g_mutex_lock(&doors->lock);
    doors->seen++;
    g_cond_broadcast(&doors->cond);
    if (doors->seen == 1)
        while (!doors->go)
            g_cond_wait(&doors->cond, &doors->lock);
    else
        ret = GST_PAD_PROBE_OK;
    g_mutex_unlock(&doors->lock);
    return ret;
}

static void wait_at_door(Doors *doors, guint n)
{
    g_mutex_lock(&doors->lock);
    while (doors->seen < n)
        g_cond_wait(&doors->cond, &doors->lock);
    g_mutex_unlock(&doors->lock);
}

/* A tag between outputs that are flushed away is not sent again: it must stay. */
GST_START_TEST(a_tag_among_outputs_outlives_a_flush)
{
    Fixture *f = start(1, NULL);
    g_autoptr(GstPad) pad = gst_element_get_static_pad(f->element, "src");
    Doors doors = {.go = FALSE};
    gulong id;
    GstEvent *tag;

    g_mutex_init(&doors.lock);
    g_cond_init(&doors.cond);
    id = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER,
                           at_doors, &doors, NULL);
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    wait_at_door(&doors, 1);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    send(f, gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "x", NULL)));
    g_mutex_lock(&doors.lock);
    doors.go = TRUE;
    g_cond_broadcast(&doors.cond);
    g_mutex_unlock(&doors.lock);
    wait_at_door(&doors, 2);
    send(f, gst_event_new_flush_start());
    gst_pad_remove_probe(pad, id);
    send(f, gst_event_new_flush_stop(TRUE));
    check_fresh_start(f);
    tag = gst_pad_get_sticky_event(pad, GST_EVENT_TAG, 0);
    ck_assert(tag != NULL);
    gst_event_unref(tag);
    fixture_free(f);
    g_mutex_clear(&doors.lock);
    g_cond_clear(&doors.cond);
}
GST_END_TEST

/* Downstream is not linked for a buffer, which it keeps until told. */
static GstFlowReturn refuse_when_told(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    Doors *doors = g_object_get_data(G_OBJECT(pad), "doors");
    GstFlowReturn flow = GST_FLOW_OK;

    (void)parent;
    gst_buffer_unref(buffer);
    g_mutex_lock(&doors->lock);
    if (++doors->seen == 1) {
        flow = GST_FLOW_NOT_LINKED;
        g_cond_broadcast(&doors->cond);
        while (!doors->go)
            g_cond_wait(&doors->cond, &doors->lock);
    }
    g_mutex_unlock(&doors->lock);
    return flow;
}

/* Nobody sends it again. */
GST_START_TEST(a_segment_outlives_a_missing_link)
{
    Fixture *f = start(1, NULL);
    Doors doors = {.go = FALSE};
    const GstSegment *left;
    GstSegment segment;

    g_mutex_init(&doors.lock);
    g_cond_init(&doors.cond);
    g_object_set_data(G_OBJECT(f->harness->sinkpad), "doors", &doors);
    gst_pad_set_chain_function(f->harness->sinkpad, refuse_when_told);
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    wait_at_door(&doors, 1);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = 50 * MS;
    send(f, gst_event_new_segment(&segment));
    g_mutex_lock(&doors.lock);
    doors.go = TRUE;
    g_cond_broadcast(&doors.cond);
    g_mutex_unlock(&doors.lock);
    while (push(f, 1) == GST_FLOW_OK)
        g_thread_yield();
    ck_assert(gst_harness_push_upstream_event(f->harness, gst_event_new_reconfigure()));
    ck_assert_int_eq(push(f, 2), GST_FLOW_OK);
    finish(f);
    gst_event_parse_segment(last_event(f, GST_EVENT_SEGMENT), &left);
    ck_assert_uint_eq(left->start, 50 * MS);
    fixture_free(f);
    g_mutex_clear(&doors.lock);
    g_cond_clear(&doors.cond);
}
GST_END_TEST

/* The pads are active anew, and nobody sends the end of that flush. */
GST_START_TEST(a_flush_ends_with_the_state)
{
    Fixture *f = start(__i__, NULL);

    send(f, gst_event_new_flush_start());
    ck_assert_int_eq(gst_element_set_state(f->element, GST_STATE_READY),
                     GST_STATE_CHANGE_SUCCESS);
    ck_assert_int_eq(gst_element_set_state(f->element, GST_STATE_PLAYING),
                     GST_STATE_CHANGE_SUCCESS);
    gst_pad_set_active(f->harness->srcpad, FALSE);
    gst_pad_set_active(f->harness->srcpad, TRUE);
    gst_pad_set_active(f->harness->sinkpad, FALSE);
    gst_pad_set_active(f->harness->sinkpad, TRUE);
    send(f, gst_event_new_stream_start("again"));
    fixture_set_caps(f, SMALL, NULL);
    check_fresh_start(f);
    fixture_free(f);
}
GST_END_TEST

/* Downstream wants caps first, though the first ones were refused. */
GST_START_TEST(a_segment_waits_for_caps)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);

    fixture_set_caps(f, SMALL ",interlace-mode=interleaved", NULL);
    fixture_set_caps(f, SMALL, NULL);
    send_segment(f);
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    finish(f);
    ck_assert_int_lt(last_event_index(f, GST_EVENT_CAPS),
                     last_event_index(f, GST_EVENT_SEGMENT));
    ck_assert_uint_eq(n_buffers(f), 2);
    fixture_free(f);
}
GST_END_TEST

/* What only passes through may be counted in bytes. */
GST_START_TEST(a_segment_of_bytes_passes_through)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), "multiplier=1");
    GstSegment segment;

    gst_harness_use_systemclock(f->harness);
    fixture_set_caps(f, SMALL, NULL);
    gst_segment_init(&segment, GST_FORMAT_BYTES);
    send(f, gst_event_new_segment(&segment));
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 1);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-flush");
    TCase *tcase = tcase_create("flush");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_flush_stop_alone_is_a_flush, 0, N_MODES);
    tcase_add_loop_test(tcase, flushes_may_come_twice, 0, N_MODES);
    tcase_add_loop_test(tcase, flush_stops_from_another_thread, 0, N_MODES);
    tcase_add_loop_test(tcase, a_flush_from_within_a_push, 0, N_MODES);
    tcase_add_test(tcase, a_link_before_its_lack_is_known);
    tcase_add_loop_test(tcase, flush_stops_while_states_change, 0, N_MODES);
    tcase_add_loop_test(tcase, the_src_pad_pauses, 0, N_MODES);
    tcase_add_test(tcase, a_tag_among_outputs_outlives_a_flush);
    tcase_add_test(tcase, a_segment_outlives_a_missing_link);
    tcase_add_loop_test(tcase, a_flush_ends_with_the_state, 0, N_MODES);
    tcase_add_loop_test(tcase, a_segment_waits_for_caps, 0, N_MODES);
    tcase_add_loop_test(tcase, a_segment_of_bytes_passes_through, 0, N_MODES);
    return element_main(argc, argv, suite);
}
