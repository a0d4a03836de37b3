/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps: what is accepted, what is chosen, and what happens when they change. */
#include "fixture.h"

#include <string.h>

#define MS GST_MSECOND
#define I420_AT(rate) "video/x-raw,format=I420,width=16,height=16,framerate=" rate

static void check_output_rate(Fixture *f, int num, int den)
{
    GstCaps *caps;
    GstVideoInfo info;

    gst_event_parse_caps(last_event(f, GST_EVENT_CAPS), &caps);
    ck_assert(gst_video_info_from_caps(&info, caps));
    ck_assert_int_eq(info.fps_n, num);
    ck_assert_int_eq(info.fps_d, den);
}

static void push_one(Fixture *f, GstClockTime pts, GstFlowReturn wanted)
{
    ck_assert_int_eq(
        gst_harness_push(f->harness,
                         flat_frame(f, (int)(pts / (50 * MS) % 200), pts, 50 * MS)),
        wanted);
}

/* The first buffer that fails is answered at once or, with the task, by a later one. */
static GstFlowReturn push_until_refused(Fixture *f)
{
    GstFlowReturn flow = GST_FLOW_OK;

    for (int i = 0; flow == GST_FLOW_OK; i++)
        flow =
            gst_harness_push(f->harness, flat_frame(f, 5, (guint64)i * 50 * MS, 50 * MS));
    return flow;
}

typedef struct {
    const char *in;
    const char *out;
    int num, den;
} Rate;

static const Rate rates[] = {
    {"25/1", NULL, 50, 1},
    {"24/1", "video/x-raw,framerate=48/1", 48, 1},
    {"15/1", "video/x-raw,framerate=60/1", 60, 1},
    {"24/1", "video/x-raw,framerate=60/1", 60, 1},
    {"24000/1001", NULL, 48000, 1001},
    {"24000/1001", "video/x-raw,framerate=60000/1001", 60000, 1001},
    {"0/1", "video/x-raw,framerate=60/1", 60, 1},
    {"30000/1001", "video/x-raw,framerate=60000/1001", 60000, 1001},
    {"30/1", "video/x-raw,framerate=30/1", 30, 1},
    {"30/1", "video/x-raw,framerate=[1/1,100/1]", 60, 1},
    {"0/1", NULL, 0, 1},
};

GST_START_TEST(rates_are_chosen)
{
    const Rate *rate = &rates[__i__ / N_MODES];
    Fixture *f = fixture_new(in_flight_mode(__i__ % N_MODES), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, rate->in);

    fixture_set_caps(f, caps, rate->out);
    push_one(f, 0, GST_FLOW_OK);
    finish(f);
    check_output_rate(f, rate->num, rate->den);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(equal_rates_leave_buffers_alone)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    GstBuffer *buffer;

    fixture_set_caps(f, I420_AT("30/1"), "video/x-raw,framerate=30/1");
    buffer = flat_frame(f, 5, 123, 456);
    GST_BUFFER_OFFSET(buffer) = 77;
    GST_BUFFER_DTS(buffer) = 100;
    ck_assert_int_eq(gst_harness_push(f->harness, gst_buffer_ref(buffer)), GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 1);
    ck_assert_ptr_eq(nth_buffer(f, 0), buffer);
    assert_times(buffer, 123, 456);
    ck_assert_uint_eq(GST_BUFFER_OFFSET(buffer), 77);
    ck_assert_uint_eq(GST_BUFFER_DTS(buffer), 100);
    gst_buffer_unref(buffer);
    fixture_free(f);
}
GST_END_TEST

