/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input's video, decoded, frame by frame. */
#pragma once

#include <gst/video/video.h>

#include "convert/interrupt.h"
#include "media/types.h"

typedef struct {
    const char *path;
    const char *stream_id; /* of the track, as the demuxer says it; NULL: the first */
    const char *filter;    /* elements between decoder and sink, each followed by " ! " */
    const char *formats;   /* that frames may have, "I420,NV12"; NULL: any */
    GstClockTime from;     /* frames before it are left out */
    GstClockTime to;       /* from here on frames may look otherwise: there it ends */
    int slow_n, slow_d;    /* output time passes so many times slower */
} SourceConfig;

typedef struct {
    GstBuffer *buffer;
    GstClockTime input_time; /* in the file, as Media has times */
    GstClockTime time;       /* (input_time - from) · slow */
    GstClockTime duration; /* as time passes in the output; may be GST_CLOCK_TIME_NONE */
} SourceFrame;

void source_frame_free(SourceFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SourceFrame, source_frame_free)

/* MD5, in hexadecimal, of the pixels of @count frames of @caps. */
gchar *source_checksum(const GstCaps *caps, SourceFrame *const *frames, guint count);

typedef enum {
    SOURCE_FRAME,
    SOURCE_END,
    SOURCE_INTERRUPTED,
    SOURCE_FAILED,
} SourceResult;

/* SourceConfig's stream_id for the video of @media. */
const char *source_stream_id(const Media *media);

typedef struct _Source Source;

/* Waits for the first frame. NULL and CONVERT_ERROR_INPUT, CONVERT_ERROR_MISSING or
 * CONVERT_ERROR_INTERRUPTED. The strings of @config are copied, @interrupt has to live
 * on. */
Source *source_open(const SourceConfig *config, const Interrupt *interrupt,
                    GError **error);

void source_free(Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

/* Of all frames. */
GstCaps *source_caps(Source *source);

/* The next frame, as long as the result is SOURCE_FRAME; an error only with
 * SOURCE_FAILED. */
SourceResult source_next(Source *source, SourceFrame **frame, GError **error);

/* Goes on at a key frame well before @input_time, or at the start if that leads nowhere
 * or behind it. */
gboolean source_seek(Source *source, GstClockTime input_time, GError **error);

/* Goes on at the first frame. */
gboolean source_rewind(Source *source, GError **error);
