/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/clip.h"

#include <stdio.h>

#include <gst/app/app.h>
#include <gst/pbutils/pbutils.h>

#include "compare/video.h"

/* How long to wait for a frame before looking whether there was an error. */
#define LOOK_AGAIN (100 * GST_MSECOND)

/* How long a pipeline that failed may take to say why. */
#define SAY_WHY GST_SECOND

#define NO_VIDEO "there is no video in it"

struct Clip {
    char *name; /* for messages */
    gboolean is_local;
    GstElement *pipeline;
    GstElement *convert;
    GstAppSink *sink;
    GstVideoInfo info;
    ClipFrame *first; /* decoded when the clip was opened, until it is asked for */
    GstClockTime from, end;
    GstClockTime last; /* time of the frame that was read last */
    guint most_frames, n_frames;
};

ClipFrame *clip_frame_ref(ClipFrame *frame)
{
    return g_rc_box_acquire(frame);
}

static void frame_clear(void *data)
{
    ClipFrame *frame = data;

    gst_video_frame_unmap(&frame->video);
}

void clip_frame_unref(ClipFrame *frame)
{
    if (frame != NULL)
        g_rc_box_release_full(frame, frame_clear);
}

static gboolean fail(const Clip *clip, GError **error, int code, const char *text)
{
    g_set_error(error, GST_STREAM_ERROR, code, "%s: %s", clip->name, text);
    return FALSE;
}

/* TRUE if @message says that a plugin is missing for something that may be the video. */
static gboolean is_about_video(GstMessage *message)
{
    const GstCaps *caps = NULL;

    if (!gst_is_missing_plugin_message(message))
        return FALSE;
    gst_structure_get(gst_message_get_structure(message), "detail", GST_TYPE_CAPS, &caps,
                      NULL);
    g_autoptr(GstCaps) owned = (GstCaps *)caps;

    return owned == NULL || gst_caps_is_empty(owned) || gst_caps_is_any(owned) ||
           !g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(owned, 0)),
                             "audio/");
}

static gboolean fail_for_missing(const Clip *clip, const char *missing, GError **error)
{
    g_autofree char *text =
        g_strdup_printf("it needs %s, which GStreamer does not find; install the package "
                        "with that plugin (gstreamer1.0-libav has most decoders)",
                        missing);

    return fail(clip, error, GST_STREAM_ERROR_CODEC_NOT_FOUND, text);
}

/* Looks for errors, for @wait if there is none. What sound tracks lack does not count; if
 * that is all, there is no video. */
static gboolean check_bus(const Clip *clip, GstClockTime wait, GError **error)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(clip->pipeline);
    g_autofree char *missing = NULL;

    for (;;) {
        g_autoptr(GstMessage) message = gst_bus_timed_pop_filtered(
            bus, wait, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
        g_autoptr(GError) found = NULL;

        if (message == NULL)
            return TRUE;
        if (missing == NULL && is_about_video(message))
            missing = gst_missing_plugin_message_get_description(message);
        if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR)
            continue;
        gst_message_parse_error(message, &found, NULL);
        if (missing != NULL)
            return fail_for_missing(clip, missing, error);
        if (g_error_matches(found, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN))
            return fail(clip, error, GST_STREAM_ERROR_WRONG_TYPE, NO_VIDEO);
        g_propagate_prefixed_error(error, g_steal_pointer(&found), "%s: ", clip->name);
        return FALSE;
    }
}

static void link_video(Clip *clip, GstPad *pad)
{
    g_autoptr(GstPad) sink = gst_element_get_static_pad(clip->convert, "sink");
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);

    if (caps == NULL)
        caps = gst_pad_query_caps(pad, NULL);
    if (!gst_pad_is_linked(sink) && gst_caps_get_size(caps) > 0 &&
        gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw"))
        gst_pad_link(pad, sink);
}

/* Called from a streaming thread, before anything else needs the pad. */
static void check_for_video(Clip *clip)
{
    g_autoptr(GstPad) sink = gst_element_get_static_pad(clip->convert, "sink");

    if (!gst_pad_is_linked(sink))
        GST_ELEMENT_ERROR(clip->convert, STREAM, WRONG_TYPE, ("%s", NO_VIDEO), (NULL));
}

