/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which element encodes a codec, and how: a table, and the choice from what is installed.
 */
#pragma once

#include "media/container.h"

typedef enum {
    PRESET_FASTEST,
    PRESET_FAST,
    PRESET_MEDIUM,
    PRESET_SLOW,
    PRESET_SLOWEST,
    PRESETS, /* how many there are */
} Preset;

/* 0 is the smallest file, 100 the best picture. */
#define QUALITY_DEFAULT 70

/* "fastest", "fast", …; FALSE for any other name. */
gboolean preset_of_name(const char *name, Preset *preset);
const char *preset_name(Preset preset);

typedef struct {
    VideoCodec codec;
    const char *element;
    const char *package; /* Debian's, that brings the element */
    const char *parser;  /* NULL: none is needed */
} Encoder;

/* Encoders of @codec in order of preference, up to one without an element. With @cuda
 * those of NVIDIA's GPUs come first. */
typedef struct {
    const Encoder *found[8];
} EncoderList;
void encoder_list(VideoCodec codec, gboolean cuda, EncoderList *list);

/* The first of these that is installed; NULL and CONVERT_ERROR_MISSING, which says what
 * to install. */
const Encoder *encoder_find(VideoCodec codec, gboolean cuda, GError **error);

/* What --codec auto is: @input ("h264", "hevc", …; any name of codec.h) if @container
 * takes it and an encoder is installed, else the first that both is so for, beginning
 * with H.264. VIDEO_CODEC_NONE and CONVERT_ERROR_MISSING if there is none. */
VideoCodec encoder_auto_codec(const char *input, ContainerKind container, gboolean cuda,
                              GError **error);

/* The element with its properties as gst_parse_launch() reads them. @full_chroma: as many
 * samples of colour as of luma; @key_distance: frames between key frames at the most. */
gchar *encoder_launch(const Encoder *encoder, int quality, Preset preset,
                      gboolean full_chroma, guint key_distance);

/* The raw formats that the encoder, which is installed, takes: "I420,NV12". */
gchar *encoder_formats(const Encoder *encoder);

/* Those of @formats without smaller planes of colour, "Y444,Y444_10LE", where @encoder
 * takes a picture with an odd number of columns or lines in no other; "" if there are
 * none. NULL: it takes all. */
gchar *encoder_odd_formats(const Encoder *encoder, const char *formats);
