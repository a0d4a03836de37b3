/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GStreamer 1.22's mp4mux and qtmux have no words for, set in the finished file:
 * fields of fixed size in its header. */
#pragma once

#include <glib.h>

typedef struct {
    const char
        *orientation;    /* "rotate-90", "rotate-180", "rotate-270"; NULL for upright */
    gboolean is_default; /* players choose it by themselves */
    /* Nanoseconds at the track's beginning that are decoded and not presented; what
     * follows is presented that much earlier. */
    gint64 lead;
} QuicktimeTrack;

/* Whether the three fields above can say it. */
gboolean quicktime_has_orientation(const char *orientation);

/* Changes the file at @path in place; @tracks are in the file's order. FALSE and a
 * MEDIA_ERROR: it cannot be read or written, or its header is not as the muxers write
 * it. */
gboolean quicktime_fix(const char *path, const QuicktimeTrack *tracks, guint count,
                       GError **error);
