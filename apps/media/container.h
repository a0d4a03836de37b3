/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The containers that are written, and what GStreamer's muxers for them take. Pure
 * tables. */
#pragma once

#include "media/types.h"

typedef enum {
    CONTAINER_NONE, /* only as a failure */
    CONTAINER_MP4,
    CONTAINER_MOV,
    CONTAINER_MKV,
    CONTAINER_WEBM,
    CONTAINER_PICTURES, /* a folder of PNG files: no muxer, nothing but the pictures */
} ContainerKind;

typedef enum {
    VIDEO_CODEC_NONE, /* only as a failure */
    VIDEO_CODEC_H264,
    VIDEO_CODEC_H265,
    VIDEO_CODEC_AV1,
    VIDEO_CODEC_VP9,
    VIDEO_CODEC_PRORES,
    VIDEO_CODEC_FFV1,
    VIDEO_CODEC_PNG,
} VideoCodec;

/* By extension, whatever its case: .mp4 .m4v → MP4, .mov .qt → MOV, .mkv → MKV, .webm →
 * WEBM. PICTURES if @path ends in "/" or ".png" or is an existing folder. Otherwise
 * CONTAINER_NONE and MEDIA_ERROR_CONTAINER, which lists the extensions. */
ContainerKind container_of_path(const char *path, GError **error);

/* "mp4", "mov", "mkv", "webm", "pictures". */
const char *container_name(ContainerKind container);

/* Factory name of the muxer; NULL for pictures. */
const char *container_muxer(ContainerKind container);

/* The name that users give: "h264", "h265", "av1", "vp9", "prores", "ffv1", "png". */
const char *video_codec_name(VideoCodec codec);

/* The reverse; VIDEO_CODEC_NONE for any other name. */
VideoCodec video_codec_of_name(const char *name);

gboolean container_takes_video(ContainerKind container, VideoCodec codec);

/* What the parser behind an encoder of @codec must put out so that every container that
 * takes the codec takes it, as a caps string
 * ("video/x-h264,stream-format=avc,alignment=au"). */
const char *video_codec_caps(VideoCodec codec);

/* How a track of the input gets into a container. */
typedef enum {
    PASSAGE_NONE, /* not at all */
    PASSAGE_COPY, /* as it is */
    PASSAGE_TEXT, /* the words of a styled subtitle, without the styles */
} Passage;

/* How @container takes audio or subtitles of @caps, as MediaTrack has them. */
Passage container_passage(ContainerKind container, MediaTrackKind kind,
                          const GstCaps *caps);

/* What is not a track. */
typedef enum {
    EXTRA_CHAPTERS,
    EXTRA_TAGS,        /* title, artist, date, comment … of the whole file */
    EXTRA_COVER,       /* a picture to show for the file */
    EXTRA_ATTACHMENTS, /* fonts and other files */
    EXTRA_LANGUAGES,
    EXTRA_TITLES,        /* of tracks */
    EXTRA_DEFAULT_FLAGS, /* which track players choose by themselves */
    EXTRA_FORCED_FLAGS,
    EXTRA_ROTATION,
    EXTRA_PIXEL_ASPECT,
    EXTRA_COLORIMETRY,
    EXTRA_HDR10, /* mastering display and content light level */
    EXTRAS,      /* how many there are */
} Extra;

/* "chapters", "tags", … */
const char *extra_name(Extra extra);

/* Whether @container keeps it, with video of @codec. */
gboolean container_keeps(ContainerKind container, VideoCodec codec, Extra extra);
