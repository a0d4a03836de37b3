/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept in which container, and what is said about the rest. */

#include "check_main.h"
#include "media/keep.h"

static void free_chapter(gpointer chapter)
{
    g_free(chapter);
}

static MediaTrack *add_track(Media *media, MediaTrackKind kind, const char *caps,
                             const char *codec)
{
    MediaTrack *track = g_new0(MediaTrack, 1);
    track->kind = kind;
    track->number = media->tracks->len;
    track->caps = gst_caps_from_string(caps);
    track->codec = codec;
    track->is_default = TRUE;
    track->video.pixel_n = track->video.pixel_d = 1;
    g_ptr_array_add(media->tracks, track);
    return track;
}

static void free_track(gpointer data)
{
    MediaTrack *track = data;
    gst_caps_unref(track->caps);
    g_free(track);
}

static Media *new_media(void)
{
    Media *media = g_new0(Media, 1);
    media->tracks = g_ptr_array_new_with_free_func(free_track);
    media->attachments = g_ptr_array_new_with_free_func(g_free);
    media->chapters = g_ptr_array_new_with_free_func(free_chapter);
    media->video = add_track(media, MEDIA_TRACK_VIDEO, "video/x-h264", "h264");
    return media;
}

static void free_media(Media *media)
{
    g_ptr_array_unref(media->tracks);
    g_ptr_array_unref(media->attachments);
    g_ptr_array_unref(media->chapters);
    g_free(media);
}

/* The text about the @index-th item, NULL if it is kept as it is. */
static gchar *text(const KeepPlan *plan, guint index)
{
    ck_assert_uint_lt(index, plan->items->len);
    return keep_item_text(g_ptr_array_index(plan->items, index));
}

static void assert_text(const Media *media, KeepOptions options, guint index,
                        const char *expected)
{
    KeepPlan *plan = keep_plan(media, &options);
    gchar *found = text(plan, index);
    ck_assert_pstr_eq(found, expected);
    g_free(found);
    keep_plan_free(plan);
}

static const KeepOptions options_mp4 = {.container = CONTAINER_MP4,
                                        .codec = VIDEO_CODEC_H264,
                                        .copy_audio = TRUE,
                                        .slow_motion = 1};
static const KeepOptions options_mkv = {.container = CONTAINER_MKV,
                                        .codec = VIDEO_CODEC_H264,
                                        .copy_audio = TRUE,
                                        .slow_motion = 1};

START_TEST(test_audio)
{
    Media *media = new_media();
    add_track(media, MEDIA_TRACK_AUDIO, "audio/x-vorbis,channels=2,rate=48000", "vorbis");
    KeepOptions silent = options_mkv, slow = options_mkv, pictures = options_mkv;
    silent.copy_audio = FALSE;
    slow.slow_motion = 2;
    pictures.container = CONTAINER_PICTURES;
    assert_text(media, options_mkv, 0, NULL);
    assert_text(media, options_mp4, 0,
                "not kept: audio track 1 (vorbis) (GStreamer cannot put vorbis into mp4; "
                "mkv can)");
    assert_text(media, silent, 0,
                "not kept: audio track 1 (vorbis) (no audio was asked for)");
    assert_text(media, slow, 0,
                "not kept: audio track 1 (vorbis) (slow motion has no sound)");
    assert_text(media, pictures, 0,
                "not kept: audio track 1 (vorbis) (a folder of pictures holds nothing "
                "else)");
    free_media(media);
}
END_TEST

START_TEST(test_subtitles)
{
    Media *media = new_media();
    add_track(media, MEDIA_TRACK_SUBTITLE, "application/x-ass", "ass");
    add_track(media, MEDIA_TRACK_SUBTITLE, "subpicture/x-pgs", "pgs");
    KeepOptions slow = options_mkv;
    slow.slow_motion = 2;
    assert_text(media, options_mkv, 0, NULL);
    assert_text(media, slow, 0, NULL);
    assert_text(
        media, options_mp4, 0,
        "changed: subtitle track 1 (ass) (the words are kept, fonts and places are "
        "not: mp4 has plain text only)");
    assert_text(media, options_mkv, 1,
                "not kept: subtitle track 2 (pgs) (GStreamer cannot put pgs into mkv)");
    free_media(media);
}
END_TEST

START_TEST(test_other_videos)
{
    Media *media = new_media();
    add_track(media, MEDIA_TRACK_VIDEO, "video/x-h264", "h264");
    MediaTrack *cover = add_track(media, MEDIA_TRACK_VIDEO, "image/jpeg", "jpeg");
    cover->is_cover = TRUE;
    assert_text(media, options_mkv, 0,
                "not kept: video track 2 (h264) (only the first video is converted)");
    assert_text(media, options_mkv, 1,
                "not kept: video track 3 (jpeg) (a still picture)");
    free_media(media);
}
END_TEST

