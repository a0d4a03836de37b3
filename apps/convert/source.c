/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/source.h"

#include <gst/app/gstappsink.h>

#include "convert/pipeline.h"
#include "convert/rate.h"

/* Decoders need some frames after a seek before everything is as it was without. */
#define RUN_UP (2 * GST_SECOND)

/* Containers round times to milliseconds. */
#define ROUNDING (GST_MSECOND / 2)

struct _Source {
    gchar *path, *stream_id, *filter, *formats;
    GstClockTime from, to;
    int slow_n, slow_d;
    const Interrupt *interrupt;
    GstElement *pipeline, *sink;
    GstCaps *caps;
    GstSample *first;       /* pulled by source_open(), not yet taken */
    GstClockTime next_time; /* of a frame that does not know its own */
    /* Stream time of what plays at running time 0; a transport stream's need not be 0. */
    GstClockTime first_time;
};

const char *source_stream_id(const Media *media)
{
    /* Not every demuxer names an only track alike each time. */
    return media->tracks->len > 1 ? media->video->stream_id : NULL;
}

void source_frame_free(SourceFrame *frame)
{
    if (frame == NULL)
        return;
    gst_buffer_unref(frame->buffer);
    g_free(frame);
}

static void checksum_plane(GChecksum *sum, const GstVideoFrame *frame, guint plane)
{
    guint component = 0;
    while ((guint)GST_VIDEO_FRAME_COMP_PLANE(frame, component) != plane)
        component++;
    int stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane);
    int step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, component);
    int bytes = step > 0 ? step * GST_VIDEO_FRAME_COMP_WIDTH(frame, component) : stride;
    const guint8 *row = GST_VIDEO_FRAME_PLANE_DATA(frame, plane);
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame, component); y++, row += stride)
        g_checksum_update(sum, row, bytes);
}

gchar *source_checksum(const GstCaps *caps, SourceFrame *const *frames, guint count)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_MD5);
    GstVideoInfo info;
    gst_video_info_from_caps(&info, caps);
    for (guint i = 0; i < count; i++) {
        GstVideoFrame frame;
        if (!gst_video_frame_map(&frame, &info, frames[i]->buffer, GST_MAP_READ))
            continue;
        for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frame); plane++)
            checksum_plane(sum, &frame, plane);
        gst_video_frame_unmap(&frame);
    }
    return g_strdup(g_checksum_get_string(sum));
}

/* Nothing but the video is decoded. */
static gboolean is_to_be_decoded(GstElement *decode, GstPad *pad, GstCaps *caps,
                                 gpointer data)
{
    (void)decode;
    (void)pad;
    (void)data;
    const char *name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
    return !g_str_has_prefix(name, "audio/") && !g_str_has_prefix(name, "text/") &&
           !g_str_has_prefix(name, "subpicture/") &&
           !g_str_has_prefix(name, "application/x-subtitle") &&
           !g_str_has_prefix(name, "application/x-ssa") &&
           !g_str_has_prefix(name, "application/x-ass") &&
           !g_str_has_prefix(name, "application/x-usf");
}

static void link_video(GstElement *decode, GstPad *pad, gpointer data)
{
    Source *source = data;
    (void)decode;
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
    if (caps == NULL)
        caps = gst_pad_query_caps(pad, NULL);
    const char *name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
    g_autofree gchar *stream_id = gst_pad_get_stream_id(pad);
    if (!g_str_has_prefix(name, "video/x-raw") ||
        (source->stream_id != NULL && g_strcmp0(stream_id, source->stream_id) != 0))
        return;
    GstElement *head = pipeline_element(source->pipeline, "decoded");
    g_autoptr(GstPad) sink = gst_element_get_static_pad(head, "sink");
    if (!gst_pad_is_linked(sink))
        gst_pad_link(pad, sink);
}

/* A demuxer may name the track otherwise than when the file was looked at: then it is the
 * first. Without any, nothing would come, nor an end. */
