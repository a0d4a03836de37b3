/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pad of ours → queue → muxer for each track, then a file. Queues have no limits: a
 * muxer waits for one track while another is full, and only who feeds both knows whether
 * more is to come. What is in them is counted here. */
#include "media/writer.h"

#include "media/codec.h"
#include "media/error.h"

/* Bytes that wait in all queues together, as long as the muxer has something of each
 * track. */
#define CAPACITY ((size_t)32 << 20)

/* Where 0 lies for the muxer, so that decoding may begin before it. */
#define ORIGIN (G_GUINT64_CONSTANT(3600000) * GST_SECOND)

struct WriterTrack {
    Writer *writer;
    GstPad *pad;
    GstCaps *caps;
    GstTagList *tags;
    gboolean sparse, ended;
    size_t waiting; /* packets in the queue */
    gint64 reached;
};

struct Writer {
    GMutex mutex;
    GCond changed;
    const OutputFile *file;
    GstElement *pipeline, *muxer, *sink;
    GPtrArray *tracks; /* of WriterTrack */
    size_t bytes;
    gboolean ended;
    GError *error;
};

static void free_track(gpointer data)
{
    WriterTrack *track = (WriterTrack *)data;
    gst_pad_set_active(track->pad, FALSE);
    gst_object_unref(track->pad);
    gst_clear_caps(&track->caps);
    gst_clear_tag_list(&track->tags);
    g_free(track);
}

/* The muxer's own words, where they are the cause, for a GStreamer developer's eyes. */
static GError *explain(const Writer *writer, const GError *error)
{
    if (g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT) ||
        output_file_is_out_of_space(writer->file))
        return g_error_new(MEDIA_ERROR, MEDIA_ERROR_NO_SPACE,
                           "%s: no space is left on the disk; make room, then go on",
                           writer->file->path);
    if (error->domain == GST_RESOURCE_ERROR)
        return g_error_new(MEDIA_ERROR, MEDIA_ERROR_WRITE, "%s: cannot be written: %s",
                           writer->file->path, error->message);
    return g_error_new(MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                       "%s: GStreamer's muxer refuses a track: %s", writer->file->path,
                       error->message);
}

static GstBusSyncReply on_message(GstBus *bus, GstMessage *message, gpointer user_data)
{
    Writer *writer = (Writer *)user_data;
    g_autoptr(GError) error = NULL;
    (void)bus;
    g_mutex_lock(&writer->mutex);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        gst_message_parse_error(message, &error, NULL);
        if (writer->error == NULL)
            writer->error = explain(writer, error);
    }
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS)
        writer->ended = TRUE;
    g_cond_broadcast(&writer->changed);
    g_mutex_unlock(&writer->mutex);
    gst_message_unref(message);
    return GST_BUS_DROP;
}

static GstPadProbeReturn on_leave(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    WriterTrack *track = (WriterTrack *)user_data;
    (void)pad;
    g_mutex_lock(&track->writer->mutex);
    track->waiting--;
    track->writer->bytes -= gst_buffer_get_size(gst_pad_probe_info_get_buffer(info));
    g_cond_broadcast(&track->writer->changed);
    g_mutex_unlock(&track->writer->mutex);
    return GST_PAD_PROBE_OK;
}

static gboolean is_quicktime(ContainerKind container)
{
    return container == CONTAINER_MP4 || container == CONTAINER_MOV;
}

Writer *writer_new(ContainerKind container, const OutputFile *file, GError **error)
{
    GstElement *muxer = gst_element_factory_make(container_muxer(container), NULL);
    GstElement *sink = gst_element_factory_make("filesink", NULL);
    if (muxer == NULL || sink == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_NO_DECODER,
                    "%s: there is no %s; install gstreamer1.0-plugins-good", file->path,
                    container_muxer(container));
        gst_clear_object(&muxer);
        gst_clear_object(&sink);
        return NULL;
    }
    Writer *writer = g_new0(Writer, 1);
    g_mutex_init(&writer->mutex);
    g_cond_init(&writer->changed);
    writer->file = file;
    writer->tracks = g_ptr_array_new_with_free_func(free_track);
    writer->pipeline = gst_pipeline_new(NULL);
    writer->muxer = muxer;
    writer->sink = sink;
    g_object_set(sink, "location", file->partial, "async", FALSE, NULL);
    if (is_quicktime(container))
        g_object_set(muxer, "faststart", TRUE, "faststart-file", file->scratch, NULL);
    gst_bin_add_many(GST_BIN(writer->pipeline), muxer, sink, NULL);
    gst_element_link(muxer, sink);
    g_autoptr(GstBus) bus = gst_element_get_bus(writer->pipeline);
    gst_bus_set_sync_handler(bus, on_message, writer, NULL);
    return writer;
}

