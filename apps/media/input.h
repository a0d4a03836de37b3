/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes a file apart: its tracks' packets as the file holds them, through parsers,
 * undecoded. */
#pragma once

#include "media/types.h"

typedef struct {
    guint number; /* place in the file, from 0 */
    gchar *stream_id;
    GstStreamFlags flags;
    GstCaps *caps;      /* of the packets; before the first one as the container says */
    GstSegment segment; /* of the packets */
    gboolean ended;     /* no packet follows */
    gpointer user_data; /* the receiver's own; not touched here */
    struct Input *input;
    GstPad *pad;
} InputTrack;

/* Where to put what comes, in the thread that reads the file, one call at a time. */
typedef struct {
    /* A track was found; FALSE: its packets need no parser. */
    gboolean (*found)(InputTrack *track, gpointer user_data);
    /* Takes ownership of @packet. */
    GstFlowReturn (*packet)(InputTrack *track, GstBuffer *packet, gpointer user_data);
    /* CAPS, SEGMENT and EOS are noted in the track already. */
    void (*event)(InputTrack *track, GstEvent *event, gpointer user_data);
    void (*no_more_tracks)(gpointer user_data);
    /* Nothing comes any more; @error is a MEDIA_ERROR. Possibly from another thread. */
    void (*failed)(const GError *error, gpointer user_data);
} InputReceiver;

typedef struct Input Input;

/* Nothing is read before input_start(). @receiver must live as long as the input. NULL
 * and MEDIA_ERROR_READ if there is no such file. */
Input *input_new(const char *path, const InputReceiver *receiver, gpointer user_data,
                 GError **error);

/* Media::origin; before input_start(). */
void input_set_origin(Input *input, GstClockTime origin);

/* From here on @receiver is called. FALSE: it has got, or will get, the error. */
gboolean input_start(Input *input);

/* The container's caps; NULL before the first track is found. */
const GstCaps *input_container(const Input *input);

/* GST_CLOCK_TIME_NONE if unknown. */
GstClockTime input_duration(const Input *input);

/* No call of @receiver is under way or follows when it returns; calls that wait must have
 * been told to end. NULL is fine. */
void input_free(Input *input);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Input, input_free)

/* The running time of @time on @track, which may be negative; G_MININT64 for none. */
gint64 input_running_time(const InputTrack *track, GstClockTime time);
