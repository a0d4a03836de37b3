/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time of the element: which frames are partners, when their in-betweens are shown and how
 * a run of frames ends. Integers only; a phase becomes a float when it enters the model.
 * Pure functions on a plain struct: no element, no lock, no buffer is kept.
 *
 * A run is a row of frames in which every frame is the partner of the one before. Outputs
 * are placed in one of two ways, which are used alike:
 *
 *   multiply  originals keep their times, every pair gets multiplier - 1 outputs between.
 *   grid      after gst_vfi_run_set_grid (): outputs are at the slots of a constant rate
 *             from the run's first frame on. A frame that a slot is near to takes the
 *             slot's time; a frame without one is not shown. A slot can follow right after
 *             a frame, so that outputs are late by a whole input frame.
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
 *         copy of the reference marked as GAP, belongs there. As there may be any number of
 *         them, span.h does this for all at once and places them later, one by one
 *   gst_vfi_run_accept (&run, &frame);        now it is the reference
 *   gst_vfi_run_set_pair (&run, ...)          where the pair it begins is treated its own
 *       way, by gst_vfi_run_pair_index ()
 *   if (gst_vfi_run_original_slot (&run, &slot))
 *     gst_vfi_run_take (&run, &slot); gst_vfi_slot_stamp (&slot, buffer); push it
 *
 * and when an event closes the run (EOS, SEGMENT, SEGMENT_DONE, CAPS, GAP if
 * gst_vfi_run_gap_ends (); not FLUSH):
 *
 *   gst_vfi_run_plan_tail (&run, tail, closing time or NONE, &plan);
 *   for j in 1 ... plan.copies: if (gst_vfi_run_tail_slot (&run, &plan, j, &slot)) as above
 *   if plan.gap_duration: push a GAP event
 *   gst_vfi_run_close (&run)
 *
 * With a negative segment rate buffers come with falling PTS, and so do the outputs: the
 * new frame is the pair's first one and the reference its second. Where only key units are
 * played (gst_vfi_segment_is_key_units ()) frames keep their times and nothing is added. */
#pragma once

#include <gst/gst.h>

#include "pure/intervals.h"
#include "pure/slots.h"

G_BEGIN_DECLS

/* A jump back of more than this without DISCONT starts a new run; a smaller one, or none,
 * is a frame that comes too late and is dropped. */
#define GST_VFI_BACKWARD_JUMP (1 * GST_SECOND)

/* A frame is at most this far from the slot that it takes, and at most a sixteenth of the
 * input's frame: containers round times to milliseconds. */
#define GST_VFI_SNAP (1500 * GST_USECOND)

/* The least distance of frames that max-gap = 0 calls a gap; at low rates four frames. */
#define GST_VFI_MIN_AUTO_GAP (250 * GST_MSECOND)

/* The same for the first two frames of a stream that says neither rate nor durations: they
 * are what the rate is measured by. */
#define GST_VFI_FIRST_AUTO_GAP (5 * GST_SECOND)

/**
 * GstVfiVerdict:
 * @GST_VFI_VERDICT_NEXT: the partner of the reference
 * @GST_VFI_VERDICT_NEW_RUN: the first frame of a run; a run that is open closes before
 * @GST_VFI_VERDICT_DROP_NO_PTS: no PTS, and none can be derived from a constant rate
 * @GST_VFI_VERDICT_DROP_NOT_LATER: PTS not after the reference's
 */
typedef enum {
  GST_VFI_VERDICT_NEXT,
  GST_VFI_VERDICT_NEW_RUN,
  GST_VFI_VERDICT_DROP_NO_PTS,
  GST_VFI_VERDICT_DROP_NOT_LATER,
} GstVfiVerdict;

/**
 * GstVfiTail: what completes a run behind its last frame.
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
 * GstVfiSlotKind: what belongs into a slot.
 * @GST_VFI_SLOT_ORIGINAL: the reference itself
 * @GST_VFI_SLOT_IN_BETWEEN: what the model makes of the pair at the slot's phase
 * @GST_VFI_SLOT_DUPLICATE: a copy of the reference, marked as GAP
 */
typedef enum {
  GST_VFI_SLOT_ORIGINAL,
  GST_VFI_SLOT_IN_BETWEEN,
  GST_VFI_SLOT_DUPLICATE,
} GstVfiSlotKind;

