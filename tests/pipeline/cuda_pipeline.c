/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cuda_pipeline.h"

#include <stdio.h>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

VfiSimulatedCounters counters(void)
{
    VfiSimulatedCounters now;

    vfi_simulated_counters(&now);
    return now;
}

/* ---- pipelines --------------------------------------------------------------------- */

GstElement *parse(const char *line)
{
    g_autoptr(GError) error = NULL;
    GstElement *pipeline = gst_parse_launch(line, &error);

    ck_assert_msg(error == NULL, "%s: %s", line, error != NULL ? error->message : "");
    return pipeline;
}

void set_state(GstElement *pipeline, GstState state)
{
    ck_assert_int_ne(gst_element_set_state(pipeline, state), GST_STATE_CHANGE_FAILURE);
}

void release(GstElement *pipeline)
{
    set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

GError *wait_for_end(GstElement *pipeline)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
        bus, PATIENCE, (GstMessageType)(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    GError *error = NULL;

    ck_assert(message != NULL);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    return error;
}

void run_to_end(const char *line)
{
    GstElement *pipeline = parse(line);
    g_autoptr(GError) error = NULL;

    set_state(pipeline, GST_STATE_PLAYING);
    error = wait_for_end(pipeline);
    ck_assert_msg(error == NULL, "%s: %s", line, error != NULL ? error->message : "");
    release(pipeline);
}

void unref_sample(gpointer sample)
{
    gst_sample_unref(sample);
}

GPtrArray *collect_from(GstElement *pipeline)
{
    GPtrArray *samples = g_ptr_array_new_with_free_func(unref_sample);
    g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    g_autoptr(GError) error = NULL;
    GstSample *sample;

    /* the sink has no limit and keeps them */
    error = wait_for_end(pipeline);
    while (error == NULL &&
           (sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), 0)) != NULL)
        g_ptr_array_add(samples, sample);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    return samples;
}

GPtrArray *collect(const char *line)
{
    GstElement *pipeline = parse(line);
    GPtrArray *samples;

    set_state(pipeline, GST_STATE_PLAYING);
    samples = collect_from(pipeline);
    release(pipeline);
    return samples;
}

char *source(const char *pattern, int n, const char *format, int width, int height)
{
    return g_strdup_printf(
        "videotestsrc pattern=%s num-buffers=%d ! video/x-raw,format=%s,"
        "width=%d,height=%d,framerate=15/1 ! ",
        pattern, n, format, width, height);
}

/* ---- pictures ---------------------------------------------------------------------- */

static int plane_difference(const GstVideoFrame *a, const GstVideoFrame *b, guint plane)
{
    gint component[GST_VIDEO_MAX_COMPONENTS];
    int most = 0;

    gst_video_format_info_component(a->info.finfo, plane, component);
    int rows = GST_VIDEO_FRAME_COMP_HEIGHT(a, component[0]);
    int bytes = GST_VIDEO_FRAME_COMP_WIDTH(a, component[0]) *
                GST_VIDEO_FRAME_COMP_PSTRIDE(a, component[0]);
    for (int y = 0; y < rows; y++) {
        const guint8 *in_a = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(a, plane) +
                             y * GST_VIDEO_FRAME_PLANE_STRIDE(a, plane);
        const guint8 *in_b = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(b, plane) +
                             y * GST_VIDEO_FRAME_PLANE_STRIDE(b, plane);
        for (int x = 0; x < bytes; x++)
            most = MAX(most, ABS(in_a[x] - in_b[x]));
    }
    return most;
}

int difference(GstSample *a, GstSample *b)
{
    GstVideoInfo info_a, info_b;
    GstVideoFrame in_a, in_b;
    int most = 0;

    ck_assert(gst_video_info_from_caps(&info_a, gst_sample_get_caps(a)));
    ck_assert(gst_video_info_from_caps(&info_b, gst_sample_get_caps(b)));
    ck_assert(gst_video_info_is_equal(&info_a, &info_b));
    ck_assert(
        gst_video_frame_map(&in_a, &info_a, gst_sample_get_buffer(a), GST_MAP_READ));
    ck_assert(
        gst_video_frame_map(&in_b, &info_b, gst_sample_get_buffer(b), GST_MAP_READ));
    for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&in_a); plane++)
        most = MAX(most, plane_difference(&in_a, &in_b, plane));
    gst_video_frame_unmap(&in_a);
    gst_video_frame_unmap(&in_b);
    return most;
}

void check_alike(const char *what, GPtrArray *found, GPtrArray *wanted, int most)
{
    ck_assert_msg(found->len == wanted->len, "%s: %u frames, not %u", what, found->len,
                  wanted->len);
    for (guint i = 0; i < wanted->len; i++) {
        GstBuffer *a = gst_sample_get_buffer(found->pdata[i]);
        GstBuffer *b = gst_sample_get_buffer(wanted->pdata[i]);
        int differs = difference(found->pdata[i], wanted->pdata[i]);
        ck_assert_msg(GST_BUFFER_PTS(a) == GST_BUFFER_PTS(b), "%s: PTS of %u", what, i);
        ck_assert_msg(differs <= most, "%s: frame %u differs by %d", what, i, differs);
    }
}

/* ---- fed by the test --------------------------------------------------------------- */

Fed fed_new(const char *behind)
{
    g_autofree char *line = g_strdup_printf(
        "appsrc name=in format=time ! vfiinterp name=v device=cuda model=blend "
        "scene-threshold=0 %s",
        behind);
    Fed fed = {.pipeline = parse(line)};

    fed.in = gst_bin_get_by_name(GST_BIN(fed.pipeline), "in");
    set_state(fed.pipeline, GST_STATE_PLAYING);
    return fed;
}

void feed(Fed *fed, GPtrArray *frames, gboolean bare)
{
    for (guint i = 0; i < frames->len; i++) {
        g_autoptr(GstSample) sample = gst_sample_copy(frames->pdata[i]);
        g_autoptr(GstBuffer) buffer = gst_buffer_copy(gst_sample_get_buffer(sample));
        GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
        GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(fed->n_pushed++, GST_SECOND, 15);
        GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DISCONT);
        if (bare && meta != NULL)
            gst_buffer_remove_meta(buffer, (GstMeta *)meta);
        gst_sample_set_buffer(sample, buffer);
        ck_assert_int_eq(gst_app_src_push_sample(GST_APP_SRC(fed->in), sample),
                         GST_FLOW_OK);
    }
}

void fed_end(Fed *fed)
{
    gst_app_src_end_of_stream(GST_APP_SRC(fed->in));
}

void fed_free(Fed *fed)
{
    gst_object_unref(fed->in);
    release(fed->pipeline);
}

GPtrArray *uploaded(const char *from)
{
    g_autofree char *line = g_strdup_printf("%s cudaupload ! " IN_CUDA SINK, from);

    return collect(line);
}

GPtrArray *on_the_cpu(const char *from)
{
    g_autofree char *line =
        g_strdup_printf("%s vfiinterp model=blend scene-threshold=0" SINK, from);

    return collect(line);
}

/* ------------------------------------------------------------------------------------ */

int cuda_main(int argc, char **argv, void (*add_tests)(TCase *tcase))
{
    g_autofree char *name = g_path_get_basename(argv[0]);
    g_autoptr(GstElementFactory) upload = NULL;
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner;
    int failed;

    gst_check_init(&argc, &argv);
    upload = gst_element_factory_find("cudaupload");
    if (upload == NULL) {
        printf("1..0 # SKIP there are no GStreamer elements for CUDA memory\n");
        return 0;
    }
    suite_add_tcase(suite, tcase);
    add_tests(tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
