/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GStreamer 1.22's matroskamux and matroskademux have no words for: flags of tracks.
 * And what the muxer says in its own way: tracks without a title are called "Audio", and
 * texts with a space stand in quotes. */
#pragma once

#include <gst/gst.h>

typedef struct {
    gboolean is_default, is_forced;
    /* Of the display that a video was mastered on, in candela per square metre, which the
     * muxer notes wrongly; 0 if unknown. */
    double luminance_max, luminance_min;
} MatroskaTrack;

/* The title that the muxer has to be given for a track whose title is @title or NULL, so
 * that matroska_fix() finds room for what is missing. */
gchar *matroska_title_with_room(const char *title);

/* Changes the finished file at @path in place; @tracks are in the file's order. FALSE and
 * a MEDIA_ERROR: it cannot be read or written, or is not as the muxer writes it. */
gboolean matroska_fix(const char *path, const MatroskaTrack *tracks, guint count,
                      GError **error);

/* UIDs of the tracks of the file at @path that are flagged as forced: of guint64; may be
 * empty. For a file that is not Matroska it is. */
GArray *matroska_forced_tracks(const char *path);

enum { MATROSKA_ATTACHMENTS = 0x1941A469 };

typedef struct {
    const char *name, *type;
    GstBuffer *bytes;
} MatroskaFile;

/* Attaches @count files to the finished file at @path. FALSE and a MEDIA_ERROR as
 * above. */
gboolean matroska_attach(const char *path, const MatroskaFile *files, guint count,
                         GError **error);
