/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frames of a file, one after another, in a format that the engine reads. */
#pragma once

#include <gst/video/video.h>

/** A decoded frame, mapped for reading. Free with clip_frame_unref(). */
typedef struct {
    GstVideoFrame video;
    guint index;       /**< number in the part that is read, from 0 */
    GstClockTime time; /**< in the clip */
} ClipFrame;

/** What of a clip is read. Zero-initialise, then set what differs. */
typedef struct {
    const char *path;  /**< of a file, or an URI */
    GstClockTime from; /**< in the clip; 0: its beginning */
    GstClockTime to;   /**< 0: its end */
    guint most_frames; /**< 0: all */
} ClipPart;

typedef struct Clip Clip;

/**
 * Opens the clip and decodes its first frame. The first video in it is read, with the
 * format it is decoded to where the engine reads that, else with the nearest.
 * Returns NULL with an error that names the file: nothing there, no video, no decoder
 * (with what to install), interlaced, or a part that cannot be sought.
 */
Clip *clip_open(const ClipPart *part, GError **error);

/** What to do while a clip is being opened. */
typedef enum { CLIP_WAIT, CLIP_TELL, CLIP_GIVE_UP } ClipPatience;

/**
 * What that is after @waited µs without a frame: it is told after 10 s; a local file is
 * given up after a minute, others may wait for a network.
 */
ClipPatience clip_patience(gint64 waited, gboolean is_local);

/** Closes @clip; NULL is allowed. */
void clip_close(Clip *clip);

/** Format, size and rate of all its frames. */
const GstVideoInfo *clip_info(const Clip *clip);

/**
 * Sets *frame to the next frame, a reference that the caller owns, or to NULL at the end.
 * Returns FALSE with an error where it cannot be decoded, or is of another size or format
 * than those before.
 */
gboolean clip_next(Clip *clip, ClipFrame **frame, GError **error);

/** How much of the part has been read, 0 to 1; 0 where nobody knows how long it is. */
double clip_progress(const Clip *clip);

/** Adds a reference and returns @frame. */
ClipFrame *clip_frame_ref(ClipFrame *frame);

/** Drops a reference. NULL is allowed. */
void clip_frame_unref(ClipFrame *frame);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Clip, clip_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ClipFrame, clip_frame_unref)