static void link_any(GstElement *decode, gpointer data)
{
    Source *source = data;
    g_autoptr(GstPad) sink =
        gst_element_get_static_pad(pipeline_element(source->pipeline, "decoded"), "sink");
    for (GList *l = decode->srcpads; l != NULL && !gst_pad_is_linked(sink); l = l->next) {
        g_autoptr(GstCaps) caps = gst_pad_get_current_caps(l->data);
        if (caps != NULL &&
            gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw"))
            gst_pad_link(l->data, sink);
    }
    if (!gst_pad_is_linked(sink))
        GST_ELEMENT_ERROR(decode, STREAM, WRONG_TYPE, ("no video was found"), (NULL));
}

static gboolean start(Source *source, GError **error)
{
    g_autofree gchar *formats =
        source->formats != NULL ? g_strdup_printf(",format={%s}", source->formats) : NULL;
    g_autofree gchar *launch = g_strdup_printf(
        "filesrc name=file ! decodebin name=decode "
        "queue name=decoded max-size-buffers=%d max-size-bytes=0 max-size-time=0 ! "
        "%svideoconvert ! capsfilter caps=\"video/x-raw%s\" ! "
        "appsink name=frames sync=false max-buffers=%d",
        PIPELINE_QUEUE, source->filter, formats != NULL ? formats : "", PIPELINE_QUEUE);
    source->pipeline = pipeline_parse(launch, error);
    if (source->pipeline == NULL)
        return FALSE;
    source->sink = pipeline_element(source->pipeline, "frames");
    g_object_set(pipeline_element(source->pipeline, "file"), "location", source->path,
                 NULL);
    GstElement *decode = pipeline_element(source->pipeline, "decode");
    g_signal_connect(decode, "autoplug-continue", G_CALLBACK(is_to_be_decoded), NULL);
    g_signal_connect(decode, "pad-added", G_CALLBACK(link_video), source);
    g_signal_connect(decode, "no-more-pads", G_CALLBACK(link_any), source);
    return pipeline_play(source->pipeline, CONVERT_ERROR_INPUT, error);
}

static SourceResult pull(Source *source, GstSample **sample, GError **error)
{
    for (;;) {
        if (interrupt_is_set(source->interrupt))
            return SOURCE_INTERRUPTED;
        *sample =
            gst_app_sink_try_pull_sample(GST_APP_SINK(source->sink), 50 * GST_MSECOND);
        if (*sample != NULL)
            return SOURCE_FRAME;
        if (!pipeline_is_well(source->pipeline, 0, CONVERT_ERROR_INPUT, error)) {
            g_prefix_error(error, "%s cannot be decoded: ", source->path);
            return SOURCE_FAILED;
        }
        if (gst_app_sink_is_eos(GST_APP_SINK(source->sink)))
            return SOURCE_END;
    }
}

static gboolean pull_first(Source *source, GError **error)
{
    g_autofree gchar *from = time_text(source->from);
    switch (pull(source, &source->first, error)) {
    case SOURCE_FRAME:
        source->next_time = 0;
        return TRUE;
    case SOURCE_END:
        g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_INPUT,
                    "%s: expected video from %s on, found its end; is it damaged?",
                    source->path, from);
        return FALSE;
    case SOURCE_INTERRUPTED:
        g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_INTERRUPTED, "interrupted");
        return FALSE;
    case SOURCE_FAILED:
        break;
    }
    return FALSE;
}

/* Other tracks count from here, too: before a seek, running time is what counts. */
static GstClockTime find_first_time(GstSample *sample)
{
    const GstSegment *segment = gst_sample_get_segment(sample);
    GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
    if (!GST_CLOCK_TIME_IS_VALID(pts))
        return 0;
    GstClockTime shown = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, pts);
    GstClockTime played = gst_segment_to_running_time(segment, GST_FORMAT_TIME, pts);
    if (!GST_CLOCK_TIME_IS_VALID(shown) || !GST_CLOCK_TIME_IS_VALID(played))
        return 0;
    return shown > played ? shown - played : 0;
}

/* The frame's time in the file, GST_CLOCK_TIME_NONE if it is outside of what is to be
 * shown. */
static GstClockTime input_time_of(Source *source, GstSample *sample)
{
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    GstClockTime time = source->next_time;
    if (GST_BUFFER_PTS_IS_VALID(buffer))
        time = gst_segment_to_stream_time(gst_sample_get_segment(sample), GST_FORMAT_TIME,
                                          GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(time) && GST_BUFFER_PTS_IS_VALID(buffer))
        time -= MIN(time, source->first_time);
    if (GST_CLOCK_TIME_IS_VALID(time))
        source->next_time =
            time +
            (GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer) : 0);
    return time;
}

static gboolean is_shown(const Source *source, GstClockTime time)
{
    return GST_CLOCK_TIME_IS_VALID(time) && time + ROUNDING >= source->from;
}

/* Frames before it may have another size. */
static gboolean go_to_first_shown(Source *source, GError **error)
{
    for (;;) {
        GstClockTime before = source->next_time;
        if (is_shown(source, input_time_of(source, source->first))) {
            source->next_time = before; /* source_next() takes it */
            return TRUE;
        }
        GstClockTime next = source->next_time;
        g_clear_pointer(&source->first, gst_sample_unref);
        if (!pull_first(source, error))
            return FALSE;
        source->next_time = next;
    }
}

Source *source_open(const SourceConfig *config, const Interrupt *interrupt,
                    GError **error)
{
    g_autoptr(Source) source = g_new0(Source, 1);
    source->path = g_strdup(config->path);
    source->stream_id = g_strdup(config->stream_id);
    source->filter = g_strdup(config->filter);
    source->formats = g_strdup(config->formats);
    source->from = config->from;
    source->to = config->to;
    source->slow_n = config->slow_n;
    source->slow_d = config->slow_d;
    source->interrupt = interrupt;
    if (!start(source, error) || !pull_first(source, error))
        return NULL;
    source->first_time = find_first_time(source->first);
    if (source->from > 0 &&
        (!source_seek(source, source->from, error) || !go_to_first_shown(source, error)))
        return NULL;
    source->caps = gst_caps_ref(gst_sample_get_caps(source->first));
    return g_steal_pointer(&source);
}

