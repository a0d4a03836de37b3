/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties that treat single pairs, and properties that change while frames flow. */
#include "fixture.h"

#include <string.h>

#define MS GST_MSECOND

static Fixture *start(int mode, const char *properties, const char *rate)
{
    Fixture *f = fixture_new(in_flight_mode(mode), properties);
    g_autofree char *caps = video_caps("I420", 16, 16, rate);

    fixture_set_caps(f, caps, NULL);
    return f;
}

/* Frame @number of 20 fps, whose bytes are ten times the number. */
static void push_one(Fixture *f, guint64 number)
{
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, (int)number * 10,
                                                             number * 50 * MS, 50 * MS)),
                     GST_FLOW_OK);
}

static void push_range(Fixture *f, guint64 first, guint64 end)
{
    for (guint64 i = first; i < end; i++)
        push_one(f, i);
}

/* Of five pairs at a constant rate: one letter each, i for an in-between that was made, c
 * for a copy marked as GAP. */
static const struct {
    const char *properties;
    const char *pairs;
} selections[] = {
    {"skip-pairs=1,2", "iccii"}, {"skip-pairs=0-3", "cccci"}, {"only-pairs=1,4", "cicci"},
    {"skip-pairs=4,0", "ciiic"}, {"only-pairs=2-9", "cciii"}, {"skip-pairs=9", "iiiii"},
    {"only-pairs=100", "ccccc"},
};

static void check_pairs(Fixture *f, const char *pairs)
{
    for (guint64 i = 0; pairs[i] != '\0'; i++) {
        GstBuffer *original = nth_buffer(f, 2 * i);
        GstBuffer *between = nth_buffer(f, 2 * i + 1);
        gboolean copy = pairs[i] == 'c';
        assert_times(original, i * 50 * MS, 25 * MS);
        assert_times(between, i * 50 * MS + 25 * MS, 25 * MS);
        ck_assert_int_eq(first_byte(&f->info, original), (int)i * 10);
        ck_assert_int_eq(first_byte(&f->info, between), (int)i * 10 + (copy ? 0 : 5));
        assert_flag(between, GST_BUFFER_FLAG_GAP, copy);
        assert_flag(original, GST_BUFFER_FLAG_GAP, FALSE);
    }
}

GST_START_TEST(pairs_are_selected)
{
    Fixture *f = start(__i__ % N_MODES, selections[__i__ / N_MODES].properties, "20/1");

    push_range(f, 0, 6);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 12);
    check_pairs(f, selections[__i__ / N_MODES].pairs);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(pairs_count_from_a_new_segment)
{
    Fixture *f = start(__i__, "only-pairs=1", "20/1");
    GstSegment segment;

    push_range(f, 0, 3);
    wait_for_buffers(f, 5);
    check_pairs(f, "ci");
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.base = 150 * MS;
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_segment(&segment)));
    wait_for_buffers(f, 6);
    fixture_clear(f);
    push_range(f, 0, 3);
    finish(f);
    check_pairs(f, "ci");
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(pairs_count_from_a_flush)
{
    Fixture *f = start(__i__, "only-pairs=1", "20/1");
    GstSegment segment;

    push_range(f, 0, 3);
    wait_for_buffers(f, 5);
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_start()));
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE)));
    gst_segment_init(&segment, GST_FORMAT_TIME);
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_segment(&segment)));
    fixture_clear(f);
    push_range(f, 0, 3);
    finish(f);
    check_pairs(f, "ci");
    fixture_free(f);
}
GST_END_TEST

/* At a variable output rate every pair has its own multiplier, and a skipped one none. */
GST_START_TEST(multipliers_are_for_single_pairs)
{
    Fixture *f = start(__i__, "multipliers=4,1,5 multiplier=2 skip-pairs=3", "0/1");
    const double times[] = {0,   12.5, 25,  37.5, 50,  100, 110,
                            120, 130,  140, 150,  200, 225};
    const guint n = G_N_ELEMENTS(times);

    push_range(f, 0, 6);
    finish(f);
    for (guint i = 0; i < n; i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        ck_assert_uint_eq(GST_BUFFER_PTS(buffer), (GstClockTime)(times[i] * (double)MS));
        if (i + 1 < n)
            ck_assert_uint_eq(GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer),
                              (GstClockTime)(times[i + 1] * (double)MS));
        assert_flag(buffer, GST_BUFFER_FLAG_GAP, FALSE);
    }
    ck_assert_uint_eq(n_buffers(f), n + 2); /* frame 5 and its copy */
    ck_assert_uint_eq(counter(f, "interpolated"), 3 + 4 + 1);
    fixture_free(f);
}
GST_END_TEST

