/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/tracks.h"

#include <gst/pbutils/pbutils.h>
#include <stdlib.h>
#include <string.h>

#include "media/codec.h"

MediaTrackKind track_kind_of_caps(const GstCaps *caps)
{
    static const char *const subtitles[] = {"text/",
                                            "subpicture/",
                                            "subtitle/",
                                            "closedcaption/",
                                            "application/x-ass",
                                            "application/x-ssa",
                                            "application/x-usf",
                                            "application/x-subtitle"};
    if (caps == NULL || gst_caps_is_any(caps) || gst_caps_is_empty(caps))
        return MEDIA_TRACK_OTHER;
    const char *type = gst_structure_get_name(gst_caps_get_structure(caps, 0));
    if (g_str_has_prefix(type, "video/") || g_str_has_prefix(type, "image/"))
        return MEDIA_TRACK_VIDEO;
    if (g_str_has_prefix(type, "audio/"))
        return MEDIA_TRACK_AUDIO;
    for (size_t i = 0; i < G_N_ELEMENTS(subtitles); i++)
        if (g_str_has_prefix(type, subtitles[i]))
            return MEDIA_TRACK_SUBTITLE;
    return MEDIA_TRACK_OTHER;
}

static gchar *string_field(const GstStructure *structure, const char *name)
{
    return g_strdup(gst_structure_get_string(structure, name));
}

/* Formats of which the parser does not say it, and that have no choice. */
static void assume_samples(MediaVideo *video, const char *codec,
                           const GstStructure *structure)
{
    static const char *const plain[] = {"vp8",   "mpeg1", "mpeg2",
                                        "mpeg4", "h263",  "theora"};
    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        if (strcmp(codec, plain[i]) == 0 && video->chroma == NULL) {
            video->bit_depth = 8;
            video->chroma = g_strdup("4:2:0");
        }
    if (strcmp(codec, "vp9") == 0 && video->chroma == NULL) {
        const char *profile = gst_structure_get_string(structure, "profile");
        gboolean plain_profile =
            profile == NULL || strcmp(profile, "0") == 0 || strcmp(profile, "2") == 0;
        video->chroma = plain_profile ? g_strdup("4:2:0") : NULL;
    }
    if (strcmp(codec, "prores") == 0) {
        const char *variant = gst_structure_get_string(structure, "variant");
        gboolean full = variant != NULL && g_str_has_prefix(variant, "4444");
        video->bit_depth = full ? 12 : 10;
        video->chroma = g_strdup(full ? "4:4:4" : "4:2:2");
    }
}

static void describe_samples(MediaVideo *video, const char *codec,
                             const GstStructure *structure)
{
    guint depth = 0;
    const char *format = gst_structure_get_string(structure, "format");
    if (format != NULL) {
        const GstVideoFormatInfo *info =
            gst_video_format_get_info(gst_video_format_from_string(format));
        video->bit_depth = info->n_components > 0 ? (int)info->depth[0] : 0;
    } else if (gst_structure_get_uint(structure, "bit-depth-luma", &depth)) {
        video->bit_depth = (int)depth;
        video->chroma = string_field(structure, "chroma-format");
    }
    assume_samples(video, codec, structure);
}

/* NULL also where a parser says "2:0:0:0": nothing but a range that it assumes. */
static gchar *known_colorimetry(const GstStructure *structure)
{
    GstVideoColorimetry colorimetry;
    const char *text = gst_structure_get_string(structure, "colorimetry");
    if (text == NULL || !gst_video_colorimetry_from_string(&colorimetry, text) ||
        (colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_UNKNOWN &&
         colorimetry.transfer == GST_VIDEO_TRANSFER_UNKNOWN &&
         colorimetry.primaries == GST_VIDEO_COLOR_PRIMARIES_UNKNOWN))
        return NULL;
    return g_strdup(text);
}

static void describe_video(MediaTrack *track)
{
    const GstStructure *structure = gst_caps_get_structure(track->caps, 0);
    MediaVideo *video = &track->video;
    const char *interlace = gst_structure_get_string(structure, "interlace-mode");
    video->fps_n = 0;
    video->fps_d = video->pixel_n = video->pixel_d = 1;
    gst_structure_get_int(structure, "width", &video->width);
    gst_structure_get_int(structure, "height", &video->height);
    gst_structure_get_fraction(structure, "framerate", &video->fps_n, &video->fps_d);
    gst_structure_get_fraction(structure, "pixel-aspect-ratio", &video->pixel_n,
                               &video->pixel_d);
    video->interlaced = interlace != NULL && strcmp(interlace, "progressive") != 0;
    video->colorimetry = known_colorimetry(structure);
    video->mastering_display = string_field(structure, "mastering-display-info");
    video->light_level = string_field(structure, "content-light-level");
    describe_samples(video, track->codec, structure);
}

static gchar *tag(const GstTagList *tags, const char *name)
{
    gchar *value = NULL;
    if (tags != NULL)
        gst_tag_list_get_string(tags, name, &value);
    return value;
}

void track_describe(MediaTrack *track, const GstTagList *global_tags)
{
    track->codec = codec_of_caps(track->caps);
    track->language = tag(track->tags, GST_TAG_LANGUAGE_CODE);
    if (g_strcmp0(track->language, "und") == 0)
        g_clear_pointer(&track->language, g_free);
    track->title = tag(track->tags, GST_TAG_TITLE);
    if (track->kind == MEDIA_TRACK_OTHER)
        track->description = g_strdup(track->codec);
    else
        track->description = gst_pb_utils_get_codec_description(track->caps);
    if (track->kind != MEDIA_TRACK_VIDEO)
        return;
    describe_video(track);
    track->video.orientation = tag(track->tags, GST_TAG_IMAGE_ORIENTATION);
    if (track->video.orientation == NULL)
        track->video.orientation = tag(global_tags, GST_TAG_IMAGE_ORIENTATION);
    if (g_strcmp0(track->video.orientation, "rotate-0") == 0)
        g_clear_pointer(&track->video.orientation, g_free);
}

static int compare(const void *a, const void *b)
{
    const gint64 *first = a, *second = b;
    return (*first > *second) - (*first < *second);
}

void track_measure_rate(MediaVideo *video, gint64 *times, size_t count)
{
    if (count < 3)
        return;
    qsort(times, count, sizeof times[0], compare);
    size_t distances = count - 1, odd = 0;
    gint64 *sorted = g_new(gint64, distances);
    for (size_t i = 0; i < distances; i++)
        sorted[i] = times[i + 1] - times[i];
    qsort(sorted, distances, sizeof sorted[0], compare);
    gint64 usual = sorted[distances / 2];
    /* A third off is more than rounding to a container's clock, and less than half a
     * frame. Single frames are odd at cuts, at the start, and where B-frames are not yet
     * read. */
    for (size_t i = 0; i < distances; i++)
        odd += ABS(sorted[i] - usual) > usual / 3;
    if (usual > 0)
        video->usual_fps = (double)GST_SECOND / (double)usual;
    video->varying = odd * 20 > distances;
    g_free(sorted);
}
