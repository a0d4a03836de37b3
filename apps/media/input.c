/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/input.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/pbutils/pbutils.h>
#include <stdio.h>

#include "media/codec.h"
#include "media/element.h"
#include "media/error.h"

struct Input {
    gchar *path;
    const InputReceiver *receiver;
    gpointer user_data;
    GstElement *pipeline;
    GstElement *demuxer; /* NULL for a lone stream without a container */
    GstCaps *container;
    GstClockTime origin;
    GPtrArray *tracks; /* of InputTrack; guarded by the thread that reads */
};

static void free_track(gpointer data)
{
    InputTrack *track = (InputTrack *)data;
    gst_clear_object(&track->pad);
    gst_clear_caps(&track->caps);
    g_free(track->stream_id);
    g_free(track);
}

static void fail(Input *input, MediaError code, const char *text)
{
    g_autoptr(GError) error =
        g_error_new(MEDIA_ERROR, (gint)code, "%s: %s", input->path, text);
    input->receiver->failed(error, input->user_data);
}

static GstFlowReturn take_packet(GstPad *pad, GstObject *parent, GstBuffer *packet)
{
    InputTrack *track = (InputTrack *)gst_pad_get_element_private(pad);
    (void)parent;
    return track->input->receiver->packet(track, packet, track->input->user_data);
}

static gboolean take_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    InputTrack *track = (InputTrack *)gst_pad_get_element_private(pad);
    (void)parent;
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: {
        GstCaps *caps = NULL;
        gst_event_parse_caps(event, &caps);
        gst_caps_replace(&track->caps, caps);
        break;
    }
    case GST_EVENT_SEGMENT:
        gst_event_copy_segment(event, &track->segment);
        break;
    case GST_EVENT_EOS:
        track->ended = TRUE;
        break;
    default:
        break;
    }
    track->input->receiver->event(track, event, track->input->user_data);
    gst_event_unref(event);
    return TRUE;
}

static InputTrack *add_track(Input *input, GstPad *source)
{
    InputTrack *track = g_new0(InputTrack, 1);
    g_autofree gchar *stream_id = gst_pad_get_stream_id(source);
    g_autoptr(GstEvent) start =
        gst_pad_get_sticky_event(source, GST_EVENT_STREAM_START, 0);
    track->number = input->tracks->len;
    track->stream_id = g_steal_pointer(&stream_id);
    track->input = input;
    track->caps = gst_pad_get_current_caps(source);
    if (track->caps == NULL)
        track->caps = gst_pad_query_caps(source, NULL);
    gst_segment_init(&track->segment, GST_FORMAT_TIME);
    if (start != NULL)
        gst_event_parse_stream_flags(start, &track->flags);
    /* Without a template a pad refuses caps that are not those it has. */
    g_autoptr(GstPadTemplate) any = gst_object_ref_sink(
        gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_CAPS_ANY));
    track->pad = (GstPad *)gst_object_ref_sink(gst_pad_new_from_template(any, "sink"));
    gst_pad_set_element_private(track->pad, track);
    gst_pad_set_chain_function(track->pad, take_packet);
    gst_pad_set_event_function(track->pad, take_event);
    g_ptr_array_add(input->tracks, track);
    return track;
}

/* Adds a started element behind @source; returns its own source pad, or NULL. Owns
 * @source. */
static GstPad *append(Input *input, GstPad *source, GstElement *element)
{
    gst_bin_add(GST_BIN(input->pipeline), element);
    g_autoptr(GstPad) sink = gst_element_get_static_pad(element, "sink");
    GstPad *next = NULL;
    /* A demuxer that is linked when it starts can look for where times begin and for all
     * tracks, as it does in front of a decoder. */
    if (gst_pad_link(source, sink) == GST_PAD_LINK_OK)
        next = gst_element_get_static_pad(element, "src");
    gst_element_sync_state_with_parent(element);
    gst_object_unref(source);
    return next;
}

/* AAC as transport streams have it has to get the header that other containers want. The
 * parser cannot make that of LOAS. */