static const char *const wrong[] = {
    "skip-pairs=1 only-pairs=2",
    "skip-pairs=1-",
    "skip-pairs=5-2",
    "only-pairs=x",
    "multipliers=0",
    "multipliers=2,1001",
};

GST_START_TEST(wrong_lists_fail_at_ready)
{
    g_auto(GStrv) parts = g_strsplit_set(wrong[__i__], " =", -1);
    GstElement *element = gst_element_factory_make("vfiinterp", NULL);
    GstBus *bus = gst_bus_new();
    GstMessage *message;
    GError *error;

    gst_element_set_bus(element, bus);
    g_object_set(element, "model", "blend", NULL);
    for (guint i = 0; parts[i] != NULL; i += 2)
        g_object_set(element, parts[i], parts[i + 1], NULL);
    ck_assert_int_eq(gst_element_set_state(element, GST_STATE_READY),
                     GST_STATE_CHANGE_FAILURE);
    message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    ck_assert(message != NULL);
    gst_message_parse_error(message, &error, NULL);
    ck_assert(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
    ck_assert(strstr(error->message, parts[0]) != NULL);
    g_error_free(error);
    gst_message_unref(message);
    for (guint i = 0; parts[i] != NULL; i += 2)
        g_object_set(element, parts[i], "", NULL);
    ck_assert_int_eq(gst_element_set_state(element, GST_STATE_READY),
                     GST_STATE_CHANGE_SUCCESS);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    gst_object_unref(bus);
    gst_object_unref(element);
}
GST_END_TEST

GST_START_TEST(selections_change_between_pairs)
{
    Fixture *f = start(__i__, NULL, "20/1");

    push_range(f, 0, 2);
    wait_for_buffers(f, 3);
    g_object_set(f->element, "skip-pairs", "1-3", NULL);
    push_range(f, 2, 4);
    wait_for_buffers(f, 7);
    g_object_set(f->element, "skip-pairs", "", NULL);
    push_range(f, 4, 6);
    finish(f);
    /* What a pair gets is decided when its first frame comes. */
    check_pairs(f, "iicci");
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_wrong_list_ends_the_stream)
{
    Fixture *f = start(__i__, NULL, "20/1");
    g_autoptr(GError) error = NULL;
    GstFlowReturn flow = GST_FLOW_OK;

    push_range(f, 0, 2);
    wait_for_buffers(f, 3);
    g_object_set(f->element, "skip-pairs", "1", "only-pairs", "2", NULL);
    for (guint64 i = 2; i < 50 && flow == GST_FLOW_OK; i++)
        flow = gst_harness_push(f->harness, flat_frame(f, (int)i, i * 50 * MS, 50 * MS));
    ck_assert_int_eq(flow, GST_FLOW_ERROR);
    error = posted_error(f);
    ck_assert(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
    fixture_free(f);
}
GST_END_TEST

/* 20 fps: frames 60 ms apart are a gap of more than 55 ms, and not one of 60 ms. */
static const struct {
    guint64 max_gap;
    gboolean gap;
} gaps[] = {
    {60 * MS, FALSE},
    {60 * MS - 1, TRUE},
    {0, FALSE},
};

GST_START_TEST(max_gap_is_the_longest_pair)
{
    Fixture *f = start(__i__ % N_MODES, NULL, "20/1");
    gboolean gap = gaps[__i__ / N_MODES].gap;

    g_object_set(f->element, "max-gap", gaps[__i__ / N_MODES].max_gap, NULL);
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, 0, 0, 50 * MS)), 0);
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, 60, 60 * MS, 50 * MS)),
                     0);
    finish(f);
    ck_assert_uint_eq(n_events(f, GST_EVENT_GAP), gap);
    ck_assert_uint_eq(n_buffers(f), 4);
    ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, 1)), gap ? 25 * MS : 30 * MS);
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 1)), gap ? 0 : 30);
    assert_flag(nth_buffer(f, 1), GST_BUFFER_FLAG_GAP, gap);
    assert_flag(nth_buffer(f, 2), GST_BUFFER_FLAG_DISCONT, gap);
    if (gap) {
        GstClockTime pts, duration;
        gst_event_parse_gap(last_event(f, GST_EVENT_GAP), &pts, &duration);
        ck_assert_uint_eq(pts, 50 * MS);
        ck_assert_uint_eq(duration, 10 * MS);
    }
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(max_gap_changes_between_pairs)
{
    Fixture *f = start(__i__, NULL, "20/1");

    push_range(f, 0, 2);
    wait_for_buffers(f, 3);
    g_object_set(f->element, "max-gap", (guint64)(49 * MS), NULL);
    push_one(f, 2);
    wait_for_buffers(f, 5);
    ck_assert_uint_eq(counter(f, "interpolated"), 1);
    g_object_set(f->element, "max-gap", (guint64)0, NULL);
    push_one(f, 3);
    wait_for_buffers(f, 7);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(tail_changes_while_playing)
{
    Fixture *f = start(__i__, NULL, "20/1");

    push_range(f, 0, 2);
    wait_for_buffers(f, 3);
    gst_util_set_object_arg(G_OBJECT(f->element), "tail", "none");
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 3);
    fixture_free(f);
}
GST_END_TEST

