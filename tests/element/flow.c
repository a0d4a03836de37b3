/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Order of buffers, events and queries; flushes; what downstream answers. */
#include "fixture.h"

#include <gst/video/video-event.h>

#include <string.h>

#define MS GST_MSECOND
#define SMALL "video/x-raw,format=I420,width=16,height=16,framerate=20/1"
#define LARGE "video/x-raw,format=I420,width=3840,height=2160,framerate=20/1"

static Fixture *start(int index, const char *caps, const char *properties)
{
    Fixture *f = fixture_new(in_flight_mode(index), properties);

    fixture_set_caps(f, caps, NULL);
    return f;
}

/* No two neighbours are the same picture. */
static GstFlowReturn push(Fixture *f, guint64 number)
{
    return gst_harness_push(
        f->harness, flat_frame(f, (int)(number % 200), number * 50 * MS, 50 * MS));
}

static gboolean send(Fixture *f, GstEvent *event)
{
    return gst_harness_push_event(f->harness, event);
}

static void send_segment(Fixture *f)
{
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    ck_assert(send(f, gst_event_new_segment(&segment)));
}

static void check_fresh_start(Fixture *f)
{
    fixture_clear(f);
    send_segment(f);
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    wait_for_buffers(f, 3);
    ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, 0)), 0);
    ck_assert_uint_eq(GST_BUFFER_OFFSET(nth_buffer(f, 0)), 0);
    assert_flag(nth_buffer(f, 0), GST_BUFFER_FLAG_DISCONT, TRUE);
}

GST_START_TEST(flush_while_idle)
{
    Fixture *f = start(__i__, SMALL, NULL);

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    wait_for_buffers(f, 3);
    ck_assert(send(f, gst_event_new_flush_start()));
    ck_assert_int_eq(push(f, 2), GST_FLOW_FLUSHING);
    ck_assert(send(f, gst_event_new_flush_stop(TRUE)));
    check_fresh_start(f);
    /* No tail: what was before the flush is gone. */
    ck_assert_uint_eq(counter(f, "duplicate"), 0);
    fixture_free(f);
}
GST_END_TEST

/* Only with the task can upstream flush while its frames are computed. */
GST_START_TEST(flush_while_computing)
{
    Fixture *f = fixture_new(2, "multiplier=50 threads=2");
    guint64 before, after;

    fixture_set_caps(f, LARGE, NULL);
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    wait_for_buffers(f, 2);
    ck_assert(send(f, gst_event_new_flush_start()));
    before = engine_stat(f, "work-chunks");
    ck_assert(send(f, gst_event_new_flush_stop(TRUE)));
    after = engine_stat(f, "work-chunks");
    ck_assert_uint_le(after - before, 2);
    ck_assert_uint_lt(engine_stat(f, "inferences"), 49);
    fixture_free(f);
}
GST_END_TEST

/* Stops the first buffer at the element's src pad. */
typedef struct {
    GMutex lock;
    GCond cond;
    gboolean blocked;
    gulong id;
    GstPad *pad;
} Gate;

static GstPadProbeReturn at_gate(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Gate *gate = data;

    (void)pad;
    (void)info;
    g_mutex_lock(&gate->lock);
    gate->blocked = TRUE;
    g_cond_signal(&gate->cond);
    g_mutex_unlock(&gate->lock);
    return GST_PAD_PROBE_OK;
}

static void gate_close(Gate *gate, Fixture *f)
{
    memset(gate, 0, sizeof *gate);
    g_mutex_init(&gate->lock);
    g_cond_init(&gate->cond);
    gate->pad = gst_element_get_static_pad(f->element, "src");
    gate->id =
        gst_pad_add_probe(gate->pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER,
                          at_gate, gate, NULL);
}

static void gate_wait(Gate *gate)
{
    g_mutex_lock(&gate->lock);
    while (!gate->blocked)
        g_cond_wait(&gate->cond, &gate->lock);
    g_mutex_unlock(&gate->lock);
}

static void gate_open(Gate *gate)
{
    gst_pad_remove_probe(gate->pad, gate->id);
    gst_object_unref(gate->pad);
    g_mutex_clear(&gate->lock);
    g_cond_clear(&gate->cond);
}

static gpointer push_until_not_ok(gpointer data)
{
    GstFlowReturn flow = GST_FLOW_OK;

    for (guint64 i = 0; flow == GST_FLOW_OK; i++)
        flow = push(data, i);
    return GINT_TO_POINTER(flow);
}