void writer_set_tags(Writer *writer, const GstTagList *tags, const char *application)
{
    GstTagSetter *setter = GST_TAG_SETTER(writer->muxer);
    GObjectClass *class = G_OBJECT_GET_CLASS(writer->muxer);
    if (tags != NULL)
        gst_tag_setter_merge_tags(setter, tags, GST_TAG_MERGE_REPLACE);
    if (application != NULL && g_object_class_find_property(class, "writing-app") != NULL)
        g_object_set(writer->muxer, "writing-app", application, NULL);
    else if (application != NULL)
        gst_tag_setter_add_tags(setter, GST_TAG_MERGE_REPLACE, GST_TAG_ENCODER,
                                application, NULL);
}

void writer_set_toc(Writer *writer, GstToc *toc)
{
    if (GST_IS_TOC_SETTER(writer->muxer))
        gst_toc_setter_set_toc(GST_TOC_SETTER(writer->muxer), toc);
}

static void begin(WriterTrack *track, guint number)
{
    g_autofree gchar *id = g_strdup_printf("track-%u", number);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = segment.position = ORIGIN;
    gst_pad_push_event(track->pad, gst_event_new_stream_start(id));
    gst_pad_push_event(track->pad, gst_event_new_caps(track->caps));
    gst_pad_push_event(track->pad, gst_event_new_segment(&segment));
    if (track->tags != NULL)
        gst_pad_push_event(track->pad, gst_event_new_tag(gst_tag_list_ref(track->tags)));
}

static GstElement *add_queue(Writer *writer, WriterTrack *track)
{
    GstElement *queue = gst_element_factory_make("queue", NULL);
    g_object_set(queue, "max-size-buffers", 0u, "max-size-bytes", 0u, "max-size-time",
                 G_GUINT64_CONSTANT(0), "silent", TRUE, NULL);
    gst_bin_add(GST_BIN(writer->pipeline), queue);
    g_autoptr(GstPad) sink = gst_element_get_static_pad(queue, "sink");
    g_autoptr(GstPad) source = gst_element_get_static_pad(queue, "src");
    gst_pad_link(track->pad, sink);
    gst_pad_add_probe(source, GST_PAD_PROBE_TYPE_BUFFER, on_leave, track, NULL);
    return queue;
}

WriterTrack *writer_add(Writer *writer, MediaTrackKind kind, const GstCaps *caps,
                        const GstTagList *tags, GError **error)
{
    static const char *const templates[] = {"video_%u", "audio_%u", "subtitle_%u", ""};
    WriterTrack *track = g_new0(WriterTrack, 1);
    track->writer = writer;
    track->sparse = kind == MEDIA_TRACK_SUBTITLE;
    track->reached = G_MININT64;
    track->pad = (GstPad *)gst_object_ref_sink(gst_pad_new("src", GST_PAD_SRC));
    g_ptr_array_add(writer->tracks, track);
    GstElement *queue = add_queue(writer, track);
    g_autoptr(GstPad) source = gst_element_get_static_pad(queue, "src");
    g_autoptr(GstPad) sink =
        gst_element_request_pad_simple(writer->muxer, templates[kind]);
    g_autoptr(GstCaps) taken = sink != NULL ? gst_pad_query_caps(sink, NULL) : NULL;
    if (taken == NULL || !gst_caps_can_intersect(caps, taken) ||
        gst_pad_link(source, sink) != GST_PAD_LINK_OK) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                    "%s: GStreamer's muxer does not take this %s", writer->file->path,
                    codec_of_caps(caps));
        return NULL;
    }
    track->caps = gst_caps_copy(caps);
    track->tags = tags != NULL ? gst_tag_list_copy(tags) : NULL;
    return track;
}

void writer_start(Writer *writer)
{
    gst_element_set_state(writer->pipeline, GST_STATE_PLAYING);
    for (guint i = 0; i < writer->tracks->len; i++) {
        WriterTrack *track = (WriterTrack *)g_ptr_array_index(writer->tracks, i);
        gst_pad_set_active(track->pad, TRUE);
        begin(track, i);
    }
}

