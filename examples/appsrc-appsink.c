/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An application's own frames in, its own frames out: raw RGB from standard input, more
 * of it on standard output.
 *
 *     ffmpeg -v error -i in.mp4 -f rawvideo -pix_fmt rgb24 - |
 *         appsrc-appsink flow 640 360 25 2 |
 *         ffplay -f rawvideo -pixel_format rgb24 -video_size 640x360 -framerate 50 -
 *
 * Build it elsewhere with: cc appsrc-appsink.c \
 *     $(pkg-config --cflags --libs gstreamer-app-1.0 gstreamer-video-1.0) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <gst/app/app.h>
#include <gst/gst.h>
#include <gst/video/video.h>

typedef struct {
    int width;
    int height;
    int rate;        /* frames a second that come in */
    int factor;      /* how many go out for each */
    guint64 read;    /* frames from standard input; the source's thread counts */
    guint64 written; /* frames to standard output; the sink's thread counts */
} Application;

/* Rows of the application follow each other without padding; GStreamer's own RGB rows are
 * padded to four bytes. The meta says which it is, so that nothing has to be copied. */
static void describe_rows(GstBuffer *buffer, const Application *application)
{
    gsize offset[GST_VIDEO_MAX_PLANES] = {0};
    gint stride[GST_VIDEO_MAX_PLANES] = {application->width * 3};

    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE,
                                   GST_VIDEO_FORMAT_RGB, (guint)application->width,
                                   (guint)application->height, 1, offset, stride);
}

/* Called by appsrc's thread whenever its queue has room. While downstream is busy it is
 * not called, and while it reads, downstream waits: neither end runs away. */
static void feed(GstAppSrc *source, guint length, gpointer user_data)
{
    Application *application = user_data;
    gsize size = (gsize)application->width * (gsize)application->height * 3;
    g_autofree guint8 *pixels = g_malloc(size);
    gsize found = fread(pixels, 1, size, stdin);

    (void)length;
    if (found == 0 && feof(stdin)) {
        gst_app_src_end_of_stream(source);
        return;
    }
    if (found != size) {
        GST_ELEMENT_ERROR(
            source, RESOURCE, READ, ("Standard input ends within a frame"),
            ("expected %" G_GSIZE_FORMAT " bytes, found %" G_GSIZE_FORMAT, size, found));
        return;
    }
    GstBuffer *buffer = gst_buffer_new_wrapped(g_steal_pointer(&pixels), size);
    describe_rows(buffer, application);
    /* From the count, not by adding durations: 1/30 s is no whole number of ns. */
    GST_BUFFER_PTS(buffer) =
        gst_util_uint64_scale_int(application->read * GST_SECOND, 1, application->rate);
    GST_BUFFER_DURATION(buffer) =
        gst_util_uint64_scale_int((application->read + 1) * GST_SECOND, 1,
                                  application->rate) -
        GST_BUFFER_PTS(buffer);
    application->read++;
    gst_app_src_push_buffer(source,
                            buffer); /* takes the buffer; fails only on shutdown */
}

/* Called by the sink's thread for each frame, those that came in and those between. */
static GstFlowReturn take(GstAppSink *sink, gpointer user_data)
{
    Application *application = user_data;
    g_autoptr(GstSample) sample = gst_app_sink_pull_sample(sink);
    gsize row = (gsize)application->width * 3, rows = 0;
    GstVideoInfo info;
    GstVideoFrame frame;

    if (sample == NULL) /* the pipeline is being stopped */
        return GST_FLOW_FLUSHING;
    if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
        !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample),
                             GST_MAP_READ)) {
        GST_ELEMENT_ERROR(sink, RESOURCE, READ, ("A frame cannot be read"), (NULL));
        return GST_FLOW_ERROR;
    }
    for (int y = 0; y < application->height; y++) {
        const guint8 *pixels = GST_VIDEO_FRAME_PLANE_DATA(&frame, 0);
        pixels += (gsize)y * (gsize)GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
        rows += fwrite(pixels, row, 1, stdout);
    }
    gst_video_frame_unmap(&frame);
    if (rows != (gsize)application->height) {
        GST_ELEMENT_ERROR(sink, RESOURCE, WRITE, ("Standard output takes no more"),
                          ("%s", g_strerror(errno)));
        return GST_FLOW_ERROR;
    }
    application->written++;
    return GST_FLOW_OK;
}

