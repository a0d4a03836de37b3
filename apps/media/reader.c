/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/reader.h"

#include <gio/gio.h>
#include <gst/audio/audio.h>

#include "media/input.h"

/* How far tracks of a file may be apart: when another is this far ahead, what is missing
 * of a track is taken not to come. */
#define INTERLEAVE (10 * (gint64)GST_SECOND)

/* Bytes of packets that wait, unless one that is missing lies behind them. */
#define CAPACITY ((size_t)32 << 20)

typedef struct {
    gboolean wanted, found, ended;
    GQueue packets;  /* of ReaderPacket */
    GQueue events;   /* of GstEvent */
    gint64 reached;  /* no packet before it follows */
    gint64 expected; /* time of a next packet that has none of its own */
} Track;

struct Reader {
    GMutex mutex;
    GCond changed;
    Input *input;
    Track *tracks;
    guint count;
    size_t bytes;
    gint64 reached; /* of all tracks */
    gboolean starving, stopped, cancelled;
    GError *error;
};

static void free_packet(gpointer data)
{
    ReaderPacket *packet = (ReaderPacket *)data;
    gst_buffer_unref(packet->buffer);
    gst_caps_unref(packet->caps);
    g_free(packet);
}

/* NULL if the file has a track that the first look did not find. */
static Track *track_of(Reader *reader, const InputTrack *input)
{
    return input->number < reader->count ? &reader->tracks[input->number] : NULL;
}

static gboolean on_found(InputTrack *input, gpointer user_data)
{
    Reader *reader = user_data;
    g_mutex_lock(&reader->mutex);
    Track *track = track_of(reader, input);
    gboolean wanted = track != NULL && track->wanted;
    if (track != NULL)
        track->found = TRUE;
    g_mutex_unlock(&reader->mutex);
    return wanted;
}

static void reach(Reader *reader, Track *track, gint64 time)
{
    if (time == G_MININT64)
        return;
    if (track != NULL)
        track->reached = MAX(track->reached, time);
    reader->reached = MAX(reader->reached, time);
}

static gint64 skipped(const GstCaps *caps, GstBuffer *buffer)
{
    const GstAudioClippingMeta *meta = gst_buffer_get_audio_clipping_meta(buffer);
    int rate = 0;
    if (meta == NULL || meta->format != GST_FORMAT_DEFAULT ||
        !gst_structure_get_int(gst_caps_get_structure(caps, 0), "rate", &rate) ||
        rate <= 0)
        return 0;
    return (gint64)gst_util_uint64_scale(meta->start, GST_SECOND, (guint64)rate);
}

static void append(Reader *reader, Track *track, const InputTrack *input,
                   GstBuffer *buffer)
{
    ReaderPacket *packet = g_new0(ReaderPacket, 1);
    packet->buffer = buffer;
    packet->caps = gst_caps_ref(input->caps);
    packet->time = input_running_time(input, GST_BUFFER_PTS(buffer));
    if (GST_BUFFER_DURATION_IS_VALID(buffer))
        packet->duration = (gint64)GST_BUFFER_DURATION(buffer);
    if (packet->time == G_MININT64)
        packet->time = track->expected;
    packet->skipped = skipped(input->caps, buffer);
    track->expected = packet->time + packet->duration;
    reader->bytes += gst_buffer_get_size(buffer);
    reach(reader, track, packet->time);
    g_queue_push_tail(&track->packets, packet);
}

/* Headers stand in the caps, too, and muxers take them from there. flacparse does not
 * flag all of them. */
static gboolean is_header(const Track *track, const GstBuffer *buffer)
{
    return GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER) ||
           (track->reached == G_MININT64 && !GST_BUFFER_PTS_IS_VALID(buffer) &&
            !GST_BUFFER_DURATION_IS_VALID(buffer));
}

static GstFlowReturn on_packet(InputTrack *input, GstBuffer *buffer, gpointer user_data)
{
    Reader *reader = user_data;
    g_mutex_lock(&reader->mutex);
    Track *track = track_of(reader, input);
    if (track != NULL && track->wanted && !is_header(track, buffer)) {
        append(reader, track, input, buffer);
    } else {
        /* The presentation of video jumps to and fro, but not by INTERLEAVE. */
        reach(reader, NULL, input_running_time(input, GST_BUFFER_DTS_OR_PTS(buffer)));
        gst_buffer_unref(buffer);
    }
    g_cond_broadcast(&reader->changed);
    while (reader->bytes > CAPACITY && !reader->starving && !reader->stopped)
        g_cond_wait(&reader->changed, &reader->mutex);
    gboolean stopped = reader->stopped;
    g_mutex_unlock(&reader->mutex);
    return stopped ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

static void on_event(InputTrack *input, GstEvent *event, gpointer user_data)
{
    Reader *reader = user_data;
    GstClockTime time = GST_CLOCK_TIME_NONE, duration = GST_CLOCK_TIME_NONE;
    g_mutex_lock(&reader->mutex);
    Track *track = track_of(reader, input);
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_EOS:
        if (track != NULL)
            track->ended = TRUE;
        break;
    case GST_EVENT_GAP:
        gst_event_parse_gap(event, &time, &duration);
        if (GST_CLOCK_TIME_IS_VALID(duration))
            time += duration;
        reach(reader, track, input_running_time(input, time));
        break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
        if (track != NULL && track->wanted)
            g_queue_push_tail(&track->events, gst_event_ref(event));
        break;
    default:
        break;
    }
    g_cond_broadcast(&reader->changed);
    g_mutex_unlock(&reader->mutex);
}

