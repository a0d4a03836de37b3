/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole pipelines: launch lines that must run to their end, a hundred seeks, and the
 * expected flow (pts, duration, flags and CRC of every buffer) of a small clip. */
#include <gst/app/gstappsink.h>
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Only for a broken element: a pipeline that takes this long has hung. */
#define PATIENCE (60 * GST_SECOND)

static const char *const in_flight[] = {"0", "2", "-1"};
#define N_MODES ((int)G_N_ELEMENTS(in_flight))

static const char *const lines[] = {
    "videotestsrc num-buffers=30 pattern=ball ! video/x-raw,framerate=15/1 ! "
    "vfiinterp model=blend max-in-flight=%s ! video/x-raw,framerate=60/1 ! fakesink",
    "videotestsrc num-buffers=10 pattern=ball ! video/x-raw,framerate=24/1 ! "
    "vfiinterp model=blend max-in-flight=%s ! queue ! videoconvert ! fakesink",
    "videotestsrc num-buffers=5 is-live=true ! video/x-raw,framerate=100/1 ! "
    "vfiinterp model=blend max-in-flight=%s ! fakesink sync=true",
    "videotestsrc num-buffers=8 ! video/x-raw,format=NV12,framerate=25/1 ! "
    "vfiinterp model=blend max-in-flight=%s ! vfiinterp model=blend multiplier=3 ! "
    "video/x-raw,framerate=150/1 ! fakesink",
    "videotestsrc num-buffers=8 ! video/x-raw,framerate=25/1 ! tee name=t ! queue ! "
    "vfiinterp model=blend max-in-flight=%s ! fakesink t. ! queue ! "
    "vfiinterp model=blend multiplier=4 ! fakesink",
    "videotestsrc num-buffers=8 ! video/x-raw,format=AYUV,framerate=25/1 ! "
    "vfiinterp model=blend max-in-flight=%s ! videoscale ! "
    "video/x-raw,width=100,height=50 ! fakesink",
    "videotestsrc num-buffers=12 ! video/x-raw,framerate=24/1 ! "
    "vfiinterp model=blend max-in-flight=%s ! video/x-raw,framerate=60/1 ! fakesink",
    "videotestsrc num-buffers=12 ! video/x-raw,framerate=25/1 ! "
    "vfiinterp model=blend max-in-flight=%s ! video/x-raw,framerate=60000/1001 ! "
    "vfiinterp model=blend ! video/x-raw,framerate=90/1 ! fakesink",
    "videotestsrc num-buffers=6 ! videorate ! video/x-raw,framerate=30000/1001 ! "
    "vfiinterp model=blend max-in-flight=%s ! video/x-raw,framerate=30000/1001 ! "
    "fakesink",
};

static GstElement *launch(const char *line, const char *mode)
{
    g_auto(GStrv) parts = g_strsplit(line, "%s", 2);
    g_autofree char *text = g_strconcat(parts[0], mode, parts[1], NULL);
    g_autoptr(GError) error = NULL;
    GstElement *pipeline = gst_parse_launch(text, &error);

    ck_assert_msg(error == NULL, "%s: %s", text, error != NULL ? error->message : "");
    return pipeline;
}

static void wait_for(GstElement *pipeline, GstMessageType type)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    g_autoptr(GstMessage) message =
        gst_bus_timed_pop_filtered(bus, PATIENCE, type | GST_MESSAGE_ERROR);

    ck_assert_msg(message != NULL, "no %s message came", gst_message_type_get_name(type));
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        g_autoptr(GError) error = NULL;
        gst_message_parse_error(message, &error, NULL);
        ck_abort_msg("%s", error->message);
    }
}

static void stop(GstElement *pipeline)
{
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

GST_START_TEST(launch_lines_run)
{
    GstElement *pipeline = launch(lines[__i__ / N_MODES], in_flight[__i__ % N_MODES]);

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    wait_for(pipeline, GST_MESSAGE_EOS);
    stop(pipeline);
}
GST_END_TEST

static void settle(GstElement *pipeline)
{
    ck_assert_int_eq(gst_element_get_state(pipeline, NULL, NULL, PATIENCE),
                     GST_STATE_CHANGE_SUCCESS);
}

static void seek(GstElement *pipeline, GstClockTime position)
{
    ck_assert(gst_element_seek_simple(pipeline, GST_FORMAT_TIME,
                                      GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                                      (gint64)position));
    settle(pipeline);
}

GST_START_TEST(a_hundred_seeks)
{
    GstElement *pipeline =
        launch("videotestsrc ! video/x-raw,format=I420,width=160,height=120,"
               "framerate=25/1 ! vfiinterp model=blend multiplier=4 max-in-flight=%s ! "
               "fakesink name=sink sync=false",
               in_flight[__i__]);
    guint32 state = 1;
    gint64 position = -1;

    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    settle(pipeline);
    for (int i = 0; i < 100; i++) {
        state = state * 1664525u + 1013904223u;
        gst_element_set_state(pipeline, i % 2 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
        seek(pipeline, 40 * GST_MSECOND * ((state >> 8) % 1000));
    }
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    settle(pipeline);
    seek(pipeline, 400 * GST_MSECOND);
    ck_assert(gst_element_query_position(pipeline, GST_FORMAT_TIME, &position));
    ck_assert_int_eq(position, 400 * GST_MSECOND);
    stop(pipeline);
}
GST_END_TEST

static guint32 plane_crc(guint32 crc, GstVideoFrame *frame, guint plane)
{
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame, plane); y++)
        crc = (guint32)crc32(crc,
                             (const Bytef *)GST_VIDEO_FRAME_PLANE_DATA(frame, plane) +
                                 (gssize)y * GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane),
                             (uInt)GST_VIDEO_FRAME_COMP_WIDTH(frame, plane));
    return crc;
}

