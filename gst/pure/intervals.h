/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last few distances of frames, which tell how far apart frames are where nothing
 * else does, or where it is wrong. Pure functions.
 *
 *   GstVfiIntervals intervals = {0};
 *   gst_vfi_intervals_add (&intervals, distance);       of two frames of a stream
 *   usual = gst_vfi_intervals_usual (&intervals);
 *   next = gst_vfi_intervals_steady (&intervals);
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* How many count: few, so that a change of rate is noticed soon. */
#define GST_VFI_INTERVALS_SIZE 4

/**
 * GstVfiIntervals: all zero is empty. Read-only outside intervals.c.
 * @recent: ring of the last intervals
 * @count: how many of @recent are set
 * @next: where the next one goes
 */
typedef struct {
  GstClockTime recent[GST_VFI_INTERVALS_SIZE];
  guint count;
  guint next;
} GstVfiIntervals;

void gst_vfi_intervals_add (GstVfiIntervals *intervals, GstClockTime interval);

/* The lower median: of four frames' distances two long ones are still exceptions, and the
 * third is the rule. NONE while there are none. */
GstClockTime gst_vfi_intervals_usual (const GstVfiIntervals *intervals);

/* The last one, if the one before was about the same, because then the next will be, too.
 * Otherwise NONE. */
GstClockTime gst_vfi_intervals_steady (const GstVfiIntervals *intervals);

/* Whether two intervals may be the same one, measured with the jitter of clocks and the
 * rounding of containers: they differ by a small part, or by no more than @rounding. */
gboolean gst_vfi_intervals_are_alike (
    GstClockTime a, GstClockTime b, GstClockTime rounding);

G_END_DECLS