static gboolean build(Clip *clip, const char *uri, GError **error)
{
    g_autoptr(GstCaps) any_video = gst_caps_from_string("video/x-raw(ANY)");
    g_autoptr(GstCaps) wanted = video_caps();
    GstElement *source = gst_element_factory_make("uridecodebin", NULL);
    GstElement *convert = gst_element_factory_make("videoconvert", NULL);
    GstElement *sink = gst_element_factory_make("appsink", NULL);

    clip->pipeline = gst_object_ref_sink(gst_pipeline_new(NULL));
    if (source == NULL || convert == NULL || sink == NULL) {
        g_clear_pointer(&source, gst_object_unref);
        g_clear_pointer(&convert, gst_object_unref);
        g_clear_pointer(&sink, gst_object_unref);
        return fail(clip, error, GST_STREAM_ERROR_FAILED,
                    "GStreamer lacks uridecodebin, videoconvert or appsink; install "
                    "gst-plugins-base (gstreamer1.0-plugins-base)");
    }
    clip->convert = convert;
    clip->sink = GST_APP_SINK(sink);
    g_object_set(source, "uri", uri, "caps", any_video, "expose-all-streams", FALSE,
                 NULL);
    g_object_set(sink, "caps", wanted, "sync", FALSE, "max-buffers", 3u,
                 "enable-last-sample", FALSE, NULL);
    g_signal_connect_swapped(source, "pad-added", G_CALLBACK(link_video), clip);
    g_signal_connect_swapped(source, "no-more-pads", G_CALLBACK(check_for_video), clip);
    gst_bin_add_many(GST_BIN(clip->pipeline), source, convert, sink, NULL);
    if (!gst_element_link(convert, sink))
        return fail(clip, error, GST_STREAM_ERROR_FAILED, "videoconvert has no output");
    return TRUE;
}

/* The next sample; NULL without an error at the end. */
static GstSample *pull(Clip *clip, GError **error)
{
    for (;;) {
        GstSample *sample = gst_app_sink_try_pull_sample(clip->sink, LOOK_AGAIN);

        if (sample != NULL)
            return sample;
        if (!check_bus(clip, 0, error) || gst_app_sink_is_eos(clip->sink))
            return NULL;
    }
}

ClipPatience clip_patience(gint64 waited, gboolean is_local)
{
    gint64 seconds = waited / G_USEC_PER_SEC;
    if (is_local && seconds >= 60)
        return CLIP_GIVE_UP;
    return seconds >= 10 ? CLIP_TELL : CLIP_WAIT;
}

static gboolean preroll(Clip *clip, GError **error)
{
    gint64 begun = g_get_monotonic_time();
    gboolean told = FALSE;

    for (;;) {
        GstStateChangeReturn result =
            gst_element_get_state(clip->pipeline, NULL, NULL, LOOK_AGAIN);

        if (!check_bus(clip, result == GST_STATE_CHANGE_FAILURE ? SAY_WHY : 0, error))
            return FALSE;
        if (result == GST_STATE_CHANGE_FAILURE)
            return fail(clip, error, GST_STREAM_ERROR_FAILED, "it cannot be played");
        if (result != GST_STATE_CHANGE_ASYNC)
            return TRUE;
        ClipPatience patience =
            clip_patience(g_get_monotonic_time() - begun, clip->is_local);

        if (patience == CLIP_GIVE_UP)
            return fail(clip, error, GST_STREAM_ERROR_FAILED,
                        "no frame came of it in a minute; see whether it plays with "
                        "gst-play-1.0");
        if (patience == CLIP_TELL && !told)
            fprintf(stderr, "still opening %s\n", clip->name);
        told = patience == CLIP_TELL;
    }
}

