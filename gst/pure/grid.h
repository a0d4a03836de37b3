/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time of the element: which frames are partners, when their in-betweens are shown and
 * how a run of frames ends. Integers only; a phase becomes a float when it enters the
 * model. Pure functions on a plain struct: no element, no lock, no buffer is kept.
 *
 * A run is a row of frames in which every frame is the partner of the one before. Outputs
 * are placed in one of two ways, which are used alike:
 *
 *   multiply  originals keep their times, every pair gets multiplier - 1 outputs between.
 *   grid      after gst_vfi_run_set_grid (): outputs are at the slots of a constant rate
 *             from the run's first frame on. A frame that a slot is near to takes the
 *             slot's time; a frame without one is not shown. A slot can follow right
 *             after a frame, so that outputs are late by a whole input frame.
 *
 * For each buffer, in stream order:
 *
 *   gst_vfi_run_observe (&run, pts, duration, discont, &frame);
 *   if it is dropped: count it, done
 *   if frame.verdict is NEW_RUN and a reference is held: the tail (below), closed by
 *       frame.pts if frame.tail, otherwise no tail
 *   if NEXT: for j in 1 ... gst_vfi_run_pair_slots () - 1:
 *       if (gst_vfi_run_pair_slot (&run, &frame, j, &slot))
 *         gst_vfi_run_take (&run, &slot); by slot.kind the in-between of the pair, or a
 *         copy of the reference marked as GAP, belongs there. As there may be any number
 *         of them, span.h does this for all at once and places them later, one by one
 *   gst_vfi_run_accept (&run, &frame);        now it is the reference
 *   gst_vfi_run_set_pair (&run, ...)          where the pair that it begins has a
 *       treatment of its own, by gst_vfi_run_pair_index ()
 *   if (gst_vfi_run_original_slot (&run, &slot))
 *     gst_vfi_run_take (&run, &slot); gst_vfi_slot_stamp (&slot, buffer); push it
 *
 * and when an event closes the run (EOS, SEGMENT, SEGMENT_DONE, CAPS, GAP if
 * gst_vfi_run_gap_ends (); not FLUSH):
 *
 *   gst_vfi_run_plan_tail (&run, tail, closing time or NONE, &plan);
 *   for j in 1 ... plan.copies:
 *     if (gst_vfi_run_tail_slot (&run, &plan, j, &slot)) as above
 *   if plan.gap_duration: push a GAP event
 *   gst_vfi_run_close (&run)
 *
 * With a negative segment rate buffers come with falling PTS, and so do the outputs: the
 * new frame is the pair's first one and the reference its second. Where only key units
 * are played (gst_vfi_segment_is_key_units ()) frames keep their times and nothing is
 * added. */
#pragma once

#include "pure/run.h"

G_BEGIN_DECLS

/* A jump back of more than this without DISCONT starts a new run; a smaller one, or none,
 * is a frame that comes too late and is dropped. */
#define GST_VFI_BACKWARD_JUMP (1 * GST_SECOND)

/* Makes @run a stream without segment, rate or frames: multiplier 1, variable rate, no
 * grid, automatic max-gap. */
void gst_vfi_run_init (GstVfiRun *run);

/* After a flush or a stop: forgets frames, counters and segment; keeps rates, multiplier
 * and max-gap. */
void gst_vfi_run_reset (GstVfiRun *run);

/* A new segment, after the run was closed. @segment is in TIME format. Pairs count from 0
 * again. */
void gst_vfi_run_set_segment (GstVfiRun *run, const GstSegment *segment);

/* The input's rate, @num = 0 for a variable one; after the run was closed. */
void gst_vfi_run_set_rate (GstVfiRun *run, gint num, gint den);

/* Outputs per input frame from the next pair on; 1 is none in between. */
void gst_vfi_run_set_multiplier (GstVfiRun *run, guint multiplier);

/* As gst_vfi_run_set_multiplier (), and whether the slots of the pairs from here on show
 * copies of the reference. Called between gst_vfi_run_accept () and
 * gst_vfi_run_original_slot (), because the original's duration depends on it. */
void gst_vfi_run_set_pair (GstVfiRun *run, guint multiplier, gboolean repeat);

/* The index of the pair that the reference begins: its number among the frames accepted
 * since the start, a reset or a new segment, 0 for the first. 0 without a reference. */
guint64 gst_vfi_run_pair_index (const GstVfiRun *run);

/* Places outputs on the grid of the rate @num / @den, or with @num = 0 by the multiplier.
 * Between two buffers, also within a run: the new grid goes on where the last output
 * ends, so that no time repeats. Setting the same rate again changes nothing, and 0 does
 * not end a grid that keeps a constant rate. */
void gst_vfi_run_set_grid (GstVfiRun *run, gint num, gint den);

/* Frames more than @max_gap apart are no pair; 0 for the larger of four input frames and
 * GST_VFI_MIN_AUTO_GAP. A frame is the longest of what the caps say (at a variable rate
 * the reference's duration) and of the last intervals' median: a stream may be slower
 * than it says. Where nothing is known yet the limit is GST_VFI_FIRST_AUTO_GAP. */
void gst_vfi_run_set_max_gap (GstVfiRun *run, GstClockTime max_gap);

/* Forgets the reference without a tail. The output counter goes on. */
void gst_vfi_run_close (GstVfiRun *run);

/**
 * gst_vfi_run_observe:
 * @pts: the buffer's PTS or GST_CLOCK_TIME_NONE
 * @duration: the buffer's duration or GST_CLOCK_TIME_NONE
 * @discont: whether the buffer is marked DISCONT
 * @frame: (out): its time and what to do with it
 *
 * Judges a buffer; the reference stays until gst_vfi_run_accept(). Without a PTS a frame
 * follows the one before at the constant rate (the first one is at the segment's start).
 *
 * With a negative segment rate PTS have to fall, and a frame without one is dropped.
 * DISCONT does not separate frames then, as long as they fall: decoders mark the first
 * frame of every group of pictures with it.
 *
 * Returns: FALSE if the buffer is to be dropped.
 */
gboolean gst_vfi_run_observe (GstVfiRun *run, GstClockTime pts, GstClockTime duration,
    gboolean discont, GstVfiFrameTime *frame);

/* Makes a frame that is not dropped the reference, in a new run if its verdict says
 * so. */
void gst_vfi_run_accept (GstVfiRun *run, const GstVfiFrameTime *frame);

G_END_DECLS
