/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/keep.h"

#include "media/media.h"
#include "media/quicktime.h"

static void free_item(gpointer data)
{
    KeepItem *item = (KeepItem *)data;
    g_free(item->name);
    g_free(item->reason);
    g_free(item);
}

/* "mkv keeps them", of the first container that does; NULL if none does. */
static const char *container_for(MediaTrackKind kind, const GstCaps *caps)
{
    static const ContainerKind others[] = {CONTAINER_MKV, CONTAINER_MP4, CONTAINER_MOV};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (container_passage(others[i], kind, caps) == PASSAGE_COPY)
            return container_name(others[i]);
    return NULL;
}

static const char *container_with(VideoCodec codec, Extra extra)
{
    static const ContainerKind others[] = {CONTAINER_MKV, CONTAINER_MP4, CONTAINER_MOV};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (container_keeps(others[i], codec, extra))
            return container_name(others[i]);
    return NULL;
}

static gchar *with_advice(gchar *reason, const char *other)
{
    if (other == NULL)
        return reason;
    gchar *both = g_strdup_printf("%s; %s can", reason, other);
    g_free(reason);
    return both;
}

/* Why audio is not wanted, whatever the container; NULL if it is. */
static const char *silence(const KeepOptions *options)
{
    if (!options->copy_audio)
        return "no audio was asked for";
    if (options->slow_motion != 1)
        return "slow motion has no sound";
    return NULL;
}

static void judge_passage(KeepItem *item, const KeepOptions *options)
{
    const MediaTrack *track = item->track;
    item->passage = container_passage(options->container, track->kind, track->caps);
    if (item->passage == PASSAGE_NONE)
        item->reason =
            with_advice(g_strdup_printf("GStreamer cannot put %s into %s", track->codec,
                                        container_name(options->container)),
                        container_for(track->kind, track->caps));
    else if (item->passage == PASSAGE_TEXT)
        item->reason = g_strdup_printf("the words are kept, fonts and places are not: %s "
                                       "has plain text only",
                                       container_name(options->container));
}

static KeepItem *judge_track(const Media *media, const MediaTrack *track,
                             const KeepOptions *options)
{
    KeepItem *item = g_new0(KeepItem, 1);
    const char *unwanted = NULL;
    item->track = track;
    item->name = media_track_name(media, track);
    switch (track->kind) {
    case MEDIA_TRACK_VIDEO:
        unwanted =
            track->is_cover ? "a still picture" : "only the first video is converted";
        break;
    case MEDIA_TRACK_AUDIO:
        unwanted = silence(options);
        break;
    case MEDIA_TRACK_SUBTITLE:
        break;
    case MEDIA_TRACK_OTHER:
        unwanted = "neither video, audio nor subtitles";
        break;
    }
    if (options->container == CONTAINER_PICTURES)
        unwanted = "a folder of pictures holds nothing else";
    if (unwanted != NULL)
        item->reason = g_strdup(unwanted);
    else
        judge_passage(item, options);
    return item;
}

static gboolean has_attachment(const Media *media, gboolean is_cover)
{
    for (guint i = 0; i < media->attachments->len; i++) {
        const MediaAttachment *attachment = g_ptr_array_index(media->attachments, i);
        if (attachment->is_cover == is_cover)
            return TRUE;
    }
    return FALSE;
}

/* A flag says something where it tells tracks of one kind apart, or has a lone subtitle
 * track not shown. */
static gboolean default_flags_matter(const Media *media)
{
    for (guint i = 0; i < media->tracks->len; i++) {
        const MediaTrack *track = media_track(media, i);
        if (track->kind != MEDIA_TRACK_VIDEO && track->kind != MEDIA_TRACK_OTHER &&
            !track->is_default)
            return TRUE;
    }
    return FALSE;
}

static gboolean any_track(const Media *media, gboolean (*has)(const MediaTrack *))
{
    for (guint i = 0; i < media->tracks->len; i++)
        if (has(media_track(media, i)))
            return TRUE;
    return FALSE;
}

static gboolean has_language(const MediaTrack *track)
{
    return track->language != NULL;
}

static gboolean has_title(const MediaTrack *track)
{
    return track->title != NULL;
}