void source_free(Source *source)
{
    if (source == NULL)
        return;
    pipeline_free(source->pipeline);
    gst_clear_caps(&source->caps);
    g_clear_pointer(&source->first, gst_sample_unref);
    g_free(source->path);
    g_free(source->stream_id);
    g_free(source->filter);
    g_free(source->formats);
    g_free(source);
}

GstCaps *source_caps(Source *source)
{
    return source->caps;
}

/* Frames all have to look alike: the encoder is told once. */
static gboolean has_known_caps(const Source *source, GstSample *sample)
{
    GstCaps *caps = gst_sample_get_caps(sample);
    GstVideoInfo now, before;
    return caps == source->caps ||
           (gst_video_info_from_caps(&now, caps) &&
            gst_video_info_from_caps(&before, source->caps) &&
            GST_VIDEO_INFO_FORMAT(&now) == GST_VIDEO_INFO_FORMAT(&before) &&
            now.width == before.width && now.height == before.height);
}

static void set_other_caps(const Source *source, GstSample *sample, GstClockTime time,
                           GError **error)
{
    g_autofree gchar *at = time_text(time);
    GstVideoInfo now, before;
    gst_video_info_init(&now);
    gst_video_info_init(&before);
    gst_video_info_from_caps(&now, gst_sample_get_caps(sample));
    gst_video_info_from_caps(&before, source->caps);
    g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_INPUT,
                "%s: expected frames of one size and format, found %s of %dx%d behind %s "
                "of %dx%d at %s; convert the parts one by one with --from and --to",
                source->path, gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&now)),
                now.width, now.height,
                gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&before)), before.width,
                before.height, at);
}

static GstClockTime slowed(const Source *source, GstClockTime time)
{
    return gst_util_uint64_scale_round(time, (guint64)source->slow_n,
                                       (guint64)source->slow_d);
}

SourceResult source_next(Source *source, SourceFrame **frame, GError **error)
{
    for (;;) {
        g_autoptr(GstSample) sample = g_steal_pointer(&source->first);
        SourceResult result =
            sample != NULL ? SOURCE_FRAME : pull(source, &sample, error);
        if (result != SOURCE_FRAME)
            return result;
        GstClockTime time = input_time_of(source, sample);
        if (!is_shown(source, time))
            continue;
        if (!has_known_caps(source, sample)) {
            if (time + ROUNDING >= source->to)
                return SOURCE_END;
            set_other_caps(source, sample, time, error);
            return SOURCE_FAILED;
        }
        GstBuffer *buffer = gst_sample_get_buffer(sample);
        SourceFrame *found = g_new0(SourceFrame, 1);
        found->buffer = gst_buffer_ref(buffer);
        found->input_time = time;
        found->time = slowed(source, time > source->from ? time - source->from : 0);
        found->duration = GST_BUFFER_DURATION_IS_VALID(buffer)
                              ? slowed(source, GST_BUFFER_DURATION(buffer))
                              : GST_CLOCK_TIME_NONE;
        *frame = found;
        return SOURCE_FRAME;
    }
}

/* Whether times behind a seek are the same as without one. In a transport stream, say,
 * they are guessed from the rate of bytes. */
static gboolean has_index(const Source *source)
{
    static const char *const DEMUXERS[] = {"qtdemux", "matroskademux", "avidemux"};
    gboolean found = FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(DEMUXERS) && !found; i++) {
        g_autoptr(GstIterator) elements = gst_bin_iterate_all_by_element_factory_name(
            GST_BIN(source->pipeline), DEMUXERS[i]);
        g_auto(GValue) element = G_VALUE_INIT;
        found = gst_iterator_next(elements, &element) == GST_ITERATOR_OK;
    }
    return found;
}

/* Whether the pipeline goes on before @input_time. */
static gboolean seek_before(Source *source, GstClockTime input_time)
{
    g_clear_pointer(&source->first, gst_sample_unref);
    GstClockTime start = input_time > RUN_UP ? input_time - RUN_UP : 0;
    GstSeekFlags flags =
        GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_BEFORE;
    if (!gst_element_seek_simple(source->pipeline, GST_FORMAT_TIME, flags,
                                 (gint64)start) ||
        pull(source, &source->first, NULL) != SOURCE_FRAME)
        return FALSE;
    GstClockTime time = input_time_of(source, source->first);
    return GST_CLOCK_TIME_IS_VALID(time) && time <= input_time;
}

gboolean source_seek(Source *source, GstClockTime input_time, GError **error)
{
    return (has_index(source) && seek_before(source, input_time)) ||
           source_rewind(source, error);
}

gboolean source_rewind(Source *source, GError **error)
{
    g_clear_pointer(&source->first, gst_sample_unref);
    pipeline_free(g_steal_pointer(&source->pipeline));
    return start(source, error) && pull_first(source, error);
}