/* Input, what downstream takes, properties, and words of the error. */
static const struct {
    const char *in, *out, *properties;
    GstStreamError code;
    const char *words[3];
} refused[] = {
    {I420_AT("30/1"),
     "video/x-raw,framerate=25/1",
     NULL,
     GST_STREAM_ERROR_FORMAT,
     {"30/1", "25/1", "'videorate'"}},
    {I420_AT("30/1"),
     "video/x-raw,framerate=[1/1,20/1]",
     NULL,
     GST_STREAM_ERROR_FORMAT,
     {"30/1", "20/1", "'videorate'"}},
    {I420_AT("1/1"),
     "video/x-raw,framerate=2000/1",
     NULL,
     GST_STREAM_ERROR_FORMAT,
     {"2000/1", "1000 times", "'videorate' after"}},
    {I420_AT("30/1"),
     "video/x-raw,framerate=0/1",
     NULL,
     GST_STREAM_ERROR_FORMAT,
     {"30/1", "variable", "`multipliers`"}},
    {I420_AT("25/1") ",interlace-mode=interleaved",
     "video/x-raw,framerate=60/1",
     "unsupported=passthrough",
     GST_STREAM_ERROR_FORMAT,
     {"25/1", "60/1", "'deinterlace'"}},
    {I420_AT("25/1") ",multiview-mode=side-by-side",
     "video/x-raw,framerate=60/1",
     "unsupported=passthrough",
     GST_STREAM_ERROR_FORMAT,
     {"several views", "60/1", "'videorate'"}},
    {I420_AT("25/1"),
     "video/x-raw,format=NV12",
     NULL,
     GST_STREAM_ERROR_FORMAT,
     {"I420 16x16", "NV12", "'videoconvertscale'"}},
    {"video/x-raw,format=v216,width=16,height=16,framerate=25/1",
     NULL,
     NULL,
     GST_STREAM_ERROR_WRONG_TYPE,
     {"v216", "16 bits", "'videoconvert'"}},
    {"video/x-raw,format=RGB8P,width=16,height=16,framerate=25/1",
     NULL,
     "unsupported=passthrough",
     GST_STREAM_ERROR_WRONG_TYPE,
     {"RGB8P", "palette", "'videoconvert'"}},
    {"video/x-raw,format=GRAY8,width=20000,height=2,framerate=25/1",
     NULL,
     NULL,
     GST_STREAM_ERROR_WRONG_TYPE,
     {"20000x2", "16384", "'videoscale'"}},
    {"video/x-raw(memory:GLMemory),format=RGBA,width=16,height=16,framerate=25/1",
     NULL,
     NULL,
     GST_STREAM_ERROR_WRONG_TYPE,
     {"RGBA", "memory:GLMemory", "'gldownload'"}},
};

/* The CAPS query does not offer it; who sends it all the same gets the reason, once. */
GST_START_TEST(refusals_say_why)
{
    const int which = __i__ / N_MODES;
    Fixture *f = fixture_new(in_flight_mode(__i__ % N_MODES), refused[which].properties);
    g_autoptr(GstCaps) in = gst_caps_from_string(refused[which].in);
    g_autoptr(GstCaps) offered = NULL;
    g_autoptr(GError) error = NULL;

    if (refused[which].out != NULL)
        gst_harness_set_sink_caps_str(f->harness, refused[which].out);
    offered = gst_pad_peer_query_caps(f->harness->srcpad, NULL);
    ck_assert(!gst_caps_can_intersect(offered, in) ||
              strstr(refused[which].in, "multiview") != NULL);
    fixture_set_caps(f, refused[which].in, refused[which].out);
    ck_assert_int_eq(push_until_refused(f), GST_FLOW_NOT_NEGOTIATED);
    push_one(f, 5000 * MS, GST_FLOW_NOT_NEGOTIATED);
    error = posted_error(f);
    ck_assert_msg(g_error_matches(error, GST_STREAM_ERROR, (gint)refused[which].code),
                  "%s", error != NULL ? error->message : "no error");
    for (guint i = 0; i < G_N_ELEMENTS(refused[which].words); i++)
        ck_assert_msg(strstr(error->message, refused[which].words[i]) != NULL, "%s",
                      error->message);
    ck_assert_ptr_eq(posted_error(f), NULL);
    fixture_free(f);
}
GST_END_TEST

static guint n_warnings(Fixture *f, const char *word)
{
    GstMessage *message;
    guint n = 0;

    while ((message = gst_bus_pop_filtered(f->bus, GST_MESSAGE_WARNING)) != NULL) {
        g_autoptr(GError) warning = NULL;
        gst_message_parse_warning(message, &warning, NULL);
        ck_assert_msg(strstr(warning->message, word) != NULL, "%s", warning->message);
        gst_message_unref(message);
        n++;
    }
    return n;
}

/* As images come whose caps say no rate: the first one at 0, the others at no time. */
GST_START_TEST(frames_without_times_are_warned_about)
{
    static const char *const unknown[] = {"", ",framerate=0/1"};

    for (guint i = 0; i < G_N_ELEMENTS(unknown); i++) {
        Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
        g_autofree char *caps =
            g_strconcat("video/x-raw,format=I420,width=16,height=16", unknown[i], NULL);

        fixture_set_caps(f, caps, NULL);
        for (int n = 0; n < 10; n++)
            ck_assert_int_eq(
                gst_harness_push(f->harness,
                                 flat_frame(f, n, n == 0 ? 0 : GST_CLOCK_TIME_NONE,
                                            GST_CLOCK_TIME_NONE)),
                GST_FLOW_OK);
        finish(f);
        ck_assert_uint_eq(counter(f, "drop"), 9);
        ck_assert_uint_eq(n_warnings(f, "framerate"), 1);
        ck_assert_ptr_eq(posted_error(f), NULL);
        fixture_free(f);
    }
}
GST_END_TEST