/**
 * GstVfiFrameTime: what gst_vfi_run_observe() found about a buffer.
 * @verdict: what to do with it
 * @tail: with GST_VFI_VERDICT_NEW_RUN: whether the run before is completed up to @pts
 *     (it is not after a jump back)
 * @warn: with a drop: whether it is the first of its run, the one to warn about
 * @pts: the frame's true time, valid unless it is dropped for having none
 * @duration: how long the input shows it, as far as can be known before the next one comes:
 *     what the buffer says, unless the one before said something wrong; else one frame at
 *     the caps' rate or at the rate that frames come at; or GST_CLOCK_TIME_NONE
 * @claim: what the buffer says, or GST_CLOCK_TIME_NONE
 * @interval: how far it is from the frame before, where that says something about the
 *     stream, or 0
 * @places: how many places of the caps' rate it is behind the reference, where outputs are
 *     to keep a constant rate; otherwise 1
 * @from_rate: how many frames @pts lies behind the last PTS that came with a buffer, when
 *     it was derived from the rate; 0 when the buffer had one
 */
typedef struct {
  GstVfiVerdict verdict;
  gboolean tail;
  gboolean warn;
  GstClockTime pts;
  GstClockTime duration;
  GstClockTime claim;
  GstClockTime interval;
  guint64 places;
  guint64 from_rate;
} GstVfiFrameTime;

/**
 * GstVfiSlot: one output.
 * @kind: what is shown there
 * @pts: presentation time
 * @duration: up to the output that follows in time, or GST_CLOCK_TIME_NONE if nothing is
 *     known
 * @phase_num: numerator of its place between the two frames, 0 at the one with the lower
 *     PTS; 0 for all that is no in-between
 * @phase_den: denominator of it, greater than 0
 * @offset: its number in the output, set by gst_vfi_run_take()
 * @discont: whether it is its run's first, set by gst_vfi_run_take()
 */
typedef struct {
  GstVfiSlotKind kind;
  GstClockTime pts;
  GstClockTime duration;
  guint64 phase_num;
  guint64 phase_den;
  guint64 offset;
  gboolean discont;
} GstVfiSlot;

/**
 * GstVfiTailPlan:
 * @copies: last index for gst_vfi_run_tail_slot(), which counts from 1; 0 for no copies
 * @fills: whether copies fill the time up to the frame that closes the run
 * @end: where the run ends: the copies' durations reach up to here
 * @gap_pts: start of the GAP event, for GST_VFI_TAIL_HOLD and for a gap behind the run
 * @gap_duration: its duration; 0 when there is none to push
 */
typedef struct {
  guint copies;
  gboolean fills;
  GstClockTime end;
  GstClockTime gap_pts;
  GstClockTime gap_duration;
} GstVfiTailPlan;

/**
 * GstVfiRun: the time state of one stream. Set up with gst_vfi_run_init(); the fields are
 * read-only outside grid.c.
 * @segment: the current segment (TIME)
 * @rate_num: numerator of the input rate, 0 when it is variable
 * @rate_den: denominator of the input rate
 * @multiplier: outputs an input frame, without a grid
 * @repeat: whether the pair's slots show copies of the reference
 * @max_gap: frames farther apart are no pair; 0 for automatic
 * @slots: the output grid; its rate is 0 without one
 * @constant_num: the output rate that has to be kept although outputs are multiplied, or 0
 * @constant_den: denominator of it
 * @departed: whether @slots is there because a frame was not where the caps' rate puts it
 * @departs: whether that has happened since the rates were set
 * @nominal_base: where the caps' rate begins to count
 * @place: number of the reference by the caps' rate from there
 * @shown_slot: the slot that the reference takes, or G_MAXUINT64
 * @open: whether there is a reference
 * @origin: PTS of the run's first frame
 * @pts: true PTS of the reference
 * @duration: how long the input shows the reference, or NONE
 * @claim: what its buffer said about that, or NONE
 * @claims_fail: whether the last frame but one was shown for another time than it claimed
 * @intervals: the last distances of frames
 * @up_to_next: backwards without a grid: from the reference to the output above it, NONE
 *     for a run's first
 * @frames: frames accepted since reset or segment
 * @base_pts: last PTS that came with a buffer, NONE if none did since reset or segment
 * @base_age: frames since @base_pts whose PTS was derived from the rate
 * @last_out: PTS of the run's last output, NONE before the first
 * @last_end: where that output ends, NONE if that is unknown
 * @stand_in_frame: the interval that copies which stand in for frames follow, or 0
 * @stand_in_longest: how much time copies may fill up to the frame that ends a run
 * @stand_ins: how many outputs behind the reference copies have stood in for
 * @taken_until: where the last of these copies ends, NONE if there was none
 * @taken_slack: what another output may begin earlier
 * @warned: whether a drop of this run was reported
 * @outputs: outputs since reset: the next one's offset
 */
