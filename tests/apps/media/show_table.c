/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints what container.c says, as the rows of docs/convert.md's table. */
#include "media/container.h"

static const ContainerKind columns[] = {CONTAINER_MP4, CONTAINER_MOV, CONTAINER_MKV,
                                        CONTAINER_WEBM};

static void show_row(const char *name, const char *const *cells)
{
    g_print("| %s |", name);
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        g_print(" %s |", cells[i]);
    g_print("\n");
}

static void show_codecs(void)
{
    for (VideoCodec codec = VIDEO_CODEC_H264; codec < VIDEO_CODEC_PNG; codec++) {
        const char *cells[G_N_ELEMENTS(columns)];
        g_autofree gchar *name = g_strdup_printf("video: %s", video_codec_name(codec));
        for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
            cells[i] = container_takes_video(columns[i], codec) ? "yes" : "no";
        show_row(name, cells);
    }
}

static void show_tracks(void)
{
    static const struct {
        const char *name;
        MediaTrackKind kind;
        const char *caps;
    } rows[] = {
        {"audio: AAC", MEDIA_TRACK_AUDIO, "audio/mpeg,mpegversion=4,stream-format=raw"},
        {"audio: MP3", MEDIA_TRACK_AUDIO, "audio/mpeg,mpegversion=1,layer=3,channels=2"},
        {"audio: AC-3", MEDIA_TRACK_AUDIO, "audio/x-ac3"},
        {"audio: E-AC-3, DTS", MEDIA_TRACK_AUDIO, "audio/x-eac3"},
        {"audio: Opus", MEDIA_TRACK_AUDIO, "audio/x-opus"},
        {"audio: Vorbis", MEDIA_TRACK_AUDIO, "audio/x-vorbis"},
        {"audio: FLAC", MEDIA_TRACK_AUDIO, "audio/x-flac"},
        {"audio: ALAC", MEDIA_TRACK_AUDIO, "audio/x-alac,channels=2"},
        {"audio: PCM", MEDIA_TRACK_AUDIO,
         "audio/x-raw,format=S16LE,layout=interleaved,channels=2"},
        {"audio: TrueHD", MEDIA_TRACK_AUDIO, "audio/x-true-hd"},
        {"subtitles: SubRip, MP4 text", MEDIA_TRACK_SUBTITLE, "text/x-raw,format=utf8"},
        {"subtitles: ASS, SSA", MEDIA_TRACK_SUBTITLE, "application/x-ass"},
        {"subtitles: VobSub", MEDIA_TRACK_SUBTITLE, "subpicture/x-dvd"},
        {"subtitles: PGS, DVB", MEDIA_TRACK_SUBTITLE, "subpicture/x-pgs"},
    };
    static const char *const passages[] = {"no", "yes", "words"};
    for (size_t row = 0; row < G_N_ELEMENTS(rows); row++) {
        const char *cells[G_N_ELEMENTS(columns)];
        g_autoptr(GstCaps) caps = gst_caps_from_string(rows[row].caps);
        for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
            cells[i] = passages[container_passage(columns[i], rows[row].kind, caps)];
        show_row(rows[row].name, cells);
    }
}

static const char *extra_cell(ContainerKind container, Extra extra)
{
    if (container_keeps(container, VIDEO_CODEC_H264, extra))
        return "yes";
    if (container_keeps(container, VIDEO_CODEC_H265, extra))
        return "h265";
    return extra == EXTRA_ROTATION ? "turned" : "no";
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    show_codecs();
    show_tracks();
    for (Extra extra = EXTRA_CHAPTERS; extra < EXTRAS; extra++) {
        const char *cells[G_N_ELEMENTS(columns)];
        for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
            cells[i] = extra_cell(columns[i], extra);
        show_row(extra_name(extra), cells);
    }
    return 0;
}