/* Times follow from the rate. */
GST_START_TEST(frames_of_a_constant_rate_need_no_times)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);

    fixture_set_caps(f, I420_AT("20/1"), NULL);
    for (int n = 0; n < 10; n++)
        ck_assert_int_eq(
            gst_harness_push(f->harness,
                             flat_frame(f, n, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE)),
            GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 20);
    ck_assert_uint_eq(n_warnings(f, "framerate"), 0);
    fixture_free(f);
}
GST_END_TEST

/* As appsrc sends them: no interlace-mode, no framerate. */
GST_START_TEST(sparse_caps_are_accepted)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);

    fixture_set_caps(f, "video/x-raw,format=I420,width=16,height=16", NULL);
    push_one(f, 0, GST_FLOW_OK);
    push_one(f, 50 * MS, GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 4);
    fixture_free(f);
}
GST_END_TEST

static const char *const interlaced[] = {"interleaved", "mixed", "alternate", "fields"};

static char *interlaced_caps(int which)
{
    return g_strdup_printf(
        "video/x-raw%s,format=I420,width=16,height=16,framerate=25/1,interlace-mode=%s",
        strcmp(interlaced[which], "alternate") == 0 ? "(format:Interlaced)" : "",
        interlaced[which]);
}

/* Does not offer interlaced video, but says what to do when it is forced. */
GST_START_TEST(interlaced_video_names_deinterlace)
{
    int which = __i__ / N_MODES;
    Fixture *f = fixture_new(in_flight_mode(__i__ % N_MODES), NULL);
    g_autofree char *caps = interlaced_caps(which);
    g_autoptr(GError) error = NULL;
    g_autoptr(GstCaps) offered = gst_pad_peer_query_caps(f->harness->srcpad, NULL);
    g_autoptr(GstCaps) wanted = gst_caps_from_string(caps);

    ck_assert(!gst_caps_can_intersect(offered, wanted));
    if (strcmp(interlaced[which], "alternate") == 0) { /* another memory feature */
        fixture_free(f);
        return;
    }
    fixture_set_caps(f, caps, NULL);
    ck_assert_int_eq(push_until_refused(f), GST_FLOW_NOT_NEGOTIATED);
    error = posted_error(f);
    ck_assert(g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE));
    ck_assert_msg(strstr(error->message, "deinterlace") != NULL, "%s", error->message);
    ck_assert_ptr_eq(posted_error(f), NULL);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(interlaced_video_passes_when_asked)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), "unsupported=passthrough");
    g_autofree char *caps = interlaced_caps(0);
    GstBuffer *buffer;

    fixture_set_caps(f, caps, NULL);
    buffer = flat_frame(f, 5, 0, 40 * MS);
    ck_assert_int_eq(gst_harness_push(f->harness, gst_buffer_ref(buffer)), GST_FLOW_OK);
    finish(f);
    check_output_rate(f, 25, 1);
    ck_assert_ptr_eq(nth_buffer(f, 0), buffer);
    gst_buffer_unref(buffer);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(other_fields_are_copied)
{
    static const char fields[] =
        ",pixel-aspect-ratio=(fraction)4/3,colorimetry=bt2100-pq,chroma-site=mpeg2"
        ",mastering-display-info=(string)35400:14600:8500:39850:6550:2300:15635:16450:"
        "10000000:1,content-light-level=(string)1000:400";
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *in = g_strconcat(
        "video/x-raw,format=I420_10LE,width=16,height=16,framerate=25/1", fields, NULL);
    g_autofree char *expected = g_strconcat(
        "video/x-raw,format=I420_10LE,width=16,height=16,framerate=50/1", fields, NULL);
    g_autoptr(GstCaps) wanted = gst_caps_from_string(expected);
    GstCaps *out;

    fixture_set_caps(f, in, NULL);
    finish(f);
    gst_event_parse_caps(last_event(f, GST_EVENT_CAPS), &out);
    ck_assert(gst_caps_is_equal(out, wanted));
    fixture_free(f);
}
GST_END_TEST

/* The run before new caps is completed under the old ones. */
static void check_change(int index, const char *before, const char *after)
{
    Fixture *f = fixture_new(in_flight_mode(index), NULL);
    guint caps_index;

    fixture_set_caps(f, before, NULL);
    push_frames(f, 2, 30);
    fixture_set_caps(f, after, NULL);
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, 80, 100 * MS, 50 * MS)),
                     GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(n_events(f, GST_EVENT_CAPS), 2);
    ck_assert_uint_eq(n_buffers(f), 6);
    caps_index = (guint)last_event_index(f, GST_EVENT_CAPS);
    for (guint64 i = 0, n = 0; i < f->items->len; i++) {
        Item *item = g_ptr_array_index(f->items, (guint)i);
        if (item->buffer == NULL)
            continue;
        ck_assert_int_eq(i > caps_index, n >= 4);
        ck_assert_uint_eq(GST_BUFFER_PTS(item->buffer), n * 25 * MS);
        n++;
    }
    ck_assert_uint_eq(counter(f, "interpolated"), 1);
    fixture_free(f);
}

