/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/finish.h"

#include "media/matroska.h"
#include "media/quicktime.h"
#include "media/tags.h"

static gboolean is_matroska(ContainerKind container)
{
    return container == CONTAINER_MKV || container == CONTAINER_WEBM;
}

GstTagList *finish_tags(ContainerKind container, const MediaTrack *track)
{
    GstTagList *tags = tags_without_technical(track->tags);
    if (!is_matroska(container))
        return tags;
    g_autofree gchar *title = matroska_title_with_room(track->title);
    if (tags == NULL)
        tags = gst_tag_list_new_empty();
    gst_tag_list_set_scope(tags, GST_TAG_SCOPE_STREAM);
    gst_tag_list_add(tags, GST_TAG_MERGE_REPLACE, GST_TAG_TITLE, title, NULL);
    return tags;
}

/* A player that obeys the flags shall not be silent: if no audio is a default, the first
 * is. */
static guint audible(const FinishTrack *tracks, guint count)
{
    guint first = count;
    for (guint i = count; i-- > 0;) {
        if (tracks[i].track->kind != MEDIA_TRACK_AUDIO)
            continue;
        if (tracks[i].track->is_default)
            return count;
        first = i;
    }
    return first;
}

static gboolean finish_quicktime(const char *path, const FinishTrack *tracks, guint count,
                                 const char *orientation, GError **error)
{
    g_autofree QuicktimeTrack *fields = g_new0(QuicktimeTrack, count);
    guint first = audible(tracks, count);
    for (guint i = 0; i < count; i++) {
        gboolean is_video = tracks[i].track->kind == MEDIA_TRACK_VIDEO;
        fields[i].is_default = is_video || i == first || tracks[i].track->is_default;
        fields[i].orientation = is_video ? orientation : NULL;
        fields[i].lead = tracks[i].lead;
    }
    return quicktime_fix(path, fields, count, error);
}

static void note_luminance(MatroskaTrack *field, const GstCaps *caps)
{
    enum { UNITS = 10000 }; /* of caps, in a candela per square metre */
    GstVideoMasteringDisplayInfo info;
    const char *text = caps != NULL
                           ? gst_structure_get_string(gst_caps_get_structure(caps, 0),
                                                      "mastering-display-info")
                           : NULL;
    if (text == NULL || !gst_video_mastering_display_info_from_string(&info, text))
        return;
    field->luminance_max = (double)info.max_display_mastering_luminance / UNITS;
    field->luminance_min = (double)info.min_display_mastering_luminance / UNITS;
}

static gboolean finish_matroska(const char *path, const FinishTrack *tracks, guint count,
                                GError **error)
{
    g_autofree MatroskaTrack *fields = g_new0(MatroskaTrack, count);
    for (guint i = 0; i < count; i++) {
        fields[i].is_default = tracks[i].track->is_default;
        fields[i].is_forced = tracks[i].track->is_forced;
        note_luminance(&fields[i], tracks[i].caps);
    }
    return matroska_fix(path, fields, count, error);
}

gboolean finish_file(ContainerKind container, const char *path, const FinishTrack *tracks,
                     guint count, const char *orientation, GError **error)
{
    return is_matroska(container)
               ? finish_matroska(path, tracks, count, error)
               : finish_quicktime(path, tracks, count, orientation, error);
}

/* Players know a cover by its name. */
static const char *file_name(const MediaAttachment *attachment)
{
    if (attachment->name != NULL)
        return attachment->name;
    if (!attachment->is_cover)
        return "attachment";
    return g_strcmp0(attachment->type, "image/png") == 0 ? "cover.png" : "cover.jpg";
}

gboolean finish_attachments(ContainerKind container, const char *path, const Media *media,
                            const KeepPlan *plan, GError **error)
{
    g_autofree MatroskaFile *files = g_new0(MatroskaFile, media->attachments->len + 1);
    guint count = 0;
    for (guint i = 0; container == CONTAINER_MKV && i < media->attachments->len; i++) {
        const MediaAttachment *one = g_ptr_array_index(media->attachments, i);
        if (!keep_has(plan, one->is_cover ? EXTRA_COVER : EXTRA_ATTACHMENTS))
            continue;
        files[count].name = file_name(one);
        files[count].type = one->type != NULL ? one->type : "application/octet-stream";
        files[count++].bytes = gst_sample_get_buffer(one->sample);
    }
    return count == 0 || matroska_attach(path, files, count, error);
}