/* A line of the expected flow; planar formats of 8 bits. */
static void describe(GString *text, GstSample *sample)
{
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    GstVideoInfo info;
    GstVideoFrame frame;
    guint32 crc = 0;

    ck_assert(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
    ck_assert(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frame); plane++)
        crc = plane_crc(crc, &frame, plane);
    gst_video_frame_unmap(&frame);
    g_string_append_printf(
        text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "%s%s %08x\n",
        GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer),
        GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT) ? " discont" : "",
        GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) ? " gap" : "", crc);
}

/* Six frames of a gradient that only this test makes, so that no other element's picture
 * is part of what is expected. */
static void feed(GstElement *source)
{
    GstFlowReturn flow;

    for (guint64 i = 0; i < 6; i++) {
        GstBuffer *buffer = gst_buffer_new_allocate(NULL, 32 * 24 * 3 / 2, NULL);
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_WRITE);
        for (gsize k = 0; k < map.size; k++)
            map.data[k] = (guint8)(k * 7 + i * i * 13);
        gst_buffer_unmap(buffer, &map);
        GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(i, 1001 * GST_SECOND, 24000);
        g_signal_emit_by_name(source, "push-buffer", buffer, &flow);
        gst_buffer_unref(buffer);
    }
    g_signal_emit_by_name(source, "end-of-stream", &flow);
}

/* Times that reach the sink. */
typedef struct {
    gint n;
    GstClockTime first, last;
} Shown;

static GstPadProbeReturn note_shown(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Shown *shown = data;

    (void)pad;
    shown->last = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
    if (shown->n++ == 0)
        shown->first = shown->last;
    return GST_PAD_PROBE_OK;
}

/* At 25 fps in and 60 fps out; limits in ms that lie inside pairs. */
static const struct {
    double rate;
    GstSeekFlags flags;
    gint64 start, stop;
} kinds[] = {
    {1.0, GST_SEEK_FLAG_ACCURATE, 415, 835},
    {2.0, GST_SEEK_FLAG_ACCURATE, 400, 835},
    {0.5, GST_SEEK_FLAG_NONE, 415, 600},
    {1.0, GST_SEEK_FLAG_KEY_UNIT, 200, 610},
};

GST_START_TEST(seeks_of_all_kinds_end)
{
    GstElement *pipeline =
        launch("videotestsrc ! video/x-raw,format=I420,width=32,height=32,"
               "framerate=25/1 ! vfiinterp model=blend max-in-flight=%s ! "
               "video/x-raw,framerate=60/1 ! fakesink name=sink sync=false",
               in_flight[__i__]);
    g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    g_autoptr(GstPad) pad = gst_element_get_static_pad(sink, "sink");
    Shown shown = {0};

    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    settle(pipeline);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, note_shown, &shown, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        GstClockTime from = (GstClockTime)kinds[i].start * GST_MSECOND;
        GstClockTime end = (GstClockTime)kinds[i].stop * GST_MSECOND;
        ck_assert(gst_element_seek(pipeline, kinds[i].rate, GST_FORMAT_TIME,
                                   kinds[i].flags | GST_SEEK_FLAG_FLUSH,
                                   GST_SEEK_TYPE_SET, (gint64)from, GST_SEEK_TYPE_SET,
                                   (gint64)end));
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        wait_for(pipeline, GST_MESSAGE_EOS);
        ck_assert_uint_le(shown.first, from + 40 * GST_MSECOND);
        ck_assert_uint_lt(shown.last, end);
        ck_assert_uint_ge(shown.last + 40 * GST_MSECOND, end);
        ck_assert_int_ge(shown.n,
                         (gint)((kinds[i].stop - kinds[i].start) * 60 / 1000) - 2);
        shown = (Shown){0};
    }
    stop(pipeline);
}
GST_END_TEST

GST_START_TEST(the_flow_is_as_expected)
{
    GstElement *pipeline =
        launch("appsrc name=source format=time caps=video/x-raw,format=I420,width=32,"
               "height=24,framerate=24000/1001 ! vfiinterp model=blend multiplier=3 "
               "max-in-flight=%s ! appsink name=sink sync=false",
               in_flight[__i__]);
    g_autoptr(GstElement) source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
    g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    g_autoptr(GString) found = g_string_new(NULL);
    g_autofree char *path =
        g_build_filename(g_getenv("VFI_TEST_DATA"), "blend.flow", NULL);
    g_autofree char *wanted = NULL;
    GstSample *sample;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    feed(source);
    while ((sample = gst_app_sink_pull_sample(GST_APP_SINK(sink))) != NULL) {
        describe(found, sample);
        gst_sample_unref(sample);
    }
    ck_assert(g_file_get_contents(path, &wanted, NULL, NULL));
    ck_assert_msg(strcmp(found->str, wanted) == 0, "expected\n%sfound\n%s", wanted,
                  found->str);
    stop(pipeline);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("pipeline-flow");
    TCase *tcase = tcase_create("flow");
    SRunner *runner;
    int failed;

    gst_check_init(&argc, &argv);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, launch_lines_run, 0, N_MODES * (int)G_N_ELEMENTS(lines));
    tcase_add_loop_test(tcase, a_hundred_seeks, 0, N_MODES);
    tcase_add_loop_test(tcase, seeks_of_all_kinds_end, 0, N_MODES);
    tcase_add_loop_test(tcase, the_flow_is_as_expected, 0, N_MODES);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
