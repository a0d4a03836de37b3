/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What grid.c, nominal.c, place.c, silence.c, span.c and stand_in.c share
 * about a run. Nothing outside includes this. */
#pragma once

#include "pure/grid.h"

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

/* grid.c */

/* Time of @frames frames at the input's rate, or NONE at a variable one. */
GstClockTime gst_vfi_run_time_of_frames (const GstVfiRun *run, guint64 frames);

gboolean gst_vfi_run_uses_grid (const GstVfiRun *run);

/* Outputs a frame where there is no grid. */
guint gst_vfi_run_steps (const GstVfiRun *run);

/* How far apart two frames of a pair may be, the first of them the reference. */
GstClockTime gst_vfi_run_longest_pair (const GstVfiRun *run);

/* Whether anything says how far apart frames are. */
gboolean gst_vfi_run_knows_interval (const GstVfiRun *run);

/* How long the last frame of a run may be shown by copies. Where there is no rate it goes by
 * what was seen: nothing bears out what that frame says about itself. */
GstClockTime gst_vfi_run_longest_tail (const GstVfiRun *run);

/* How far from its slot a frame may be that the input shows for @frame where it has no
 * constant rate. */
GstClockTime gst_vfi_run_snap_tolerance (const GstVfiRun *run, GstClockTime frame);

/* nominal.c */

/* Whether outputs have to keep a constant rate and do so by being multiplied. */
gboolean gst_vfi_run_is_nominal (const GstVfiRun *run);

/* Whether a frame is where the caps' rate puts the one at @index (out), behind the
 * reference; frames between them may be missing. */
gboolean gst_vfi_run_find_place (const GstVfiRun *run, GstClockTime pts, guint64 *index);

/* The grid of the constant rate that the reference, which was shown, lies on. */
void gst_vfi_run_constant_slots (const GstVfiRun *run, GstVfiSlots *slots);

/* From the reference on outputs are on that grid. */
void gst_vfi_run_depart (GstVfiRun *run);
void gst_vfi_run_return (GstVfiRun *run);

/* Whether the reference is shown for as long as the caps say, or nobody cares. */
gboolean gst_vfi_run_lasts_a_frame (const GstVfiRun *run);

/* stand_in.c */

/* Whether outputs between the reference and a frame at @next are at the intervals that copies
 * follow: because there were some, or would have been a little later. */
gboolean gst_vfi_run_is_paced (const GstVfiRun *run, GstClockTime next);

/* Outputs up to @until at the intervals that these copies follow, the reference's own not
 * counted; each is from gst_vfi_run_stand_in_time () on. */
guint64 gst_vfi_run_stand_ins_until (const GstVfiRun *run, GstClockTime until);
GstClockTime gst_vfi_run_stand_in_time (const GstVfiRun *run, guint64 index);

/* Whether an output that begins at @pts would be where a copy has been shown. */
gboolean gst_vfi_run_is_taken (const GstVfiRun *run, GstClockTime pts);

/* Whether copies fill the time up to @closed_at. */
gboolean gst_vfi_run_fills (const GstVfiRun *run, GstClockTime closed_at);

/* place.c */

/* The number of the first slot that is not between the reference and @next, and whether
 * @next takes it. */
guint64 gst_vfi_run_slots_until (
    const GstVfiRun *run, const GstVfiFrameTime *next, gboolean *snaps);

G_END_DECLS