static GstElement *aac_filter(const GstCaps *caps)
{
    const GstStructure *structure = gst_caps_get_structure(caps, 0);
    if (g_strcmp0(codec_of_caps(caps), "aac") != 0 ||
        g_strcmp0(gst_structure_get_string(structure, "stream-format"), "loas") == 0)
        return NULL;
    GstElement *filter = gst_element_factory_make("capsfilter", NULL);
    gst_util_set_object_arg(G_OBJECT(filter), "caps", "audio/mpeg,stream-format=raw");
    return filter;
}

static void connect_track(Input *input, GstPad *demuxed)
{
    InputTrack *track = add_track(input, demuxed);
    GstPad *source = (GstPad *)gst_object_ref(demuxed);
    gst_pad_set_active(track->pad, TRUE);
    if (input->receiver->found(track, input->user_data)) {
        GstElement *filter = aac_filter(track->caps);
        GstElement *parser = element_that_parses(track->caps);
        if (parser != NULL)
            source = append(input, source, parser);
        if (parser != NULL && filter != NULL && source != NULL)
            source = append(input, source, filter);
        else
            gst_clear_object(&filter);
    }
    if (source == NULL || gst_pad_link(source, track->pad) != GST_PAD_LINK_OK)
        fail(input, MEDIA_ERROR_READ, "a track cannot be read; is the file damaged?");
    gst_clear_object(&source);
}

static void on_pad(GstElement *demuxer, GstPad *pad, gpointer user_data)
{
    (void)demuxer;
    connect_track((Input *)user_data, pad);
}

static void on_no_more_pads(GstElement *demuxer, gpointer user_data)
{
    Input *input = (Input *)user_data;
    (void)demuxer;
    input->receiver->no_more_tracks(input->user_data);
}

static void refuse_type(Input *input, GstCaps *caps)
{
    GstPbUtilsCapsDescriptionFlags about = gst_pb_utils_get_caps_description_flags(caps);
    if (about == 0) {
        fail(input, MEDIA_ERROR_NOT_MEDIA, "is no media file that GStreamer knows");
        return;
    }
    g_autofree gchar *name = gst_pb_utils_get_codec_description(caps);
    g_autofree gchar *text = g_strdup_printf(
        "nothing that is installed reads %s; install the GStreamer plugins "
        "(gstreamer1.0-plugins-good, -bad, -ugly, gstreamer1.0-libav)",
        name);
    fail(input, MEDIA_ERROR_NO_DECODER, text);
}

/* Some demuxers have one track, from the beginning: WAV's, IVF's, that of ID3 tags. What
 * it is they say with the first data. */
static void on_caps(GstPad *pad, GParamSpec *spec, gpointer user_data)
{
    Input *input = (Input *)user_data;
    (void)spec;
    if (input->tracks->len > 0 || !gst_pad_has_current_caps(pad))
        return;
    connect_track(input, pad);
    input->receiver->no_more_tracks(input->user_data);
}

static void add_demuxer(Input *input, GstPad *source, GstElement *demuxer)
{
    g_autoptr(GstPad) only = gst_element_get_static_pad(demuxer, "src");
    input->demuxer = demuxer;
    if (only != NULL) {
        g_signal_connect(only, "notify::caps", G_CALLBACK(on_caps), input);
    } else {
        g_signal_connect(demuxer, "pad-added", G_CALLBACK(on_pad), input);
        g_signal_connect(demuxer, "no-more-pads", G_CALLBACK(on_no_more_pads), input);
    }
    GstPad *next = append(input, (GstPad *)gst_object_ref(source), demuxer);
    gst_clear_object(&next);
}

static void on_type(GstElement *typefind, guint probability, GstCaps *caps,
                    gpointer user_data)
{
    Input *input = (Input *)user_data;
    g_autoptr(GstPad) source = gst_element_get_static_pad(typefind, "src");
    (void)probability;
    gst_caps_replace(&input->container, caps);
    GstElement *demuxer = element_that_demuxes(caps);
    if (demuxer != NULL) {
        add_demuxer(input, source, demuxer);
    } else if (element_parses(caps)) {
        connect_track(input, source);
        input->receiver->no_more_tracks(input->user_data);
    } else {
        refuse_type(input, caps);
    }
}