typedef struct {
  GstSegment segment;
  guint64 rate_num;
  guint64 rate_den;
  guint multiplier;
  gboolean repeat;
  GstClockTime max_gap;
  GstVfiSlots slots;
  guint64 constant_num;
  guint64 constant_den;
  gboolean departed;
  gboolean departs;
  GstClockTime nominal_base;
  guint64 place;
  guint64 shown_slot;
  gboolean open;
  GstClockTime origin;
  GstClockTime pts;
  GstClockTime duration;
  GstClockTime claim;
  gboolean claims_fail;
  GstVfiIntervals intervals;
  GstClockTime up_to_next;
  guint64 frames;
  GstClockTime base_pts;
  guint64 base_age;
  GstClockTime last_out;
  GstClockTime last_end;
  GstClockTime stand_in_frame;
  GstClockTime stand_in_longest;
  guint stand_ins;
  GstClockTime taken_until;
  GstClockTime taken_slack;
  gboolean warned;
  guint64 outputs;
} GstVfiRun;

/* Whether only key units are played: they come far apart and nothing is put between them. */
gboolean gst_vfi_segment_is_key_units (const GstSegment *segment);

/* Makes @run a stream without segment, rate or frames: multiplier 1, variable rate, no
 * grid, automatic max-gap. */
void gst_vfi_run_init (GstVfiRun *run);

/* After a flush or a stop: forgets frames, counters and segment; keeps rates, multiplier and
 * max-gap. */
void gst_vfi_run_reset (GstVfiRun *run);

/* A new segment, after the run was closed. @segment is in TIME format. Pairs count from 0
 * again. */
void gst_vfi_run_set_segment (GstVfiRun *run, const GstSegment *segment);

/* The input's rate, @num = 0 for a variable one; after the run was closed. */
void gst_vfi_run_set_rate (GstVfiRun *run, gint num, gint den);

/* Outputs an input frame from the next pair on, 1 for none in between. */
void gst_vfi_run_set_multiplier (GstVfiRun *run, guint multiplier);

/* As gst_vfi_run_set_multiplier (), and whether the slots of the pairs from here on show
 * copies of the reference. Called between gst_vfi_run_accept () and
 * gst_vfi_run_original_slot (), because the original's duration depends on it. */
void gst_vfi_run_set_pair (GstVfiRun *run, guint multiplier, gboolean repeat);

/* The index of the pair that the reference begins: its number among the frames accepted
 * since the start, a reset or a new segment, 0 for the first. 0 without a reference. */
guint64 gst_vfi_run_pair_index (const GstVfiRun *run);

/* Places outputs on the grid of the rate @num / @den, or with @num = 0 by the multiplier.
 * Between two buffers, also within a run: the new grid goes on where the last output ends,
 * so that no time repeats. The same rate again changes nothing, and 0 does not end a grid
 * that keeps a constant rate. */
void gst_vfi_run_set_grid (GstVfiRun *run, gint num, gint den);

/* Outputs, which the multiplier places, have to keep the rate @num / @den, the multiplier
 * times the input's; with @num = 0 they follow the input wherever it goes. Where frames are
 * missing there are as many more in-betweens; a frame that is away from where the input's
 * rate puts it (by more than GST_VFI_SNAP, a sixteenth of a frame or what milliseconds are
 * rounded by) begins a grid for the rest of its run. Between two buffers, and before
 * gst_vfi_run_set_grid (). */
void gst_vfi_run_set_constant (GstVfiRun *run, gint num, gint den);

