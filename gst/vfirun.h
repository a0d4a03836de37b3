/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What vfigrid.c and vfiplace.c share about a run. Nothing outside includes this. */
#pragma once

#include "vfigrid.h"

G_BEGIN_DECLS

/* PTS + duration that stays below GST_CLOCK_TIME_NONE. */
static inline GstClockTime
gst_vfi_time_add (GstClockTime time, GstClockTime more)
{
  return more >= GST_CLOCK_TIME_NONE - time ? GST_CLOCK_TIME_NONE - 1 : time + more;
}

/* From one time to another, in whatever order they are. */
static inline GstClockTime
gst_vfi_time_distance (GstClockTime a, GstClockTime b)
{
  return a > b ? a - b : b - a;
}

static inline gboolean
gst_vfi_run_is_reverse (const GstVfiRun *run)
{
  return run->segment.rate < 0;
}

/* vfigrid.c */

gboolean gst_vfi_run_uses_grid (const GstVfiRun *run);

/* Outputs a frame where there is no grid. */
guint gst_vfi_run_steps (const GstVfiRun *run);

/* How far apart two frames of a pair may be, the first of them the reference. */
GstClockTime gst_vfi_run_longest_pair (const GstVfiRun *run);

/* How far from its slot a frame may be that the input shows for @frame where it has no
 * constant rate. */
GstClockTime gst_vfi_run_snap_tolerance (const GstVfiRun *run, GstClockTime frame);

/* vfiplace.c */

/* The number of the first slot that is not between the reference and @next, and whether
 * @next takes it. */
guint64 gst_vfi_run_slots_until (
    const GstVfiRun *run, const GstVfiFrameTime *next, gboolean *snaps);

G_END_DECLS
