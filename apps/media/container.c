/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said here of muxers is what GStreamer 1.22's do; tests/apps/media/keeps.py has
 * each line of it seen by ffprobe. */
#include "media/container.h"

#include "media/error.h"

#define BIT(value) (1u << (value))

#define BASIC_EXTRAS                                                                     \
    (BIT(EXTRA_TAGS) | BIT(EXTRA_LANGUAGES) | BIT(EXTRA_PIXEL_ASPECT) |                  \
     BIT(EXTRA_COLORIMETRY))

static const struct {
    const char *name, *muxer;
    const char *extensions[3];
    unsigned codecs, extras;
} containers[] = {
    [CONTAINER_MP4] = {"mp4",
                       "mp4mux",
                       {".mp4", ".m4v"},
                       BIT(VIDEO_CODEC_H264) | BIT(VIDEO_CODEC_H265) |
                           BIT(VIDEO_CODEC_AV1) | BIT(VIDEO_CODEC_VP9),
                       BASIC_EXTRAS | BIT(EXTRA_COVER) | BIT(EXTRA_DEFAULT_FLAGS) |
                           BIT(EXTRA_ROTATION)},
    [CONTAINER_MOV] = {"mov",
                       "qtmux",
                       {".mov", ".qt"},
                       BIT(VIDEO_CODEC_H264) | BIT(VIDEO_CODEC_H265) |
                           BIT(VIDEO_CODEC_AV1) | BIT(VIDEO_CODEC_VP9) |
                           BIT(VIDEO_CODEC_PRORES),
                       BASIC_EXTRAS | BIT(EXTRA_COVER) | BIT(EXTRA_DEFAULT_FLAGS) |
                           BIT(EXTRA_ROTATION)},
    [CONTAINER_MKV] = {"mkv",
                       "matroskamux",
                       {".mkv"},
                       BIT(VIDEO_CODEC_H264) | BIT(VIDEO_CODEC_H265) |
                           BIT(VIDEO_CODEC_AV1) | BIT(VIDEO_CODEC_VP9) |
                           BIT(VIDEO_CODEC_PRORES) | BIT(VIDEO_CODEC_FFV1),
                       BASIC_EXTRAS | BIT(EXTRA_COVER) | BIT(EXTRA_ATTACHMENTS) |
                           BIT(EXTRA_CHAPTERS) | BIT(EXTRA_TITLES) |
                           BIT(EXTRA_DEFAULT_FLAGS) | BIT(EXTRA_FORCED_FLAGS) |
                           BIT(EXTRA_HDR10)},
    [CONTAINER_WEBM] = {"webm",
                        "webmmux",
                        {".webm"},
                        BIT(VIDEO_CODEC_AV1) | BIT(VIDEO_CODEC_VP9),
                        BASIC_EXTRAS | BIT(EXTRA_CHAPTERS) | BIT(EXTRA_TITLES) |
                            BIT(EXTRA_DEFAULT_FLAGS) | BIT(EXTRA_FORCED_FLAGS) |
                            BIT(EXTRA_HDR10)},
    [CONTAINER_PICTURES] = {"pictures", NULL, {".png"}, BIT(VIDEO_CODEC_PNG), 0},
};

static const struct {
    const char *name, *caps;
} codecs[] = {
    [VIDEO_CODEC_H264] = {"h264", "video/x-h264,stream-format=avc,alignment=au"},
    [VIDEO_CODEC_H265] = {"h265", "video/x-h265,stream-format=hvc1,alignment=au"},
    [VIDEO_CODEC_AV1] = {"av1", "video/x-av1,stream-format=obu-stream,alignment=tu"},
    [VIDEO_CODEC_VP9] = {"vp9", "video/x-vp9"},
    [VIDEO_CODEC_PRORES] = {"prores", "video/x-prores"},
    [VIDEO_CODEC_FFV1] = {"ffv1", "video/x-ffv,ffversion=1"},
    [VIDEO_CODEC_PNG] = {"png", "image/png"},
};

static const char *const extras[EXTRAS] = {
    [EXTRA_CHAPTERS] = "chapters",
    [EXTRA_TAGS] = "tags",
    [EXTRA_COVER] = "cover picture",
    [EXTRA_ATTACHMENTS] = "attachments",
    [EXTRA_LANGUAGES] = "languages of tracks",
    [EXTRA_TITLES] = "titles of tracks",
    [EXTRA_DEFAULT_FLAGS] = "default flags of tracks",
    [EXTRA_FORCED_FLAGS] = "forced flags of tracks",
    [EXTRA_ROTATION] = "rotation",
    [EXTRA_PIXEL_ASPECT] = "pixel aspect ratio",
    [EXTRA_COLORIMETRY] = "colorimetry",
    [EXTRA_HDR10] = "HDR10 metadata",
};

/* Caps that GStreamer's muxer for a container takes as they are. */
#define QUICKTIME_AUDIO                                                                  \
    "audio/mpeg,mpegversion=(int)4,stream-format=raw;audio/"                             \
    "mpeg,mpegversion=(int)1,layer=(int)3,"                                              \
    "channels=(int)[1,2];audio/x-ac3;audio/x-alac,channels=(int)[1,2];audio/x-opus"