GST_START_TEST(flush_while_downstream_blocks)
{
    Fixture *f = start(__i__, SMALL, NULL);
    Gate gate;
    GThread *thread;

    gate_close(&gate, f);
    thread = g_thread_new("upstream", push_until_not_ok, f);
    gate_wait(&gate);
    ck_assert(send(f, gst_event_new_flush_start()));
    ck_assert_int_eq(GPOINTER_TO_INT(g_thread_join(thread)), GST_FLOW_FLUSHING);
    gate_open(&gate);
    ck_assert(send(f, gst_event_new_flush_stop(TRUE)));
    check_fresh_start(f);
    fixture_free(f);
}
GST_END_TEST

/* Whether a property changes right before the element looks at its pad; stands before
 * GStreamer's own function. */
static gint bypasses_late;

__attribute__((visibility("default"))) gboolean gst_pad_check_reconfigure(GstPad *pad)
{
    if (g_atomic_int_compare_and_exchange(&bypasses_late, 1, 0)) {
        g_autoptr(GstElement) element = gst_pad_get_parent_element(pad);
        g_object_set(element, "bypass-pixels", (guint64)1, NULL);
    }
    return REAL(gst_pad_check_reconfigure)(pad);
}

/* A run has ended, and what it left behind is still on its way, when frames begin to pass
 * through: its pictures, which are repacked as they leave, still want the pool. */
GST_START_TEST(a_bypass_lets_the_last_run_out)
{
    Fixture *f = start(1, "video/x-raw,format=v210,width=48,height=16,framerate=20/1",
                       "multiplier=3");
    GstSegment segment;
    Gate gate;

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    wait_for_buffers(f, 1);
    gate_close(&gate, f);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    gate_wait(&gate);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = 100 * MS;
    ck_assert(send(f, gst_event_new_segment(&segment)));
    g_atomic_int_set(&bypasses_late, 1);
    ck_assert_int_eq(push(f, 2), GST_FLOW_OK);
    gate_open(&gate);
    finish(f);
    ck_assert_int_eq(g_atomic_int_get(&bypasses_late), 0);
    ck_assert_uint_eq(n_buffers(f), 2 * 3 + 1);
    ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, 3)), 50 * MS);
    ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, 6)), 100 * MS);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(eos_waits_for_the_engine)
{
    Fixture *f = start(__i__, LARGE, "multiplier=6");

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 12);
    ck_assert_int_eq(last_event_index(f, GST_EVENT_EOS), (int)f->items->len - 1);
    fixture_free(f);
}
GST_END_TEST

static GstFlowReturn downstream_answer;

static GstFlowReturn answer_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    (void)pad;
    (void)parent;
    gst_buffer_unref(buffer);
    return (GstFlowReturn)g_atomic_int_get(&downstream_answer);
}

static const GstFlowReturn answers[] = {GST_FLOW_NOT_LINKED, GST_FLOW_ERROR,
                                        GST_FLOW_FLUSHING, GST_FLOW_EOS};

GST_START_TEST(downstream_answers_go_upstream)
{
    GstFlowReturn answer = answers[__i__ / N_MODES];
    Fixture *f = start(__i__ % N_MODES, SMALL, NULL);
    g_autoptr(GError) error = NULL;

    gst_pad_set_chain_function(f->harness->sinkpad, answer_buffer);
    g_atomic_int_set(&downstream_answer, answer);
    ck_assert_int_eq(GPOINTER_TO_INT(push_until_not_ok(f)), answer);
    /* The element does not fail by itself: upstream knows. */
    error = posted_error(f);
    ck_assert_ptr_eq(error, NULL);
    gst_harness_push_event(f->harness, gst_event_new_eos());
    if (answer == GST_FLOW_EOS)
        wait_for_event(f, GST_EVENT_EOS);
    fixture_free(f);
}
GST_END_TEST

/* After its last buffer upstream would not see the error: the element posts it. */
GST_START_TEST(an_error_behind_the_last_frame_is_posted)
{
    Fixture *f = start(__i__, SMALL, NULL);
    g_autoptr(GError) error = NULL;

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    wait_for_buffers(f, 1);
    gst_pad_set_chain_function(f->harness->sinkpad, answer_buffer);
    g_atomic_int_set(&downstream_answer, GST_FLOW_ERROR);
    gst_harness_push_event(f->harness, gst_event_new_eos());
    wait_for_event(f, GST_EVENT_EOS);
    error = posted_error(f);
    ck_assert(g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED));
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_segment_after_downstream_eos_starts_again)
{
    Fixture *f = start(__i__, SMALL, NULL);

    gst_pad_set_chain_function(f->harness->sinkpad, answer_buffer);
    g_atomic_int_set(&downstream_answer, GST_FLOW_EOS);
    push_until_not_ok(f);
    g_atomic_int_set(&downstream_answer, GST_FLOW_OK);
    fixture_clear(f);
    send_segment(f);
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    wait_for_buffers(f, 3);
    ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, 0)), 0);
    fixture_free(f);
}
GST_END_TEST