/* A track that is not there any more has nothing to wait for. */
static void on_no_more_tracks(gpointer user_data)
{
    Reader *reader = user_data;
    g_mutex_lock(&reader->mutex);
    for (guint i = 0; i < reader->count; i++)
        if (!reader->tracks[i].found)
            reader->tracks[i].ended = TRUE;
    g_cond_broadcast(&reader->changed);
    g_mutex_unlock(&reader->mutex);
}

static void on_failed(const GError *error, gpointer user_data)
{
    Reader *reader = user_data;
    g_mutex_lock(&reader->mutex);
    if (reader->error == NULL)
        reader->error = g_error_copy(error);
    g_cond_broadcast(&reader->changed);
    g_mutex_unlock(&reader->mutex);
}

static const InputReceiver receiver = {on_found, on_packet, on_event, on_no_more_tracks,
                                       on_failed};

Reader *reader_new(const Media *media, const gboolean *wanted, GError **error)
{
    g_autoptr(Reader) reader = g_new0(Reader, 1);
    g_mutex_init(&reader->mutex);
    g_cond_init(&reader->changed);
    reader->count = media->tracks->len;
    reader->tracks = g_new0(Track, reader->count);
    reader->reached = G_MININT64;
    for (guint i = 0; i < reader->count; i++) {
        reader->tracks[i].wanted = wanted[i];
        reader->tracks[i].reached = G_MININT64;
    }
    reader->input = input_new(media->path, &receiver, reader, error);
    if (reader->input == NULL)
        return NULL;
    input_set_origin(reader->input, media->origin);
    input_start(reader->input);
    return g_steal_pointer(&reader);
}

/* FALSE: it is not known yet. PACKET as well where it is not before the time: who asks
 * can see that. */
static gboolean is_known(Reader *reader, Track *track, gint64 before,
                         ReaderAnswer *answer)
{
    gboolean far =
        reader->reached != G_MININT64 && reader->reached - INTERLEAVE >= before;
    gboolean empty = g_queue_is_empty(&track->packets);
    if (reader->cancelled || (empty && reader->error != NULL))
        *answer = READER_FAILED;
    else if (!empty)
        *answer = READER_PACKET;
    else if (track->ended)
        *answer = READER_END;
    else if (track->reached >= before || far)
        *answer = READER_LATER;
    else
        return FALSE;
    return TRUE;
}

ReaderAnswer reader_peek(Reader *reader, guint number, gint64 before,
                         const ReaderPacket **packet, GError **error)
{
    Track *track = &reader->tracks[number];
    ReaderAnswer answer = READER_FAILED;
    g_mutex_lock(&reader->mutex);
    while (!is_known(reader, track, before, &answer)) {
        reader->starving = TRUE;
        g_cond_broadcast(&reader->changed);
        g_cond_wait(&reader->changed, &reader->mutex);
    }
    reader->starving = FALSE;
    if (answer == READER_PACKET)
        *packet = g_queue_peek_head(&track->packets);
    else if (answer == READER_FAILED && reader->cancelled)
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
    else if (answer == READER_FAILED)
        g_propagate_error(error, g_error_copy(reader->error));
    g_mutex_unlock(&reader->mutex);
    return answer;
}

GstBuffer *reader_take(Reader *reader, guint number)
{
    g_mutex_lock(&reader->mutex);
    ReaderPacket *packet = g_queue_pop_head(&reader->tracks[number].packets);
    GstBuffer *buffer = gst_buffer_ref(packet->buffer);
    free_packet(packet);
    reader->bytes -= gst_buffer_get_size(buffer);
    g_cond_broadcast(&reader->changed);
    g_mutex_unlock(&reader->mutex);
    return buffer;
}

void reader_leave(Reader *reader, guint number)
{
    Track *track = &reader->tracks[number];
    ReaderPacket *packet = NULL;
    g_mutex_lock(&reader->mutex);
    track->wanted = FALSE;
    while ((packet = g_queue_pop_head(&track->packets)) != NULL) {
        reader->bytes -= gst_buffer_get_size(packet->buffer);
        free_packet(packet);
    }
    g_cond_broadcast(&reader->changed);
    g_mutex_unlock(&reader->mutex);
}

GstEvent *reader_take_event(Reader *reader, guint number)
{
    g_mutex_lock(&reader->mutex);
    GstEvent *event = g_queue_pop_head(&reader->tracks[number].events);
    g_mutex_unlock(&reader->mutex);
    return event;
}

void reader_cancel(Reader *reader)
{
    g_mutex_lock(&reader->mutex);
    reader->cancelled = TRUE;
    g_cond_broadcast(&reader->changed);
    g_mutex_unlock(&reader->mutex);
}

void reader_free(Reader *reader)
{
    if (reader == NULL)
        return;
    g_mutex_lock(&reader->mutex);
    reader->stopped = TRUE;
    g_cond_broadcast(&reader->changed);
    g_mutex_unlock(&reader->mutex);
    input_free(reader->input);
    for (guint i = 0; i < reader->count; i++) {
        g_queue_clear_full(&reader->tracks[i].packets, free_packet);
        g_queue_clear_full(&reader->tracks[i].events, (GDestroyNotify)gst_event_unref);
    }
    g_free(reader->tracks);
    g_clear_error(&reader->error);
    g_cond_clear(&reader->changed);
    g_mutex_clear(&reader->mutex);
    g_free(reader);
}
