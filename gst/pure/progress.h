/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a picture is that is made in rounds: when to tell of it, and how long it will
 * still take. */
#pragma once

#include <gst/gst.h>

/* @round, @rounds: done, and how many there are; 0 of 0 where there are none, or it has
 *     not begun
 * @part: of all its work, 0 to 1
 * @elapsed: since it was begun */
typedef struct {
  guint round, rounds;
  gdouble part;
  GstClockTime elapsed;
} GstVfiProgress;

/* From one message of a picture to the next, at the least. */
#define GST_VFI_PROGRESS_INTERVAL (500 * GST_MSECOND)

/* Whether @now is to be told, @told having been told last (zeros: nothing was): the first
 * of it, the last, and what is between them now and then. */
gboolean gst_vfi_progress_is_due (const GstVfiProgress *told, const GstVfiProgress *now);

/* What is left if the rest takes as long as so much did so far; NONE while there is
 * nothing to tell by. */
GstClockTime gst_vfi_progress_time_left (const GstVfiProgress *progress);
