/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last step of a conversion: the new video and the input's other tracks into one
 * file. */
#pragma once

#include <gio/gio.h>

#include "media/error.h"
#include "media/keep.h"

typedef struct {
    const Media *media;
    const KeepPlan *plan;
    KeepOptions options; /* those that the plan was made with */
    /* Paths of the video's segments in order, NULL-terminated. Each is what
     * `… ! encoder ! parser ! gdppay ! filesink` writes, with caps that
     * video_codec_caps() asks for and PTS that are the output's running time; each begins
     * with a key frame that nothing after it looks behind. A last packet that is cut off
     * (as kill -9 leaves it) is left out. */
    const char *const *segments;
    const char *output; /* is replaced if it is there */
    /* What of the input the output shows, in Media's times. */
    GstClockTime from;       /* 0 for the beginning */
    GstClockTime to;         /* GST_CLOCK_TIME_NONE for the end */
    const char *application; /* "vfi-convert 0.1.0"; NULL for the muxer's own name */
    /* Told, in a sentence for the user, what turned out not to be kept; called in
     * assemble()'s thread with its user_data. NULL: it goes to GLib's log. */
    void (*note)(const char *text, gpointer user_data);
} AssembleJob;

/* @fraction of the work that is done, 0 to 1; called in assemble()'s thread. */
typedef void (*AssembleProgress)(double fraction, gpointer user_data);

/* Writes job->output by way of a temporary file beside it (".NAME.XXXXXX"), which is
 * synced to disk and renamed last and removed on failure. Audio outside of the range is
 * left out, tracks and chapters begin at 0 with it, and subtitles and chapters are
 * stretched by the slow motion. Blocks; @cancellable and @progress may be NULL. Memory
 * does not grow with the files.
 *
 * A track of the input that cannot be read to its end, or whose format changes where the
 * container has one for all of it, ends there in the output, and job->note says so.
 *
 * FALSE and a MEDIA_ERROR: segments or input that cannot be read, no space, a folder that
 * cannot be written, a track that the muxer refuses; or G_IO_ERROR_CANCELLED. */
gboolean assemble(const AssembleJob *job, GCancellable *cancellable,
                  AssembleProgress progress, gpointer user_data, GError **error);
