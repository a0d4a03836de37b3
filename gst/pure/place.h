/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where outputs go: the slots of a pair, of an original and of a run's tail, with and
 * without a grid, forwards and backwards. Pure functions. */
#pragma once

#include "pure/run.h"

G_BEGIN_DECLS

/**
 * GstVfiTail: what completes a run after its last frame.
 * @GST_VFI_TAIL_DUPLICATE: copies of the last frame, marked as GAP
 * @GST_VFI_TAIL_HOLD: one GAP event
 * @GST_VFI_TAIL_NONE: nothing
 */
typedef enum {
  GST_VFI_TAIL_DUPLICATE,
  GST_VFI_TAIL_HOLD,
  GST_VFI_TAIL_NONE,
} GstVfiTail;

/**
 * GstVfiTailPlan:
 * @copies: last index for gst_vfi_run_tail_slot(), which counts from 1; 0 for no copies
 * @fills: whether copies fill the time up to the frame that closes the run
 * @end: where the run ends: the copies' durations reach up to here
 * @gap_pts: start of the GAP event, for GST_VFI_TAIL_HOLD and for a gap after the run
 * @gap_duration: its duration; 0 when there is none to push
 */
typedef struct {
  guint copies;
  gboolean fills;
  GstClockTime end;
  GstClockTime gap_pts;
  GstClockTime gap_duration;
} GstVfiTailPlan;

/* One more than the outputs between the reference and @next: their indices are
 * 1 ... this - 1. @next has the verdict NEXT; with any other there are none. */
guint64 gst_vfi_run_pair_slots (const GstVfiRun *run, const GstVfiFrameTime *next);

/**
 * gst_vfi_run_pair_slot:
 * @next: the partner of the reference, not accepted yet
 * @index: 1 ... gst_vfi_run_pair_slots() - 1
 * @slot: (out): the output's kind, time and phase; the kind is never ORIGINAL
 *
 * Returns: FALSE if there is no output: it would not be after the last one, or has no
 *     duration (frames too close together), or lies outside the segment.
 */
gboolean gst_vfi_run_pair_slot (
    const GstVfiRun *run, const GstVfiFrameTime *next, guint64 index, GstVfiSlot *slot);

/**
 * gst_vfi_run_original_slot:
 * @slot: (out): the time of the reference itself as an output: its own PTS and the part
 *     of its duration that is before its first in-between, or its slot on the grid
 *
 * Backwards a frame lasts up to the output above it, a run's first for its whole
 * duration.
 *
 * Returns: FALSE if it is a partner that is not shown: it lies outside the segment, or no
 *     slot of the grid is near to it, or copies of the frame before have taken its time.
 */
gboolean gst_vfi_run_original_slot (const GstVfiRun *run, GstVfiSlot *slot);

/**
 * gst_vfi_run_plan_tail:
 * @closed_at: PTS of what closes the run, or GST_CLOCK_TIME_NONE
 * @plan: (out): empty if there is no reference or its duration is unknown
 *
 * The run lasts until the least of the reference's PTS + duration, @closed_at and the
 * segment's stop. If that is more than max-gap after the reference,
 * GST_VFI_TAIL_DUPLICATE becomes GST_VFI_TAIL_HOLD. If @closed_at is more than max-gap
 * after the reference, a GAP event reaches from there, or from where copies that stood in
 * end, up to @closed_at. Backwards there is nothing to complete: the end of the last
 * frame was shown when its time came.
 */
void gst_vfi_run_plan_tail (
    const GstVfiRun *run, GstVfiTail tail, GstClockTime closed_at, GstVfiTailPlan *plan);

/* The time of copy @index (1 ... plan->copies) of the reference. The last copy on a grid
 * lasts until the run's end. Returns FALSE as gst_vfi_run_pair_slot() does. */
gboolean gst_vfi_run_tail_slot (
    const GstVfiRun *run, const GstVfiTailPlan *plan, guint index, GstVfiSlot *slot);

/* The time of copy @index (from 1). Returns FALSE as gst_vfi_run_pair_slot() does. */
gboolean gst_vfi_run_repeat_slot (const GstVfiRun *run, guint index, GstVfiSlot *slot);

/* The number of the first slot that is not between the reference and @next, and whether
 * @next takes it. */
guint64 gst_vfi_run_slots_until (
    const GstVfiRun *run, const GstVfiFrameTime *next, gboolean *snaps);

G_END_DECLS
