/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media.h"

#include <gst/pbutils/pbutils.h>
#include <string.h>

#include "media/chapters.h"
#include "media/element.h"
#include "media/matroska.h"
#include "media/scan.h"
#include "media/tags.h"

static void free_attachment(gpointer data)
{
    MediaAttachment *attachment = (MediaAttachment *)data;
    g_free(attachment->name);
    g_free(attachment->type);
    gst_sample_unref(attachment->sample);
    g_free(attachment);
}

static MediaAttachment *new_attachment(GstSample *sample, gboolean is_cover)
{
    MediaAttachment *attachment = g_new0(MediaAttachment, 1);
    const GstStructure *info = gst_sample_get_info(sample);
    GstCaps *caps = gst_sample_get_caps(sample);
    attachment->is_cover = is_cover;
    attachment->sample = sample;
    if (info != NULL)
        attachment->name = g_strdup(gst_structure_get_string(info, "filename"));
    if (info != NULL && gst_structure_has_field(info, "mimetype"))
        attachment->type = g_strdup(gst_structure_get_string(info, "mimetype"));
    else if (caps != NULL && gst_caps_get_size(caps) > 0)
        attachment->type =
            g_strdup(gst_structure_get_name(gst_caps_get_structure(caps, 0)));
    return attachment;
}

/* Moves the values of tag @name from @tags to the attachments. */
static void take_attachments(Media *media, const char *name)
{
    GstSample *sample = NULL;
    gboolean is_cover = g_strcmp0(name, GST_TAG_ATTACHMENT) != 0;
    if (media->tags == NULL)
        return;
    for (guint i = 0; gst_tag_list_get_sample_index(media->tags, name, i, &sample); i++)
        g_ptr_array_add(media->attachments, new_attachment(sample, is_cover));
    gst_tag_list_remove_tag(media->tags, name);
}

/* The demuxer says no such flag, but it ends a stream's name in the track's UID. */
static void note_forced(Media *media)
{
    g_autoptr(GArray) uids = matroska_forced_tracks(media->path);
    for (guint i = 0; i < media->tracks->len; i++) {
        MediaTrack *track = (MediaTrack *)g_ptr_array_index(media->tracks, i);
        const char *colon =
            track->stream_id != NULL ? strrchr(track->stream_id, ':') : NULL;
        guint64 uid = colon != NULL ? g_ascii_strtoull(colon + 1, NULL, 10) : 0;
        for (guint j = 0; j < uids->len; j++)
            if (colon != NULL && g_array_index(uids, guint64, j) == uid)
                track->is_forced = TRUE;
    }
}

static gboolean is_picture(const MediaTrack *track)
{
    return g_str_has_prefix(
        gst_structure_get_name(gst_caps_get_structure(track->caps, 0)), "image/");
}

/* Pictures beside a film are covers; alone they are a film. */
static void choose_video(Media *media)
{
    const MediaTrack *picture = NULL;
    for (guint i = 0; i < media->tracks->len; i++) {
        MediaTrack *track = (MediaTrack *)g_ptr_array_index(media->tracks, i);
        if (track->kind != MEDIA_TRACK_VIDEO)
            continue;
        track->is_cover = is_picture(track);
        if (!track->is_cover && media->video == NULL)
            media->video = track;
        else if (track->is_cover && picture == NULL)
            picture = track;
    }
    for (guint i = 0; media->video == NULL && i < media->tracks->len; i++) {
        MediaTrack *track = (MediaTrack *)g_ptr_array_index(media->tracks, i);
        if (track == picture) {
            track->is_cover = FALSE;
            media->video = track;
        }
    }
}

static gboolean check_video(const Media *media, GError **error)
{
    if (media->video == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_NO_VIDEO,
                    "%s: has no video (%u other tracks)", media->path,
                    media->tracks->len);
        return FALSE;
    }
    if (g_strcmp0(media->video->codec, "raw") == 0 || element_decodes(media->video->caps))
        return TRUE;
    g_autofree gchar *decoder = gst_pb_utils_get_decoder_description(media->video->caps);
    g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_NO_DECODER,
                "%s: no installed plugin has a %s; install gstreamer1.0-libav or "
                "gstreamer1.0-plugins-bad",
                media->path, decoder);
    return FALSE;
}

static gboolean is_quicktime(const GstCaps *container)
{
    return gst_structure_has_name(gst_caps_get_structure(container, 0),
                                  "video/quicktime");
}

Media *media_open(const char *path, GError **error)
{
    g_autoptr(Media) media = g_new0(Media, 1);
    Scan scan;
    memset(&scan, 0, sizeof scan);
    media->path = g_strdup(path);
    if (!scan_file(path, &scan, error)) {
        scan_clear(&scan);
        return NULL;
    }
    media->container = gst_pb_utils_get_codec_description(scan.container);
    media->duration = scan.duration;
    media->origin = scan.origin;
    media->tags = tags_without_technical(scan.tags);
    if (media->tags != NULL)
        gst_tag_list_remove_tag(media->tags, GST_TAG_LANGUAGE_CODE);
    media->toc = g_steal_pointer(&scan.toc);
    media->tracks = g_steal_pointer(&scan.tracks);
    media->chapters = media->toc != NULL || !is_quicktime(scan.container)
                          ? chapters_of_toc(media->toc)
                          : chapters_of_quicktime(path);
    media->attachments = g_ptr_array_new_with_free_func(free_attachment);
    scan_clear(&scan);
    take_attachments(media, GST_TAG_IMAGE);
    take_attachments(media, GST_TAG_PREVIEW_IMAGE);
    take_attachments(media, GST_TAG_ATTACHMENT);
    if (media->tags != NULL && gst_tag_list_is_empty(media->tags))
        gst_clear_tag_list(&media->tags);
    note_forced(media);
    choose_video(media);
    return check_video(media, error) ? g_steal_pointer(&media) : NULL;
}

void media_free(Media *media)
{
    if (media == NULL)
        return;
    g_free(media->path);
    g_free(media->container);
    gst_clear_tag_list(&media->tags);
    g_clear_pointer(&media->tracks, g_ptr_array_unref);
    g_clear_pointer(&media->attachments, g_ptr_array_unref);
    g_clear_pointer(&media->chapters, g_ptr_array_unref);
    chapters_clear_toc(&media->toc);
    g_free(media);
}

gchar *media_track_name(const Media *media, const MediaTrack *track)
{
    static const char *const kinds[] = {"video", "audio", "subtitle", "data"};
    guint place = 1;
    for (guint i = 0; i < track->number; i++)
        place += media_track(media, i)->kind == track->kind;
    return g_strdup_printf("%s track %u (%s%s%s)", kinds[track->kind], place,
                           track->codec, track->language != NULL ? ", " : "",
                           track->language != NULL ? track->language : "");
}
