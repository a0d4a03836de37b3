/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread takes packets from the segments and from the input's tracks and gives the
 * earliest to the muxer. Times are nanoseconds of the output unless a name says
 * otherwise. */
#include "media/assemble.h"

#include "media/chapters.h"
#include "media/finish.h"
#include "media/media.h"
#include "media/output_file.h"
#include "media/passed.h"
#include "media/reader.h"
#include "media/segments.h"
#include "media/writer.h"

typedef struct {
    const AssembleJob *job;
    GCancellable *cancellable;
    gulong cancelling;
    AssembleProgress progress;
    gpointer user_data;
    Segments *segments;
    Reader *reader; /* NULL if no other track is kept */
    Writer *writer;
    WriterTrack *video;
    GPtrArray *passed; /* of Passed */
    /* The video's next packet, NULL when there is none any more. */
    GstBuffer *packet;
    gint64 time, decoding, decoded;
} Assembly;

static gint64 key(gint64 time, gint64 decoding)
{
    return decoding != G_MININT64 ? decoding : time;
}

/* FALSE with an error; at the end packet is NULL. */
static gboolean next_video(Assembly *assembly, GError **error)
{
    g_autoptr(GError) failure = NULL;
    assembly->packet =
        segments_next(assembly->segments, &assembly->time, &assembly->decoding, &failure);
    if (failure != NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    /* Encoders count the frames that they wait for anew in each segment. */
    if (assembly->packet != NULL && assembly->decoding != G_MININT64) {
        assembly->decoding = MAX(assembly->decoding, assembly->decoded);
        assembly->decoded = assembly->decoding;
    }
    return TRUE;
}

/* GStreamer 1.22's qtmux and mp4mux crash on VP9 without a word on where chroma lies;
 * they note the same for all places but one, which encoders do not use. */
static GstCaps *safe_caps(const GstCaps *caps)
{
    GstCaps *safe = gst_caps_copy(caps);
    GstStructure *structure = gst_caps_get_structure(safe, 0);
    if (gst_structure_has_name(structure, "video/x-vp9") &&
        !gst_structure_has_field(structure, "chroma-site"))
        gst_structure_set(structure, "chroma-site", G_TYPE_STRING, "mpeg2", NULL);
    return safe;
}

static gboolean add_video(Assembly *assembly, GError **error)
{
    const MediaTrack *track = assembly->job->media->video;
    const GstCaps *caps = segments_caps(assembly->segments);
    if (caps == NULL || assembly->packet == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_READ,
                    "%s: holds no video; convert this part again",
                    assembly->job->segments[0] != NULL ? assembly->job->segments[0]
                                                       : assembly->job->output);
        return FALSE;
    }
    g_autoptr(GstTagList) tags = finish_tags(assembly->job->options.container, track);
    g_autoptr(GstCaps) safe = safe_caps(caps);
    assembly->video = writer_add(assembly->writer, MEDIA_TRACK_VIDEO, safe, tags, error);
    return assembly->video != NULL;
}

static const KeepItem *item_of(const KeepPlan *plan, const MediaTrack *track)
{
    for (guint i = 0; i < plan->items->len; i++) {
        const KeepItem *item = g_ptr_array_index(plan->items, i);
        if (item->track == track)
            return item;
    }
    return NULL;
}

/* The output's tracks stand in the input's order. */
static gboolean add_tracks(Assembly *assembly, GError **error)
{
    const AssembleJob *job = assembly->job;
    for (guint i = 0; i < job->media->tracks->len; i++) {
        const MediaTrack *track = media_track(job->media, i);
        const KeepItem *item = item_of(job->plan, track);
        if (track == job->media->video && !add_video(assembly, error))
            return FALSE;
        if (item == NULL || item->passage == PASSAGE_NONE)
            continue;
        Passed *passed = passed_new(item, job->options.container, job->from, job->to,
                                    job->options.slow_motion);
        g_autoptr(GstCaps) caps = passed_caps(passed);
        g_autoptr(GstTagList) tags = finish_tags(job->options.container, track);
        g_ptr_array_add(assembly->passed, passed);
        passed->output = writer_add(assembly->writer, track->kind, caps, tags, error);
        if (passed->output == NULL)
            return FALSE;
    }
    return TRUE;
}

static void on_cancel(GCancellable *cancellable, gpointer user_data)
{
    Assembly *assembly = (Assembly *)user_data;
    (void)cancellable;
    reader_cancel(assembly->reader);
}

static gboolean start_reader(Assembly *assembly, GError **error)
{
    const Media *media = assembly->job->media;
    if (assembly->passed->len == 0)
        return TRUE;
    g_autofree gboolean *wanted = g_new0(gboolean, media->tracks->len);
    for (guint i = 0; i < assembly->passed->len; i++) {
        const Passed *passed = g_ptr_array_index(assembly->passed, i);
        wanted[passed->track->number] = TRUE;
    }
    assembly->reader = reader_new(media, wanted, error);
    if (assembly->reader == NULL)
        return FALSE;
    if (assembly->cancellable != NULL)
        assembly->cancelling = g_cancellable_connect(
            assembly->cancellable, G_CALLBACK(on_cancel), assembly, NULL);
    return TRUE;
}