/* What the input does not have is not spoken of. */
START_TEST(test_nothing_to_say)
{
    Media *media = new_media();
    KeepPlan *plan = keep_plan(media, &options_mp4);
    ck_assert_uint_eq(plan->items->len, 0);
    ck_assert(!plan->turn_picture);
    ck_assert(!keep_has(plan, EXTRA_CHAPTERS));
    keep_plan_free(plan);
    free_media(media);
}
END_TEST

START_TEST(test_chapters)
{
    Media *media = new_media();
    g_ptr_array_add(media->chapters, g_new0(MediaChapter, 1));
    assert_text(media, options_mkv, 0, NULL);
    assert_text(media, options_mp4, 0,
                "not kept: chapters (GStreamer cannot put them into mp4; mkv can)");
    KeepPlan *plan = keep_plan(media, &options_mkv);
    ck_assert(keep_has(plan, EXTRA_CHAPTERS));
    keep_plan_free(plan);
    free_media(media);
}
END_TEST

static gboolean is_turned(const Media *media, const KeepOptions *options)
{
    KeepPlan *plan = keep_plan(media, options);
    gboolean turned = plan->turn_picture;
    ck_assert_int_eq(keep_has(plan, EXTRA_ROTATION), !turned);
    keep_plan_free(plan);
    return turned;
}

/* Rotation is never lost: either the file says it, or the picture is turned. */
START_TEST(test_rotation)
{
    Media *media = new_media();
    MediaTrack *video = g_ptr_array_index(media->tracks, 0);
    gchar quarter[] = "rotate-90", mirrored[] = "flip-rotate-0";
    video->video.orientation = quarter;
    ck_assert(!is_turned(media, &options_mp4));
    ck_assert(is_turned(media, &options_mkv));
    assert_text(
        media, options_mkv, 0,
        "changed: rotation (GStreamer cannot note it in mkv; the picture itself is "
        "turned upright)");
    video->video.orientation = mirrored;
    ck_assert(is_turned(media, &options_mp4));
    free_media(media);
}
END_TEST

START_TEST(test_hdr)
{
    Media *media = new_media();
    MediaTrack *video = g_ptr_array_index(media->tracks, 0);
    gchar level[] = "1000:400";
    video->video.light_level = level;
    KeepOptions with_h265 = options_mp4;
    with_h265.codec = VIDEO_CODEC_H265;
    assert_text(media, options_mkv, 0, NULL);
    assert_text(media, with_h265, 0, NULL);
    assert_text(media, options_mp4, 0,
                "not kept: HDR10 metadata (GStreamer cannot put them into mp4; mkv can)");
    free_media(media);
}
END_TEST

START_TEST(test_container_names)
{
    static const struct {
        const char *path;
        ContainerKind kind;
    } cases[] = {{"a.mp4", CONTAINER_MP4},
                 {"a.M4V", CONTAINER_MP4},
                 {"x/a.mov", CONTAINER_MOV},
                 {"a.qt", CONTAINER_MOV},
                 {"a.MKV", CONTAINER_MKV},
                 {"a.webm", CONTAINER_WEBM},
                 {"new/", CONTAINER_PICTURES},
                 {"/", CONTAINER_PICTURES},
                 {"f%05d.png", CONTAINER_PICTURES},
                 {"a.avi", CONTAINER_NONE},
                 {"mkv", CONTAINER_NONE}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        ck_assert_int_eq(container_of_path(cases[i].path, &error), cases[i].kind);
        ck_assert_int_eq(error != NULL, cases[i].kind == CONTAINER_NONE);
        g_clear_error(&error);
    }
}
END_TEST

START_TEST(test_codec_names)
{
    for (VideoCodec codec = VIDEO_CODEC_H264; codec <= VIDEO_CODEC_PNG; codec++) {
        GstCaps *caps = gst_caps_from_string(video_codec_caps(codec));
        ck_assert_int_eq(video_codec_of_name(video_codec_name(codec)), codec);
        ck_assert_ptr_nonnull(caps);
        gst_caps_unref(caps);
    }
    ck_assert_int_eq(video_codec_of_name("divx"), VIDEO_CODEC_NONE);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("media-keep");
    TCase *tcase = tcase_create("keep");
    tcase_add_test(tcase, test_audio);
    tcase_add_test(tcase, test_subtitles);
    tcase_add_test(tcase, test_other_videos);
    tcase_add_test(tcase, test_nothing_to_say);
    tcase_add_test(tcase, test_chapters);
    tcase_add_test(tcase, test_rotation);
    tcase_add_test(tcase, test_hdr);
    tcase_add_test(tcase, test_container_names);
    tcase_add_test(tcase, test_codec_names);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