static GstBusSyncReply on_message(GstBus *bus, GstMessage *message, gpointer user_data)
{
    Input *input = (Input *)user_data;
    (void)bus;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        g_autoptr(GError) error = NULL;
        gst_message_parse_error(message, &error, NULL);
        gboolean unknown =
            g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND);
        fail(input, unknown ? MEDIA_ERROR_NOT_MEDIA : MEDIA_ERROR_READ,
             unknown ? "is no media file that GStreamer knows" : error->message);
    }
    gst_message_unref(message);
    return GST_BUS_DROP;
}

static gboolean may_be_read(const char *path, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_READ, "%s: is a folder, not a file",
                    path);
        return FALSE;
    }
    /* To open a pipe would wait for whoever writes it, and it can be read but once. */
    GStatBuf status;
    if (g_stat(path, &status) == 0 && !S_ISREG(status.st_mode) &&
        !S_ISBLK(status.st_mode)) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_READ,
                    "%s: is a pipe or a device; store it in a file first", path);
        return FALSE;
    }
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_READ, "%s: cannot be opened: %s",
                    path, g_strerror(errno));
        return FALSE;
    }
    fclose(file);
    return TRUE;
}

Input *input_new(const char *path, const InputReceiver *receiver, gpointer user_data,
                 GError **error)
{
    if (!may_be_read(path, error))
        return NULL;
    Input *input = g_new0(Input, 1);
    input->path = g_strdup(path);
    input->receiver = receiver;
    input->user_data = user_data;
    input->origin = GST_CLOCK_TIME_NONE;
    input->tracks = g_ptr_array_new_with_free_func(free_track);
    input->pipeline = gst_pipeline_new(NULL);
    GstElement *file = gst_element_factory_make("filesrc", NULL);
    GstElement *typefind = gst_element_factory_make("typefind", NULL);
    g_object_set(file, "location", path, NULL);
    g_signal_connect(typefind, "have-type", G_CALLBACK(on_type), input);
    gst_bin_add_many(GST_BIN(input->pipeline), file, typefind, NULL);
    gst_element_link(file, typefind);
    g_autoptr(GstBus) bus = gst_element_get_bus(input->pipeline);
    gst_bus_set_sync_handler(bus, on_message, input, NULL);
    return input;
}

void input_set_origin(Input *input, GstClockTime origin)
{
    input->origin = origin;
}

gboolean input_start(Input *input)
{
    return gst_element_set_state(input->pipeline, GST_STATE_PAUSED) !=
           GST_STATE_CHANGE_FAILURE;
}

const GstCaps *input_container(const Input *input)
{
    return input->container;
}

GstClockTime input_duration(const Input *input)
{
    gint64 duration = -1;
    if (input->demuxer == NULL ||
        !gst_element_query_duration(input->demuxer, GST_FORMAT_TIME, &duration) ||
        duration < 0)
        return GST_CLOCK_TIME_NONE;
    return (GstClockTime)duration;
}

void input_free(Input *input)
{
    if (input == NULL)
        return;
    gst_element_set_state(input->pipeline, GST_STATE_NULL);
    g_ptr_array_unref(input->tracks);
    gst_object_unref(input->pipeline);
    gst_clear_caps(&input->container);
    g_free(input->path);
    g_free(input);
}

gint64 input_running_time(const InputTrack *track, GstClockTime time)
{
    guint64 running = 0;
    if (!GST_CLOCK_TIME_IS_VALID(time) || track->segment.format != GST_FORMAT_TIME)
        return G_MININT64;
    if (GST_CLOCK_TIME_IS_VALID(track->input->origin))
        return GST_CLOCK_DIFF(track->input->origin, time);
    int sign = gst_segment_to_running_time_full(&track->segment, GST_FORMAT_TIME, time,
                                                &running);
    return sign == 0 ? G_MININT64 : sign * (gint64)running;
}
