/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/scan.h"

#include "media/chapters.h"
#include "media/error.h"
#include "media/input.h"
#include "media/tracks.h"

/* Frames of the first video that are looked at for its rate. */
#define MEASURED 120
/* Whoever has not shown a packet when a video is this far will not keep us waiting. */
#define PATIENCE 1000

typedef struct {
    MediaTrack *track;
    size_t packets;
    gboolean ended;
} Seen;

typedef struct {
    GMutex mutex;
    GCond changed;
    Scan *scan;
    GArray *seen; /* of Seen, by number */
    gint64 times[MEASURED];
    size_t measured;   /* how many of them are there */
    gboolean complete; /* no track follows */
    gboolean stopped;
    GError *error;
} Reading;

void scan_free_track(gpointer data)
{
    MediaTrack *track = (MediaTrack *)data;
    g_free(track->stream_id);
    gst_clear_caps(&track->caps);
    g_free(track->description);
    g_free(track->language);
    g_free(track->title);
    gst_clear_tag_list(&track->tags);
    g_free(track->video.chroma);
    g_free(track->video.colorimetry);
    g_free(track->video.mastering_display);
    g_free(track->video.light_level);
    g_free(track->video.orientation);
    g_free(track);
}

static Seen *seen(Reading *reading, guint number)
{
    return &g_array_index(reading->seen, Seen, number);
}

/* The number of the first video, G_MAXUINT if there is none. */
static guint first_video(Reading *reading)
{
    for (guint i = 0; i < reading->seen->len; i++)
        if (seen(reading, i)->track->kind == MEDIA_TRACK_VIDEO)
            return i;
    return G_MAXUINT;
}

/* Not every demuxer says that no track follows. */
static gboolean is_at_end(Reading *reading)
{
    gboolean ended = reading->seen->len > 0;
    for (guint i = 0; i < reading->seen->len; i++)
        ended = ended && seen(reading, i)->ended;
    return ended;
}

static gboolean is_enough(Reading *reading)
{
    gboolean all = reading->complete || is_at_end(reading);
    for (guint i = 0; i < reading->seen->len; i++) {
        const Seen *one = seen(reading, i);
        MediaTrackKind kind = one->track->kind;
        if (one->packets >= PATIENCE)
            return TRUE;
        if (one->ended || kind == MEDIA_TRACK_SUBTITLE || kind == MEDIA_TRACK_OTHER)
            continue;
        size_t needed = i == first_video(reading) ? MEASURED : 1;
        all = all && one->packets >= needed;
    }
    return all;
}

static gboolean is_matroska(const InputTrack *input)
{
    const GstStructure *container =
        gst_caps_get_structure(input_container(input->input), 0);
    return gst_structure_has_name(container, "video/x-matroska") ||
           gst_structure_has_name(container, "video/webm");
}

/* Matroska says which tracks to choose, other containers which not to. */
static gboolean is_default(const InputTrack *input)
{
    if (is_matroska(input))
        return (input->flags & GST_STREAM_FLAG_SELECT) != 0;
    return (input->flags & GST_STREAM_FLAG_UNSELECT) == 0;
}

static gboolean on_found(InputTrack *input, gpointer user_data)
{
    Reading *reading = user_data;
    MediaTrack *track = g_new0(MediaTrack, 1);
    Seen fresh = {.track = track};
    track->number = input->number;
    track->stream_id = g_strdup(input->stream_id);
    track->kind = track_kind_of_caps(input->caps);
    track->caps = gst_caps_ref(input->caps);
    track->is_default = is_default(input);
    g_mutex_lock(&reading->mutex);
    g_ptr_array_add(reading->scan->tracks, track);
    g_array_append_val(reading->seen, fresh);
    g_mutex_unlock(&reading->mutex);
    return track->kind == MEDIA_TRACK_VIDEO || track->kind == MEDIA_TRACK_AUDIO;
}

/* Parsers of video see more with each frame. What begins anew is another format, for
 * which the beginning does not speak. */
static gboolean says_more(const GstCaps *caps, const GstCaps *later)
{
    int size[4] = {0, 0, 0, 0};
    const GstStructure *a = gst_caps_get_structure(caps, 0);
    const GstStructure *b = gst_caps_get_structure(later, 0);
    return track_kind_of_caps(later) == MEDIA_TRACK_VIDEO &&
           gst_structure_get_int(a, "width", &size[0]) ==
               gst_structure_get_int(b, "width", &size[1]) &&
           gst_structure_get_int(a, "height", &size[2]) ==
               gst_structure_get_int(b, "height", &size[3]) &&
           size[0] == size[1] && size[2] == size[3];
}