/* What left, in order: a letter an item. */
static char *order(Fixture *f)
{
    GString *letters = g_string_new(NULL);

    for (guint i = 0; i < f->items->len; i++) {
        Item *item = g_ptr_array_index(f->items, i);
        if (item->buffer != NULL)
            g_string_append_c(
                letters,
                GST_BUFFER_FLAG_IS_SET(item->buffer, GST_BUFFER_FLAG_GAP) ? 'd' : 'b');
        else
            switch (GST_EVENT_TYPE(item->event)) {
            case GST_EVENT_GAP:
                g_string_append_c(letters, 'G');
                break;
            case GST_EVENT_TAG:
                g_string_append_c(letters, 'T');
                break;
            case GST_EVENT_SEGMENT:
                g_string_append_c(letters, 'S');
                break;
            case GST_EVENT_EOS:
                g_string_append_c(letters, 'E');
                break;
            case GST_EVENT_CUSTOM_DOWNSTREAM:
                g_string_append_c(letters, 'C');
                break;
            default:
                break;
            }
    }
    return g_string_free(letters, FALSE);
}

static void check_order(Fixture *f, const char *wanted)
{
    g_autofree char *found = order(f);

    ck_assert_str_eq(found, wanted);
}

GST_START_TEST(a_gap_breaks_the_pair_and_keeps_its_place)
{
    Fixture *f = start(__i__, SMALL, NULL);

    ck_assert(send(f, gst_event_new_gap(0, 50 * MS)));
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    ck_assert_int_eq(push(f, 2), GST_FLOW_OK);
    ck_assert(send(f, gst_event_new_gap(150 * MS, 250 * MS)));
    ck_assert_int_eq(push(f, 8), GST_FLOW_OK);
    finish(f);
    check_order(f, "SGbbbdGbdE");
    assert_flag(nth_buffer(f, 4), GST_BUFFER_FLAG_DISCONT, TRUE);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_gap_waits_for_the_engine)
{
    Fixture *f = start(__i__, LARGE, "multiplier=3");

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    ck_assert(send(f, gst_event_new_gap(100 * MS, 50 * MS)));
    finish(f);
    check_order(f, "SbbbbddGE");
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(other_events_keep_their_place)
{
    Fixture *f = start(__i__, SMALL, NULL);

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert(send(f, gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "x", NULL))));
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    ck_assert(send(f, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                           gst_structure_new_empty("test"))));
    ck_assert_int_eq(push(f, 2), GST_FLOW_OK);
    finish(f);
    check_order(f, "SbTbbCbbdE");
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_still_frame_ends_the_run)
{
    Fixture *f = start(__i__, SMALL, NULL);

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert(send(f, gst_video_event_new_still_frame(TRUE)));
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    finish(f);
    check_order(f, "SbdCbdE");
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(the_same_segment_again_keeps_the_pair)
{
    Fixture *f = start(__i__, SMALL, NULL);

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    send_segment(f);
    ck_assert_int_eq(push(f, 1), GST_FLOW_OK);
    finish(f);
    check_order(f, "SbSbbdE");
    fixture_free(f);
}
GST_END_TEST

/* Its answer speaks for everything before it. */
GST_START_TEST(a_drain_query_lets_frames_out)
{
    Fixture *f = start(__i__, LARGE, NULL);
    g_autoptr(GstQuery) query = gst_query_new_drain();
    GstBuffer *held = flat_frame(f, 5, 50 * MS, 50 * MS);
    GstBuffer *kept = gst_buffer_ref(held);

    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    ck_assert_int_eq(gst_harness_push(f->harness, held), GST_FLOW_OK);
    gst_pad_peer_query(f->harness->srcpad, query);
    ck_assert_uint_eq(n_buffers(f), 3);
    /* The record, the harness and this test have it; the element has a copy. */
    gst_harness_set_drop_buffers(f->harness, TRUE);
    ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(nth_buffer(f, 2)),
                     nth_buffer(f, 2) == kept ? 3 : 2);
    ck_assert_int_eq(push(f, 2), GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);
    gst_buffer_unref(kept);
    fixture_free(f);
}
GST_END_TEST