static gboolean is_forced(const MediaTrack *track)
{
    return track->is_forced;
}

static gboolean has_extra(const Media *media, Extra extra)
{
    const MediaVideo *video = &media->video->video;
    switch (extra) {
    case EXTRA_CHAPTERS:
        return media->chapters->len > 0;
    case EXTRA_TAGS:
        return media->tags != NULL && !gst_tag_list_is_empty(media->tags);
    case EXTRA_COVER:
        return has_attachment(media, TRUE);
    case EXTRA_ATTACHMENTS:
        return has_attachment(media, FALSE);
    case EXTRA_LANGUAGES:
        return any_track(media, has_language);
    case EXTRA_TITLES:
        return any_track(media, has_title);
    case EXTRA_DEFAULT_FLAGS:
        return default_flags_matter(media);
    case EXTRA_FORCED_FLAGS:
        return any_track(media, is_forced);
    case EXTRA_ROTATION:
        return video->orientation != NULL;
    case EXTRA_PIXEL_ASPECT:
        return video->pixel_n != video->pixel_d;
    case EXTRA_COLORIMETRY:
        return video->colorimetry != NULL;
    case EXTRA_HDR10:
        return video->mastering_display != NULL || video->light_level != NULL;
    case EXTRAS:
        break;
    }
    return FALSE;
}

static gboolean is_kept(const Media *media, Extra extra, const KeepOptions *options)
{
    if (extra == EXTRA_ROTATION &&
        !quicktime_has_orientation(media->video->video.orientation))
        return FALSE;
    return container_keeps(options->container, options->codec, extra);
}

/* NULL if the input does not have it. */
static KeepItem *judge_extra(const Media *media, Extra extra, const KeepOptions *options)
{
    if (!has_extra(media, extra))
        return NULL;
    KeepItem *item = g_new0(KeepItem, 1);
    item->extra = extra;
    item->name = g_strdup(extra_name(extra));
    if (is_kept(media, extra, options)) {
        item->passage = PASSAGE_COPY;
        return item;
    }
    if (extra == EXTRA_ROTATION)
        item->reason =
            g_strdup_printf("GStreamer cannot note it in %s; the picture itself "
                            "is turned upright",
                            container_name(options->container));
    else if (options->container == CONTAINER_PICTURES)
        item->reason = g_strdup("a folder of pictures holds nothing else");
    else
        item->reason = with_advice(g_strdup_printf("GStreamer cannot put them into %s",
                                                   container_name(options->container)),
                                   container_with(options->codec, extra));
    return item;
}

KeepPlan *keep_plan(const Media *media, const KeepOptions *options)
{
    KeepPlan *plan = g_new0(KeepPlan, 1);
    plan->items = g_ptr_array_new_with_free_func(free_item);
    for (guint i = 0; i < media->tracks->len; i++)
        if (media_track(media, i) != media->video)
            g_ptr_array_add(plan->items,
                            judge_track(media, media_track(media, i), options));
    for (Extra extra = EXTRA_CHAPTERS; extra < EXTRAS; extra++) {
        KeepItem *item = judge_extra(media, extra, options);
        if (item != NULL)
            g_ptr_array_add(plan->items, item);
    }
    plan->turn_picture =
        has_extra(media, EXTRA_ROTATION) && !is_kept(media, EXTRA_ROTATION, options);
    return plan;
}

void keep_plan_free(KeepPlan *plan)
{
    if (plan == NULL)
        return;
    g_ptr_array_unref(plan->items);
    g_free(plan);
}

gboolean keep_has(const KeepPlan *plan, Extra extra)
{
    for (guint i = 0; i < plan->items->len; i++) {
        const KeepItem *item = g_ptr_array_index(plan->items, i);
        if (item->track == NULL && item->extra == extra)
            return item->passage != PASSAGE_NONE;
    }
    return FALSE;
}

gchar *keep_item_text(const KeepItem *item)
{
    if (item->reason == NULL)
        return NULL;
    gboolean kept = item->passage != PASSAGE_NONE ||
                    (item->track == NULL && item->extra == EXTRA_ROTATION);
    return g_strdup_printf("%s: %s (%s)", kept ? "changed" : "not kept", item->name,
                           item->reason);
}