#define TEXT "text/x-raw"
#define STYLED "application/x-ass;application/x-ssa"

static const struct {
    ContainerKind container;
    MediaTrackKind kind;
    Passage passage;
    const char *caps;
} passages[] = {
    {CONTAINER_MP4, MEDIA_TRACK_AUDIO, PASSAGE_COPY, QUICKTIME_AUDIO},
    {CONTAINER_MP4, MEDIA_TRACK_SUBTITLE, PASSAGE_COPY, TEXT},
    {CONTAINER_MP4, MEDIA_TRACK_SUBTITLE, PASSAGE_TEXT, STYLED},
    {CONTAINER_MOV, MEDIA_TRACK_AUDIO, PASSAGE_COPY,
     QUICKTIME_AUDIO
     ";audio/x-alaw,channels=(int)[1,2];audio/x-mulaw,channels=(int)[1,2];"
     "audio/x-raw,layout=interleaved,format={S32LE,S32BE,S24LE,S24BE,"
     "S16LE,S16BE,S8,U8},channels=(int)[1,16]"},
    {CONTAINER_MOV, MEDIA_TRACK_SUBTITLE, PASSAGE_COPY, TEXT},
    {CONTAINER_MOV, MEDIA_TRACK_SUBTITLE, PASSAGE_TEXT, STYLED},
    {CONTAINER_MKV, MEDIA_TRACK_AUDIO, PASSAGE_COPY,
     "audio/mpeg,mpegversion=(int)1;audio/"
     "mpeg,mpegversion=(int){2,4},stream-format=raw;audio/x-ac3;audio/x-eac3;audio/x-dts;"
     "audio/x-vorbis;audio/x-flac;audio/x-opus;audio/x-speex;audio/x-tta;audio/x-alaw;"
     "audio/x-mulaw;audio/x-raw,layout=interleaved,format={U8,S16BE,S16LE,S24BE,S24LE,"
     "S32BE,S32LE,F32LE,F64LE}"},
    {CONTAINER_MKV, MEDIA_TRACK_SUBTITLE, PASSAGE_COPY,
     TEXT ";" STYLED ";application/x-usf;subpicture/x-dvd;subtitle/x-kate"},
    {CONTAINER_WEBM, MEDIA_TRACK_AUDIO, PASSAGE_COPY, "audio/x-vorbis;audio/x-opus"},
};

ContainerKind container_of_path(const char *path, GError **error)
{
    g_autofree gchar *lower = g_ascii_strdown(path, -1);
    if (g_str_has_suffix(path, "/") || g_file_test(path, G_FILE_TEST_IS_DIR))
        return CONTAINER_PICTURES;
    for (size_t kind = 0; kind < G_N_ELEMENTS(containers); kind++)
        for (size_t i = 0; i < G_N_ELEMENTS(containers[kind].extensions); i++) {
            const char *extension = containers[kind].extensions[i];
            if (extension != NULL && g_str_has_suffix(lower, extension))
                return (ContainerKind)kind;
        }
    g_set_error(
        error, MEDIA_ERROR, MEDIA_ERROR_CONTAINER,
        "%s: its extension says no container that can be written; use .mp4, .mov, "
        ".mkv, .webm, or a folder (ending in /) for PNG pictures",
        path);
    return CONTAINER_NONE;
}

const char *container_name(ContainerKind container)
{
    return containers[container].name;
}

const char *container_muxer(ContainerKind container)
{
    return containers[container].muxer;
}

const char *video_codec_name(VideoCodec codec)
{
    return codecs[codec].name;
}

VideoCodec video_codec_of_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codecs); i++)
        if (g_strcmp0(codecs[i].name, name) == 0)
            return (VideoCodec)i;
    return VIDEO_CODEC_NONE;
}

gboolean container_takes_video(ContainerKind container, VideoCodec codec)
{
    return (containers[container].codecs & BIT(codec)) != 0;
}

const char *video_codec_caps(VideoCodec codec)
{
    return codecs[codec].caps;
}

Passage container_passage(ContainerKind container, MediaTrackKind kind,
                          const GstCaps *caps)
{
    for (size_t i = 0; i < G_N_ELEMENTS(passages); i++) {
        if (passages[i].container != container || passages[i].kind != kind)
            continue;
        g_autoptr(GstCaps) taken = gst_caps_from_string(passages[i].caps);
        if (gst_caps_can_intersect(caps, taken))
            return passages[i].passage;
    }
    return PASSAGE_NONE;
}

const char *extra_name(Extra extra)
{
    return extras[extra];
}

gboolean container_keeps(ContainerKind container, VideoCodec codec, Extra extra)
{
    /* Where the box around it has no place for light levels, H.265 itself has. */
    if (extra == EXTRA_HDR10 && codec == VIDEO_CODEC_H265)
        return TRUE;
    return (containers[container].extras & BIT(extra)) != 0;
}