static void check_allocation(Fixture *f, gboolean with_meta)
{
    g_autoptr(GstCaps) caps = gst_caps_from_string(SMALL);
    g_autoptr(GstQuery) query = gst_query_new_allocation(caps, TRUE);
    g_autoptr(GstBufferPool) pool = NULL;
    guint size, min, max;

    ck_assert(gst_pad_peer_query(f->harness->srcpad, query));
    ck_assert_uint_ge(gst_query_get_n_allocation_pools(query), 1);
    gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &min, &max);
    ck_assert_uint_ge(min, 3);
    ck_assert_uint_ge(size, 16 * 16 * 3 / 2);
    ck_assert_int_eq(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL),
                     with_meta);
}

/* GstVideoMeta goes downstream with the originals: it is offered if it is understood. */
GST_START_TEST(allocation_offers_what_downstream_understands)
{
    Fixture *f = start(__i__, SMALL, NULL);

    check_allocation(f, FALSE);
    fixture_free(f);

    f = fixture_new(in_flight_mode(__i__), NULL);
    gst_harness_add_propose_allocation_meta(f->harness, GST_VIDEO_META_API_TYPE, NULL);
    fixture_set_caps(f, SMALL, NULL);
    check_allocation(f, TRUE);
    fixture_free(f);
}
GST_END_TEST

static gpointer query_allocation(gpointer data)
{
    Fixture *f = data;
    g_autoptr(GstCaps) caps = gst_caps_from_string(SMALL);
    g_autoptr(GstQuery) query = gst_query_new_allocation(caps, TRUE);

    return GINT_TO_POINTER(gst_pad_peer_query(f->harness->srcpad, query));
}

static gpointer query_drain(gpointer data)
{
    Fixture *f = data;
    g_autoptr(GstQuery) query = gst_query_new_drain();

    return GINT_TO_POINTER(gst_pad_peer_query(f->harness->srcpad, query));
}

/* With the task: the query waits behind a frame that downstream does not take. */
GST_START_TEST(a_flush_answers_waiting_queries)
{
    Fixture *f = fixture_new(2, NULL);
    Gate gate;
    GThread *thread;

    fixture_set_caps(f, SMALL, NULL);
    gate_close(&gate, f);
    ck_assert_int_eq(push(f, 0), GST_FLOW_OK);
    gate_wait(&gate);
    thread = g_thread_new("upstream", __i__ ? query_drain : query_allocation, f);
    ck_assert(send(f, gst_event_new_flush_start()));
    ck_assert_int_eq(GPOINTER_TO_INT(g_thread_join(thread)), FALSE);
    gate_open(&gate);
    ck_assert(send(f, gst_event_new_flush_stop(TRUE)));
    check_fresh_start(f);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-flow");
    TCase *tcase = tcase_create("flow");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, flush_while_idle, 0, N_MODES);
    tcase_add_test(tcase, flush_while_computing);
    tcase_add_loop_test(tcase, flush_while_downstream_blocks, 0, N_MODES);
    tcase_add_test(tcase, a_bypass_lets_the_last_run_out);
    tcase_add_loop_test(tcase, eos_waits_for_the_engine, 0, N_MODES);
    tcase_add_loop_test(tcase, downstream_answers_go_upstream, 0,
                        N_MODES * (int)G_N_ELEMENTS(answers));
    tcase_add_loop_test(tcase, an_error_behind_the_last_frame_is_posted, 0, N_MODES);
    tcase_add_loop_test(tcase, a_segment_after_downstream_eos_starts_again, 0, N_MODES);
    tcase_add_loop_test(tcase, a_gap_breaks_the_pair_and_keeps_its_place, 0, N_MODES);
    tcase_add_loop_test(tcase, a_gap_waits_for_the_engine, 0, N_MODES);
    tcase_add_loop_test(tcase, other_events_keep_their_place, 0, N_MODES);
    tcase_add_loop_test(tcase, a_still_frame_ends_the_run, 0, N_MODES);
    tcase_add_loop_test(tcase, the_same_segment_again_keeps_the_pair, 0, N_MODES);
    tcase_add_loop_test(tcase, a_drain_query_lets_frames_out, 0, N_MODES);
    tcase_add_loop_test(tcase, allocation_offers_what_downstream_understands, 0, N_MODES);
    tcase_add_loop_test(tcase, a_flush_answers_waiting_queries, 0, 2);
    return element_main(argc, argv, suite);
}