static gboolean seek(Clip *clip, const ClipPart *part, GError **error)
{
    GstSeekType stop = part->to != 0 ? GST_SEEK_TYPE_SET : GST_SEEK_TYPE_NONE;
    GstSeekFlags how = GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE;

    if (part->from == 0 && part->to == 0)
        return TRUE;
    if (!gst_element_seek(clip->pipeline, 1.0, GST_FORMAT_TIME, how, GST_SEEK_TYPE_SET,
                          (gint64)part->from, stop, (gint64)part->to))
        return check_bus(clip, 0, error) &&
               fail(clip, error, GST_STREAM_ERROR_FAILED,
                    "a part of it cannot be chosen, for it cannot be sought in; leave "
                    "out --from and --to");
    return preroll(clip, error);
}

static gboolean is_interlaced(const GstVideoInfo *info, GstBuffer *buffer)
{
    switch (GST_VIDEO_INFO_INTERLACE_MODE(info)) {
    case GST_VIDEO_INTERLACE_MODE_PROGRESSIVE:
        return FALSE;
    case GST_VIDEO_INTERLACE_MODE_MIXED:
        return GST_BUFFER_FLAG_IS_SET(buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
    default:
        return TRUE;
    }
}

/* TRUE if frames of @info may follow those of the clip. */
static gboolean is_same_video(const Clip *clip, const GstVideoInfo *info)
{
    return GST_VIDEO_INFO_FORMAT(info) == GST_VIDEO_INFO_FORMAT(&clip->info) &&
           GST_VIDEO_INFO_WIDTH(info) == GST_VIDEO_INFO_WIDTH(&clip->info) &&
           GST_VIDEO_INFO_HEIGHT(info) == GST_VIDEO_INFO_HEIGHT(&clip->info);
}

static gboolean check_frame(Clip *clip, const GstVideoInfo *info, GstBuffer *buffer,
                            GError **error)
{
    g_autofree char *text = NULL;

    if (is_interlaced(info, buffer))
        return fail(clip, error, GST_STREAM_ERROR_FORMAT,
                    "it is interlaced; deinterlace it first (ffmpeg -vf bwdif, or "
                    "GStreamer's deinterlace), for half pictures cannot be compared");
    if (is_same_video(clip, info))
        return TRUE;
    text = g_strdup_printf(
        "frame %u is %s of %dx%d, those before are %s of %dx%d; choose a "
        "part with frames of one size",
        clip->n_frames, GST_VIDEO_INFO_NAME(info), info->width, info->height,
        GST_VIDEO_INFO_NAME(&clip->info), clip->info.width, clip->info.height);
    return fail(clip, error, GST_STREAM_ERROR_FORMAT, text);
}

/* Frames of raw streams may lie before the start of what was sought. */
static gboolean is_in_part(const GstSegment *segment, GstBuffer *buffer)
{
    GstClockTime time = GST_BUFFER_PTS(buffer);

    return !GST_CLOCK_TIME_IS_VALID(time) || segment->format != GST_FORMAT_TIME ||
           (time >= segment->start &&
            (!GST_CLOCK_TIME_IS_VALID(segment->stop) || time < segment->stop));
}

/* Streams without times have the rate of their caps. */
static GstClockTime time_of(const Clip *clip, const GstSegment *segment,
                            GstBuffer *buffer)
{
    GstClockTime time = GST_BUFFER_PTS(buffer);
    int fps_n = GST_VIDEO_INFO_FPS_N(&clip->info),
        fps_d = GST_VIDEO_INFO_FPS_D(&clip->info);

    if (GST_CLOCK_TIME_IS_VALID(time) && segment->format == GST_FORMAT_TIME)
        time = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, time);
    if (GST_CLOCK_TIME_IS_VALID(time))
        return time;
    return fps_n > 0 ? gst_util_uint64_scale(clip->n_frames, (guint64)fps_d * GST_SECOND,
                                             (guint64)fps_n)
                     : clip->n_frames * (GST_SECOND / 25);
}