static void add_extras(Assembly *assembly)
{
    const AssembleJob *job = assembly->job;
    g_autoptr(GstTagList) tags = NULL;
    if (job->media->tags != NULL && keep_has(job->plan, EXTRA_TAGS))
        tags = gst_tag_list_copy(job->media->tags);
    for (guint i = 0; i < job->media->attachments->len; i++) {
        const MediaAttachment *one = g_ptr_array_index(job->media->attachments, i);
        if (!one->is_cover || !keep_has(job->plan, EXTRA_COVER))
            continue;
        if (tags == NULL)
            tags = gst_tag_list_new_empty();
        gst_tag_list_add(tags, GST_TAG_MERGE_APPEND, GST_TAG_IMAGE, one->sample, NULL);
    }
    writer_set_tags(assembly->writer, tags, job->application);
    if (!keep_has(job->plan, EXTRA_CHAPTERS))
        return;
    GstToc *toc = chapters_to_toc(job->media->chapters, job->from, job->to,
                                  job->options.slow_motion, job->media->duration);
    if (toc != NULL)
        writer_set_toc(assembly->writer, toc);
    chapters_clear_toc(&toc);
}

static void note_end(const Assembly *assembly, const Passed *passed, const char *reason)
{
    const AssembleJob *job = assembly->job;
    g_autofree gchar *name = media_track_name(job->media, passed->track);
    double at = (double)MAX(passed->time + passed->duration, 0) / GST_SECOND;
    g_autofree gchar *text =
        g_strdup_printf("%s ends at %.3f s of the output: %s", name, at, reason);
    if (job->note != NULL)
        job->note(text, assembly->user_data);
    else
        g_message("%s", text);
}

/* All has been converted by now: what can be kept is. */
static gboolean give_up(const Assembly *assembly, Passed *passed, GError *failure,
                        GError **error)
{
    if (g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    note_end(assembly, passed, failure->message);
    g_error_free(failure);
    passed->ended = TRUE;
    return TRUE;
}

static void leave_changed(const Assembly *assembly, Passed *passed)
{
    if (!passed->changed)
        return;
    passed->duration = 0;
    note_end(assembly, passed,
             "its format changes there, and it is not encoded again; convert what "
             "follows with --from into another file");
    reader_leave(assembly->reader, passed->track->number);
}

/* What can be said of @passed before the video's @limit: sets its next packet's time if
 * that is not behind @limit. FALSE with an error. */
static gboolean look(Assembly *assembly, Passed *passed, gint64 limit, gint64 *time,
                     GError **error)
{
    const ReaderPacket *packet = NULL;
    *time = G_MAXINT64;
    while (!passed->ended) {
        g_autoptr(GError) failure = NULL;
        switch (reader_peek(assembly->reader, passed->track->number,
                            passed_input_time(passed, limit), &packet, &failure)) {
        case READER_FAILED:
            if (!give_up(assembly, passed, g_steal_pointer(&failure), error))
                return FALSE;
            break;
        case READER_END:
            passed->ended = TRUE;
            break;
        case READER_LATER:
            writer_skip(assembly->writer, passed->output, limit);
            return TRUE;
        case READER_PACKET:
            if (passed_judge(passed, packet) == PASSED_DROP) {
                gst_buffer_unref(reader_take(assembly->reader, passed->track->number));
                break;
            }
            if (passed->ended) {
                leave_changed(assembly, passed);
                break;
            }
            *time = passed->time;
            if (*time > limit)
                writer_skip(assembly->writer, passed->output, limit);
            return TRUE;
        }
    }
    writer_end(assembly->writer, passed->output);
    return TRUE;
}

/* The passed track whose packet is the earliest and not behind @limit; NULL if there is
 * none. */
static gboolean earliest(Assembly *assembly, gint64 limit, Passed **best, GError **error)
{
    gint64 best_time = limit;
    *best = NULL;
    for (guint i = 0; i < assembly->passed->len; i++) {
        Passed *passed = (Passed *)g_ptr_array_index(assembly->passed, i);
        gint64 time = 0;
        if (!look(assembly, passed, limit, &time, error))
            return FALSE;
        if (time == G_MAXINT64 || time > best_time ||
            (*best != NULL && time == best_time))
            continue;
        *best = passed;
        best_time = time;
    }
    return TRUE;
}

/* A track of texts that begins late would need a list of edits, with which the muxer ends
 * it too early: it begins with no text. */
static gboolean push_no_text(Assembly *assembly, Passed *passed)
{
    gint64 duration = passed->time;
    if (!passed->starts_at_zero || duration <= 0)
        return TRUE;
    passed->starts_at_zero = FALSE;
    GstBuffer *empty = gst_buffer_new_wrapped(g_strdup(""), 1);
    GST_BUFFER_DURATION(empty) = (GstClockTime)duration;
    return writer_push(assembly->writer, passed->output, empty, 0, G_MININT64);
}

static gboolean push_passed(Assembly *assembly, Passed *passed)
{
    if (!push_no_text(assembly, passed))
        return FALSE;
    GstEvent *event = NULL;
    while ((event = reader_take_event(assembly->reader, passed->track->number)) != NULL)
        writer_send(assembly->writer, passed->output, event);
    GstBuffer *packet =
        passed_convert(passed, reader_take(assembly->reader, passed->track->number));
    return writer_push(assembly->writer, passed->output, packet,
                       passed->time + passed->lead, G_MININT64);
}

static gboolean push_video(Assembly *assembly, GError **error)
{
    if (assembly->time == G_MININT64) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_READ,
                    "%s: a packet of the converted video has no time",
                    assembly->job->output);
        return FALSE;
    }
    GstBuffer *packet = g_steal_pointer(&assembly->packet);
    if (!writer_push(assembly->writer, assembly->video, packet, assembly->time,
                     assembly->decoding))
        return writer_finish(assembly->writer, error);
    if (assembly->progress != NULL)
        assembly->progress((double)segments_position(assembly->segments) /
                               (double)MAX(segments_size(assembly->segments), 1),
                           assembly->user_data);
    return next_video(assembly, error);
}