/* 1 passes buffers through; caps change once each way. */
GST_START_TEST(multiplier_1_and_back)
{
    Fixture *f = start(__i__, NULL, "20/1");
    GstBuffer *untouched;

    push_range(f, 0, 2);
    wait_for_buffers(f, 3);
    g_object_set(f->element, "multiplier", 1, NULL);
    untouched = gst_buffer_ref(flat_frame(f, 20, 100 * MS, 50 * MS));
    ck_assert_int_eq(gst_harness_push(f->harness, untouched), GST_FLOW_OK);
    push_one(f, 3);
    wait_for_buffers(f, 6);
    ck_assert_ptr_eq(nth_buffer(f, 4), untouched);
    gst_buffer_unref(untouched);
    ck_assert_uint_eq(n_events(f, GST_EVENT_CAPS), 2);
    g_object_set(f->element, "multiplier", 2, NULL);
    push_range(f, 4, 6);
    finish(f);
    ck_assert_uint_eq(n_events(f, GST_EVENT_CAPS), 3);
    ck_assert_uint_eq(n_buffers(f), 10);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);
    fixture_free(f);
}
GST_END_TEST

static Suite *properties_suite(void)
{
    Suite *suite = suite_create("properties");
    TCase *tcase = tcase_create("properties");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, pairs_are_selected, 0,
                        N_MODES * (int)G_N_ELEMENTS(selections));
    tcase_add_loop_test(tcase, pairs_count_from_a_new_segment, 0, N_MODES);
    tcase_add_loop_test(tcase, pairs_count_from_a_flush, 0, N_MODES);
    tcase_add_loop_test(tcase, multipliers_are_for_single_pairs, 0, N_MODES);
    tcase_add_loop_test(tcase, wrong_lists_fail_at_ready, 0, (int)G_N_ELEMENTS(wrong));
    tcase_add_loop_test(tcase, selections_change_between_pairs, 0, N_MODES);
    tcase_add_loop_test(tcase, a_wrong_list_ends_the_stream, 0, N_MODES);
    tcase_add_loop_test(tcase, max_gap_is_the_longest_pair, 0,
                        N_MODES * (int)G_N_ELEMENTS(gaps));
    tcase_add_loop_test(tcase, max_gap_changes_between_pairs, 0, N_MODES);
    tcase_add_loop_test(tcase, tail_changes_while_playing, 0, N_MODES);
    tcase_add_loop_test(tcase, multiplier_1_and_back, 0, N_MODES);
    return suite;
}

int main(int argc, char **argv)
{
    return element_main(argc, argv, properties_suite());
}