static ClipFrame *frame_of(Clip *clip, GstSample *sample, GError **error)
{
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    GstVideoInfo info;

    if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample))) {
        fail(clip, error, GST_STREAM_ERROR_FORMAT, "its frames have no size or format");
        return NULL;
    }
    if (clip->n_frames == 0)
        clip->info = info;
    if (!check_frame(clip, &info, buffer, error))
        return NULL;

    ClipFrame *frame = g_rc_box_new0(ClipFrame);

    if (!gst_video_frame_map(&frame->video, &info, buffer, GST_MAP_READ)) {
        g_rc_box_release(frame);
        fail(clip, error, GST_STREAM_ERROR_FAILED, "a frame of it cannot be read");
        return NULL;
    }
    frame->index = clip->n_frames;
    frame->time = time_of(clip, gst_sample_get_segment(sample), buffer);
    return frame;
}

static gboolean read_frame(Clip *clip, ClipFrame **frame, GError **error)
{
    g_autoptr(GError) failed = NULL;

    *frame = NULL;
    if (clip->most_frames != 0 && clip->n_frames >= clip->most_frames)
        return TRUE;
    for (;;) {
        g_autoptr(GstSample) sample = pull(clip, &failed);

        if (sample != NULL &&
            !is_in_part(gst_sample_get_segment(sample), gst_sample_get_buffer(sample)))
            continue;
        if (sample != NULL)
            *frame = frame_of(clip, sample, &failed);
        break;
    }
    if (failed != NULL) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    if (*frame != NULL) {
        clip->last = (*frame)->time;
        clip->n_frames++;
    }
    return TRUE;
}

gboolean clip_next(Clip *clip, ClipFrame **frame, GError **error)
{
    *frame = g_steal_pointer(&clip->first);
    return *frame != NULL || read_frame(clip, frame, error);
}

Clip *clip_open(const ClipPart *part, GError **error)
{
    g_autoptr(Clip) clip = g_new0(Clip, 1);
    g_autofree char *uri = NULL;
    gint64 duration = 0;

    clip->name = g_filename_display_basename(part->path);
    /* A file first: "Movie: part 1.mkv" is a valid URI, too. */
    clip->is_local = g_file_test(part->path, G_FILE_TEST_IS_REGULAR);
    if (clip->is_local)
        uri = gst_filename_to_uri(part->path, error);
    else if (gst_uri_is_valid(part->path))
        uri = g_strdup(part->path);
    else
        fail(clip, error, GST_STREAM_ERROR_FAILED, "there is no such file");
    clip->from = part->from;
    clip->most_frames = part->most_frames;
    gst_video_info_init(&clip->info);
    if (uri == NULL || !build(clip, uri, error))
        return NULL;

    gst_element_set_state(clip->pipeline, GST_STATE_PAUSED);
    if (!preroll(clip, error) || !seek(clip, part, error))
        return NULL;
    if (gst_element_query_duration(clip->pipeline, GST_FORMAT_TIME, &duration))
        clip->end = (GstClockTime)MAX(duration, 0);
    if (part->to != 0 && (clip->end == 0 || part->to < clip->end))
        clip->end = part->to;
    gst_element_set_state(clip->pipeline, GST_STATE_PLAYING);
    if (!read_frame(clip, &clip->first, error))
        return NULL;
    if (clip->first == NULL) {
        fail(clip, error, GST_STREAM_ERROR_FAILED,
             "there is no frame in this part of it");
        return NULL;
    }
    return g_steal_pointer(&clip);
}

void clip_close(Clip *clip)
{
    if (clip == NULL)
        return;
    clip_frame_unref(clip->first);
    if (clip->pipeline != NULL)
        gst_element_set_state(clip->pipeline, GST_STATE_NULL);
    gst_clear_object(&clip->pipeline);
    g_free(clip->name);
    g_free(clip);
}

const GstVideoInfo *clip_info(const Clip *clip)
{
    return &clip->info;
}

double clip_progress(const Clip *clip)
{
    double by_time = 0, by_count = 0;

    if (clip->end > clip->from && clip->last > clip->from)
        by_time = (double)(clip->last - clip->from) / (double)(clip->end - clip->from);
    if (clip->most_frames != 0)
        by_count = (double)clip->n_frames / clip->most_frames;
    return CLAMP(MAX(by_time, by_count), 0, 1);
}