static GstFlowReturn on_packet(InputTrack *input, GstBuffer *packet, gpointer user_data)
{
    Reading *reading = user_data;
    GstClockTime time =
        GST_BUFFER_PTS_IS_VALID(packet) ? GST_BUFFER_PTS(packet) : GST_BUFFER_DTS(packet);
    gst_buffer_unref(packet);
    g_mutex_lock(&reading->mutex);
    Seen *one = seen(reading, input->number);
    if (reading->measured < MEASURED && GST_CLOCK_TIME_IS_VALID(time) &&
        input->number == first_video(reading))
        reading->times[reading->measured++] = (gint64)time;
    if (one->packets++ == 0 || says_more(one->track->caps, input->caps))
        gst_caps_replace(&one->track->caps, input->caps);
    if (is_enough(reading))
        reading->stopped = TRUE;
    gboolean stopped = reading->stopped;
    g_cond_signal(&reading->changed);
    g_mutex_unlock(&reading->mutex);
    return stopped ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

static void note_tags(Reading *reading, MediaTrack *track, GstEvent *event)
{
    GstTagList *tags = NULL;
    gst_event_parse_tag(event, &tags);
    GstTagList **into = gst_tag_list_get_scope(tags) == GST_TAG_SCOPE_GLOBAL
                            ? &reading->scan->tags
                            : &track->tags;
    GstTagList *merged = gst_tag_list_merge(*into, tags, GST_TAG_MERGE_REPLACE);
    gst_clear_tag_list(into);
    *into = merged;
}

static void on_event(InputTrack *input, GstEvent *event, gpointer user_data)
{
    Reading *reading = user_data;
    GstToc *toc = NULL;
    g_mutex_lock(&reading->mutex);
    Seen *one = seen(reading, input->number);
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_TAG:
        note_tags(reading, one->track, event);
        break;
    case GST_EVENT_TOC:
        gst_event_parse_toc(event, &toc, NULL);
        chapters_clear_toc(&reading->scan->toc);
        reading->scan->toc = toc;
        break;
    case GST_EVENT_SEGMENT:
        if (is_matroska(input))
            reading->scan->origin = MIN(reading->scan->origin, input->segment.start);
        break;
    case GST_EVENT_EOS:
        one->ended = TRUE;
        break;
    default:
        break;
    }
    if (is_enough(reading))
        reading->stopped = TRUE;
    g_cond_signal(&reading->changed);
    g_mutex_unlock(&reading->mutex);
}

static void on_no_more_tracks(gpointer user_data)
{
    Reading *reading = user_data;
    g_mutex_lock(&reading->mutex);
    reading->complete = TRUE;
    g_cond_signal(&reading->changed);
    g_mutex_unlock(&reading->mutex);
}

static void on_failed(const GError *error, gpointer user_data)
{
    Reading *reading = user_data;
    g_mutex_lock(&reading->mutex);
    if (reading->error == NULL)
        reading->error = g_error_copy(error);
    g_cond_signal(&reading->changed);
    g_mutex_unlock(&reading->mutex);
}

static const InputReceiver receiver = {on_found, on_packet, on_event, on_no_more_tracks,
                                       on_failed};

/* Errors after all tracks have shown a packet are the business of who reads the whole
 * file. */
static gboolean read_beginning(Reading *reading, Input *input, const char *path,
                               GError **error)
{
    if (!input_start(input)) {
        g_autoptr(GError) failure = g_error_new(MEDIA_ERROR, MEDIA_ERROR_READ,
                                                "%s: cannot be read by GStreamer", path);
        on_failed(failure, reading);
    }
    g_mutex_lock(&reading->mutex);
    while (!reading->stopped && reading->error == NULL && !is_enough(reading))
        g_cond_wait(&reading->changed, &reading->mutex);
    reading->stopped = TRUE;
    gboolean enough = is_enough(reading);
    g_mutex_unlock(&reading->mutex);
    if (enough) {
        reading->scan->container = gst_caps_copy(input_container(input));
        reading->scan->duration = input_duration(input);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&reading->error));
    return FALSE;
}

static void describe(Reading *reading)
{
    for (guint i = 0; i < reading->scan->tracks->len; i++) {
        MediaTrack *track = (MediaTrack *)g_ptr_array_index(reading->scan->tracks, i);
        track_describe(track, reading->scan->tags);
        if (i == first_video(reading))
            track_measure_rate(&track->video, reading->times, reading->measured);
    }
}

gboolean scan_file(const char *path, Scan *scan, GError **error)
{
    Reading reading = {.scan = scan};
    scan->duration = scan->origin = GST_CLOCK_TIME_NONE;
    scan->tracks = g_ptr_array_new_with_free_func(scan_free_track);
    reading.seen = g_array_new(FALSE, TRUE, sizeof(Seen));
    g_mutex_init(&reading.mutex);
    g_cond_init(&reading.changed);
    Input *input = input_new(path, &receiver, &reading, error);
    gboolean done = input != NULL && read_beginning(&reading, input, path, error);
    input_free(input);
    if (done)
        describe(&reading);
    g_clear_error(&reading.error);
    g_array_unref(reading.seen);
    g_cond_clear(&reading.changed);
    g_mutex_clear(&reading.mutex);
    return done;
}

void scan_clear(Scan *scan)
{
    gst_clear_caps(&scan->container);
    gst_clear_tag_list(&scan->tags);
    chapters_clear_toc(&scan->toc);
    g_clear_pointer(&scan->tracks, g_ptr_array_unref);
}