static GstElement *build(const char *model, Application *application)
{
    GstAppSrcCallbacks feeding = {.need_data = feed};
    GstAppSinkCallbacks taking = {.new_sample = take};
    GstElement *source = gst_element_factory_make("appsrc", NULL);
    GstElement *interpolate = gst_element_factory_make("vfiinterp", NULL);
    GstElement *sink = gst_element_factory_make("appsink", NULL);

    if (source == NULL || interpolate == NULL || sink == NULL) {
        g_printerr(
            "appsrc, vfiinterp or appsink is missing: is GST_PLUGIN_PATH right?\n");
        exit(EXIT_FAILURE);
    }
    g_autoptr(GstCaps) in = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT,
        application->width, "height", G_TYPE_INT, application->height, "framerate",
        GST_TYPE_FRACTION, application->rate, 1, NULL);
    /* What the sink accepts decides the rate that the element makes. */
    g_autoptr(GstCaps) out = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, "RGB", "framerate", GST_TYPE_FRACTION,
        application->rate * application->factor, 1, NULL);
    g_object_set(source, "caps", in, "format", GST_FORMAT_TIME, NULL);
    g_object_set(interpolate, "model", model, NULL);
    /* As quick as it goes, and never more than two frames that wait to be written. */
    g_object_set(sink, "caps", out, "sync", FALSE, "max-buffers", 2, NULL);
    gst_app_src_set_callbacks(GST_APP_SRC(source), &feeding, application, NULL);
    gst_app_sink_set_callbacks(GST_APP_SINK(sink), &taking, application, NULL);

    GstElement *pipeline = gst_pipeline_new(NULL);
    gst_bin_add_many(GST_BIN(pipeline), source, interpolate, sink, NULL);
    gst_element_link_many(source, interpolate, sink, NULL);
    return pipeline;
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    if (argc != 6) {
        g_printerr("usage: %s MODEL WIDTH HEIGHT RATE FACTOR <FRAMES >FRAMES\n", argv[0]);
        return 2;
    }
    Application application = {
        .width = (int)g_ascii_strtoll(argv[2], NULL, 10),
        .height = (int)g_ascii_strtoll(argv[3], NULL, 10),
        .rate = (int)g_ascii_strtoll(argv[4], NULL, 10),
        .factor = (int)g_ascii_strtoll(argv[5], NULL, 10),
    };
    if (application.width < 1 || application.height < 1 || application.rate < 1 ||
        application.factor < 1) {
        g_printerr("width, height, rate and factor are numbers of at least 1\n");
        return 2;
    }
    g_autoptr(GstElement) pipeline = build(argv[1], &application);
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);

    /* Whatever goes wrong is an error on the bus, also that the model does not open. */
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    gst_element_set_state(pipeline, GST_STATE_NULL); /* ends both threads */

    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        g_autoptr(GError) error = NULL;
        g_autofree char *details = NULL;
        gst_message_parse_error(message, &error, &details);
        g_printerr("%s\n%s\n", error->message, details != NULL ? details : "");
        return EXIT_FAILURE;
    }
    if (fflush(stdout) != 0) { /* the last frames may still have been in a buffer */
        g_printerr("Standard output takes no more: %s\n", g_strerror(errno));
        return EXIT_FAILURE;
    }
    g_printerr("%" G_GUINT64_FORMAT " frames in, %" G_GUINT64_FORMAT " out\n",
               application.read, application.written);
    return EXIT_SUCCESS;
}