static gboolean move_packets(Assembly *assembly, GError **error)
{
    for (;;) {
        Passed *passed = NULL;
        gint64 limit = assembly->packet != NULL ? key(assembly->time, assembly->decoding)
                                                : G_MAXINT64;
        if (g_cancellable_set_error_if_cancelled(assembly->cancellable, error) ||
            !earliest(assembly, limit, &passed, error))
            return FALSE;
        if (passed != NULL && !push_passed(assembly, passed))
            return writer_finish(assembly->writer, error);
        if (passed == NULL && assembly->packet == NULL)
            return TRUE;
        if (passed == NULL && !push_video(assembly, error))
            return FALSE;
        if (assembly->packet == NULL)
            writer_end(assembly->writer, assembly->video);
    }
}

static gboolean finish(const Assembly *assembly, const char *path, GError **error)
{
    const AssembleJob *job = assembly->job;
    const Media *media = job->media;
    g_autofree FinishTrack *tracks = g_new0(FinishTrack, assembly->passed->len + 1);
    guint count = 0, next = 0;
    for (guint i = 0; i < media->tracks->len; i++) {
        const Passed *passed = next < assembly->passed->len
                                   ? g_ptr_array_index(assembly->passed, next)
                                   : NULL;
        const MediaTrack *track = media_track(media, i);
        gboolean is_next = passed != NULL && passed->track == track;
        if (track != media->video && !is_next)
            continue;
        tracks[count].track = track;
        tracks[count].caps = is_next ? NULL : segments_caps(assembly->segments);
        tracks[count++].lead = is_next ? passed->lead : 0;
        next += is_next;
    }
    return finish_file(
        job->options.container, path, tracks, count,
        keep_has(job->plan, EXTRA_ROTATION) ? media->video->video.orientation : NULL,
        error);
}

static gboolean write_file(Assembly *assembly, const OutputFile *file, GError **error)
{
    const AssembleJob *job = assembly->job;
    assembly->writer = writer_new(job->options.container, file, error);
    assembly->segments = segments_new(job->segments);
    assembly->decoded = G_MININT64;
    if (assembly->writer == NULL || !next_video(assembly, error))
        return FALSE;
    add_extras(assembly);
    if (!add_tracks(assembly, error) || !start_reader(assembly, error))
        return FALSE;
    writer_start(assembly->writer);
    if (!move_packets(assembly, error) || !writer_finish(assembly->writer, error))
        return FALSE;
    return finish(assembly, file->partial, error) &&
           finish_attachments(job->options.container, file->partial, job->media,
                              job->plan, error);
}

gboolean assemble(const AssembleJob *job, GCancellable *cancellable,
                  AssembleProgress progress, gpointer user_data, GError **error)
{
    Assembly assembly = {.job = job,
                         .cancellable = cancellable,
                         .progress = progress,
                         .user_data = user_data};
    g_autoptr(OutputFile) file = output_file_new(job->output, error);
    if (file == NULL)
        return FALSE;
    assembly.passed = g_ptr_array_new_with_free_func(passed_free);
    gboolean written = write_file(&assembly, file, error);
    if (cancellable != NULL)
        g_cancellable_disconnect(cancellable, assembly.cancelling);
    writer_free(assembly.writer);
    reader_free(assembly.reader);
    segments_free(assembly.segments);
    gst_clear_buffer(&assembly.packet);
    g_ptr_array_unref(assembly.passed);
    return written && output_file_commit(file, error);
}