GST_START_TEST(a_new_size_ends_the_run)
{
    check_change(__i__, I420_AT("20/1"),
                 "video/x-raw,format=I420,width=30,height=18,framerate=20/1");
}
GST_END_TEST

GST_START_TEST(a_new_colorimetry_ends_the_run)
{
    check_change(__i__, I420_AT("20/1") ",colorimetry=bt601",
                 I420_AT("20/1") ",colorimetry=bt709");
}
GST_END_TEST

/* The multiplier is a wish that may change while playing. */
GST_START_TEST(the_multiplier_changes_between_pairs)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);

    fixture_set_caps(f, I420_AT("20/1"), NULL);
    push_one(f, 0, GST_FLOW_OK);
    push_one(f, 50 * MS, GST_FLOW_OK);
    wait_for_buffers(f, 3);
    g_object_set(f->element, "multiplier", 4, NULL);
    push_one(f, 100 * MS, GST_FLOW_OK);
    wait_for_buffers(f, 7);
    g_object_set(f->element, "multiplier", 1, NULL);
    push_one(f, 150 * MS, GST_FLOW_OK);
    finish(f);
    check_output_rate(f, 20, 1);
    ck_assert_uint_eq(n_events(f, GST_EVENT_CAPS), 3);
    ck_assert_uint_eq(counter(f, "interpolated"), 4);
    /* The frame at 100 ms had been given a quarter of its time. */
    ck_assert_uint_eq(counter(f, "duplicate"), 3);
    ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, n_buffers(f) - 1)), 150 * MS);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(downstream_may_renegotiate)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);

    fixture_set_caps(f, I420_AT("20/1"), NULL);
    push_one(f, 0, GST_FLOW_OK);
    wait_for_buffers(f, 1);
    gst_harness_set_sink_caps_str(f->harness, "video/x-raw,framerate=60/1");
    ck_assert(gst_harness_push_upstream_event(f->harness, gst_event_new_reconfigure()));
    push_one(f, 50 * MS, GST_FLOW_OK);
    finish(f);
    check_output_rate(f, 60, 1);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(refused_caps_can_be_tried_again)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autoptr(GstPad) src = gst_element_get_static_pad(f->element, "src");

    fixture_set_caps(f, I420_AT("20/1"), NULL);
    push_one(f, 0, GST_FLOW_OK);
    wait_for_buffers(f, 1);
    gst_harness_set_sink_caps_str(f->harness, "video/x-raw,framerate=15/1");
    gst_pad_mark_reconfigure(src);
    ck_assert_int_eq(push_until_refused(f), GST_FLOW_NOT_NEGOTIATED);
    ck_assert(gst_pad_needs_reconfigure(src));
    gst_harness_set_sink_caps_str(f->harness, "video/x-raw,framerate=40/1");
    ck_assert(gst_harness_push_upstream_event(f->harness, gst_event_new_reconfigure()));
    push_one(f, 1000 * MS, GST_FLOW_OK);
    finish(f);
    check_output_rate(f, 40, 1);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-negotiate");
    TCase *tcase = tcase_create("negotiate");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, rates_are_chosen, 0, N_MODES * (int)G_N_ELEMENTS(rates));
    tcase_add_loop_test(tcase, equal_rates_leave_buffers_alone, 0, N_MODES);
    tcase_add_loop_test(tcase, refusals_say_why, 0, N_MODES * (int)G_N_ELEMENTS(refused));
    tcase_add_loop_test(tcase, frames_without_times_are_warned_about, 0, N_MODES);
    tcase_add_loop_test(tcase, frames_of_a_constant_rate_need_no_times, 0, N_MODES);
    tcase_add_loop_test(tcase, sparse_caps_are_accepted, 0, N_MODES);
    tcase_add_loop_test(tcase, interlaced_video_names_deinterlace, 0,
                        N_MODES * (int)G_N_ELEMENTS(interlaced));
    tcase_add_loop_test(tcase, interlaced_video_passes_when_asked, 0, N_MODES);
    tcase_add_loop_test(tcase, other_fields_are_copied, 0, N_MODES);
    tcase_add_loop_test(tcase, a_new_size_ends_the_run, 0, N_MODES);
    tcase_add_loop_test(tcase, a_new_colorimetry_ends_the_run, 0, N_MODES);
    tcase_add_loop_test(tcase, the_multiplier_changes_between_pairs, 0, N_MODES);
    tcase_add_loop_test(tcase, downstream_may_renegotiate, 0, N_MODES);
    tcase_add_loop_test(tcase, refused_caps_can_be_tried_again, 0, N_MODES);
    return element_main(argc, argv, suite);
}