/* Frames more than @max_gap apart are no pair; 0 for the larger of four input frames and
 * GST_VFI_MIN_AUTO_GAP. A frame is the longest of what the caps say (at a variable rate
 * the reference's duration) and of the last intervals' median: a stream may be slower than
 * it says. Where nothing is known yet the limit is GST_VFI_FIRST_AUTO_GAP. */
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

/* Makes a frame that is not dropped the reference, in a new run if its verdict says so. */
void gst_vfi_run_accept (GstVfiRun *run, const GstVfiFrameTime *frame);

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
 * Backwards a frame lasts up to the output above it, a run's first for its whole duration.
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
 * segment's stop. If that is more than max-gap behind the reference, GST_VFI_TAIL_DUPLICATE
 * becomes GST_VFI_TAIL_HOLD. If @closed_at is more than max-gap behind the reference, a GAP
 * event reaches from there, or from where copies that stood in end, up to @closed_at.
 * Backwards there is nothing to complete: the end of
 * the last frame was shown when its time came.
 */
void gst_vfi_run_plan_tail (
    const GstVfiRun *run, GstVfiTail tail, GstClockTime closed_at, GstVfiTailPlan *plan);

/* The time of copy @index (1 ... plan->copies) of the reference. The last copy on a grid
 * lasts until the run's end. Returns FALSE as gst_vfi_run_pair_slot() does. */
gboolean gst_vfi_run_tail_slot (
    const GstVfiRun *run, const GstVfiTailPlan *plan, guint index, GstVfiSlot *slot);

/* Where the frame behind the reference stays away, copies may stand in for it: as in a pair
 * with a frame @frame later, but without end. When it comes after all, the outputs up to it
 * go on behind the last copy; if it begins a run, copies fill the time up to it, if that is
 * no more than @longest. Set for each reference anew. */
void gst_vfi_run_set_stand_in (GstVfiRun *run, GstClockTime frame, GstClockTime longest);

/* The time of copy @index (from 1). Returns FALSE as gst_vfi_run_pair_slot() does. */
gboolean gst_vfi_run_repeat_slot (const GstVfiRun *run, guint index, GstVfiSlot *slot);

/* As gst_vfi_run_take(), for copy @index. */
void gst_vfi_run_take_repeat (GstVfiRun *run, guint index, GstVfiSlot *slot);

/* Whether such copies have taken the time of the reference. */
gboolean gst_vfi_run_is_overtaken (const GstVfiRun *run);

/* Whether after a GAP event of the input no partner of the reference can come: it reaches
 * farther than two frames of a pair may be apart. An event without a duration says that time
 * has come to @start. */
gboolean gst_vfi_run_gap_ends (
    const GstVfiRun *run, GstClockTime start, GstClockTime duration);

/* When the run ends that it ends, for gst_vfi_run_plan_tail (). */
GstClockTime gst_vfi_run_gap_closes_at (const GstVfiRun *run, GstClockTime start);

/**
 * gst_vfi_run_clip_gap:
 * @next: (nullable): the partner of the reference, not accepted yet, or NULL before the run
 *     is closed
 * @from: nothing before this remains
 * @until: without @next: nor from here on; GST_CLOCK_TIME_NONE for no limit
 * @start: (inout): start of a GAP event of the input
 * @duration: (inout): its duration, GST_CLOCK_TIME_NONE or 0 if it has none
 *
 * Takes the time away in which something is shown.
 *
 * Returns: FALSE if nothing remains.
 */
gboolean gst_vfi_run_clip_gap (const GstVfiRun *run, const GstVfiFrameTime *next,
    GstClockTime from, GstClockTime until, GstClockTime *start, GstClockTime *duration);

/* Assigns @slot its place in the output. Called once for each output, in output order. */
void gst_vfi_run_take (GstVfiRun *run, GstVfiSlot *slot);

/* Writes a taken slot into a writable buffer: PTS, duration, OFFSET, OFFSET_END and the
 * DISCONT flag; DTS becomes NONE. */
void gst_vfi_slot_stamp (const GstVfiSlot *slot, GstBuffer *buffer);

/* The slot's phase as the model wants it, 0 to 1. */
gdouble gst_vfi_slot_phase (const GstVfiSlot *slot);

G_END_DECLS