/* Whether the muxer has all that it needs to go on, which it then does by itself. */
static gboolean is_busy(const Writer *writer)
{
    for (guint i = 0; i < writer->tracks->len; i++) {
        const WriterTrack *track = g_ptr_array_index(writer->tracks, i);
        if (track->waiting == 0 && !track->sparse && !track->ended)
            return FALSE;
    }
    return TRUE;
}

/* Muxers refuse packets without a word, and the file without them would pass for
 * whole. */
static gboolean note_flow(WriterTrack *track, gboolean flows)
{
    Writer *writer = track->writer;
    g_mutex_lock(&writer->mutex);
    if (!flows && writer->error == NULL)
        writer->error = g_error_new(MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                                    "%s: GStreamer's muxer does not take this %s",
                                    writer->file->path, codec_of_caps(track->caps));
    g_mutex_unlock(&writer->mutex);
    return flows;
}

gboolean writer_push(Writer *writer, WriterTrack *track, GstBuffer *packet, gint64 time,
                     gint64 decoding)
{
    GstBuffer *stamped = gst_buffer_make_writable(packet);
    GST_BUFFER_PTS(stamped) = ORIGIN + (GstClockTime)MAX(time, 0);
    GST_BUFFER_DTS(stamped) = decoding == G_MININT64
                                  ? GST_CLOCK_TIME_NONE
                                  : (GstClockTime)((gint64)ORIGIN + decoding);
    GST_BUFFER_OFFSET(stamped) = GST_BUFFER_OFFSET_END(stamped) = GST_BUFFER_OFFSET_NONE;
    g_mutex_lock(&writer->mutex);
    while (writer->bytes > CAPACITY && is_busy(writer) && writer->error == NULL)
        g_cond_wait(&writer->changed, &writer->mutex);
    gboolean failed = writer->error != NULL;
    track->waiting++;
    track->reached = MAX(track->reached, time);
    writer->bytes += gst_buffer_get_size(stamped);
    g_mutex_unlock(&writer->mutex);
    if (failed) {
        gst_buffer_unref(stamped);
        return FALSE;
    }
    return note_flow(track, gst_pad_push(track->pad, stamped) >= GST_FLOW_OK);
}

void writer_skip(Writer *writer, WriterTrack *track, gint64 time)
{
    (void)writer;
    if (!track->sparse || track->ended || time <= MAX(track->reached, 0))
        return;
    gint64 start = MAX(track->reached, 0);
    track->reached = time;
    gst_pad_push_event(track->pad, gst_event_new_gap(ORIGIN + (GstClockTime)start,
                                                     (GstClockTime)(time - start)));
}

void writer_send(Writer *writer, WriterTrack *track, GstEvent *event)
{
    (void)writer;
    gst_pad_push_event(track->pad, event);
}

void writer_end(Writer *writer, WriterTrack *track)
{
    g_mutex_lock(&writer->mutex);
    gboolean before = track->ended;
    track->ended = TRUE;
    g_mutex_unlock(&writer->mutex);
    if (!before)
        note_flow(track, gst_pad_push_event(track->pad, gst_event_new_eos()));
}

gboolean writer_finish(Writer *writer, GError **error)
{
    for (guint i = 0; i < writer->tracks->len; i++)
        writer_end(writer, (WriterTrack *)g_ptr_array_index(writer->tracks, i));
    g_mutex_lock(&writer->mutex);
    while (!writer->ended && writer->error == NULL)
        g_cond_wait(&writer->changed, &writer->mutex);
    gboolean failed = writer->error != NULL;
    if (failed)
        g_propagate_error(error, g_error_copy(writer->error));
    g_mutex_unlock(&writer->mutex);
    gst_element_set_state(writer->pipeline, GST_STATE_NULL);
    return !failed;
}

void writer_free(Writer *writer)
{
    if (writer == NULL)
        return;
    gst_element_set_state(writer->pipeline, GST_STATE_NULL);
    gst_object_unref(writer->pipeline);
    g_ptr_array_unref(writer->tracks);
    g_clear_error(&writer->error);
    g_cond_clear(&writer->changed);
    g_mutex_clear(&writer->mutex);
    g_free(writer);
}
