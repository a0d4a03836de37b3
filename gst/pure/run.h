/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run of frames: its state, what settings say about distances and durations, and the
 * outputs that have been given their place in it. A run is a row of frames in which every
 * frame is the partner of the one before, the reference. grid.h says how a run is used.
 * Pure functions on a plain struct: no element, no lock, no buffer is kept. */
#pragma once

#include <gst/gst.h>

#include "pure/intervals.h"
#include "pure/slots.h"

G_BEGIN_DECLS

/* A frame is at most this far from the slot that it takes, and at most a sixteenth of the
 * input's frame: containers round times to milliseconds. */
#define GST_VFI_SNAP (1500 * GST_USECOND)

/* The least distance of frames that max-gap = 0 calls a gap; at low rates four frames. */
#define GST_VFI_MIN_AUTO_GAP (250 * GST_MSECOND)

/* The same for the first two frames of a stream that says neither rate nor durations: the
 * rate is measured by them. */
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
 * GstVfiSlotKind: what belongs in a slot.
 * @GST_VFI_SLOT_ORIGINAL: the reference itself
 * @GST_VFI_SLOT_IN_BETWEEN: the picture that the model makes of the pair at the slot's
 *     phase
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
 * @tail: with GST_VFI_VERDICT_NEW_RUN: whether the run before is completed up to @pts (it
 *     is not after a jump back)
 * @warn: with a drop: whether it is the first of its run, the one to warn about
 * @pts: the frame's true time, valid unless it is dropped for having none
 * @duration: how long the input shows it, as far as can be known before the next one
 *     comes: what the buffer says, unless the buffer before was wrong about that; else
 *     one frame at the caps' rate or at the rate that frames come at; or
 *     GST_CLOCK_TIME_NONE
 * @claim: the duration that the buffer says, or GST_CLOCK_TIME_NONE
 * @interval: how far it is from the frame before, where that says something about the
 *     stream, or 0
 * @places: how many places of the caps' rate it is after the reference, where outputs are
 *     to keep a constant rate; otherwise 1
 * @from_rate: how many frames @pts lies after the last PTS that came with a buffer, when
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
 *     PTS; 0 for anything that is no in-between
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
 * GstVfiRun: the time state of one stream. Set up with gst_vfi_run_init(); the fields are
 * read-only outside grid.c.
 * @segment: the current segment (TIME)
 * @rate_num: numerator of the input rate, 0 when it is variable
 * @rate_den: denominator of the input rate
 * @multiplier: outputs per input frame, without a grid
 * @repeat: whether the pair's slots show copies of the reference
 * @max_gap: frames farther apart are no pair; 0 for automatic
 * @slots: the output grid; its rate is 0 without one
 * @constant_num: the output rate that has to be kept although outputs are multiplied, or
 *     0
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
 * @stand_in_frame: the interval of copies that stand in for frames, or 0
 * @stand_in_max: how much time copies may fill at most, up to the frame that ends a run
 * @stand_ins: how many outputs after the reference copies have stood in for
 * @taken_until: where the last of these copies ends, NONE if there was none
 * @taken_slack: how much earlier than that another output may begin
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
  GstClockTime stand_in_max;
  guint stand_ins;
  GstClockTime taken_until;
  GstClockTime taken_slack;
  gboolean warned;
  guint64 outputs;
} GstVfiRun;

/* Whether only key units are played: they come far apart and nothing is put between
 * them. */
gboolean gst_vfi_segment_is_key_units (const GstSegment *segment);

static inline gboolean
gst_vfi_run_is_reverse (const GstVfiRun *run)
{
  return run->segment.rate < 0;
}

/* Time of @frames frames at the input's rate, or NONE at a variable one. */
GstClockTime gst_vfi_run_time_of_frames (const GstVfiRun *run, guint64 frames);

/* Whether outputs are on a grid now. */
gboolean gst_vfi_run_uses_grid (const GstVfiRun *run);

/* Outputs per frame where there is no grid. */
guint gst_vfi_run_steps (const GstVfiRun *run);

/* How far apart two frames of a pair may be, the first of them the reference. */
GstClockTime gst_vfi_run_max_distance (const GstVfiRun *run);

/* Whether anything says how far apart frames are. */
gboolean gst_vfi_run_knows_interval (const GstVfiRun *run);

/* How long copies may show the last frame of a run. Where there is no rate this goes by
 * the intervals that were seen: nothing confirms the duration that the frame claims. */
GstClockTime gst_vfi_run_max_tail (const GstVfiRun *run);

/* How far from its slot a frame may be. Where the input has no constant rate this depends
 * on @frame, the time for which the input shows the frame. */
GstClockTime gst_vfi_run_snap_tolerance (const GstVfiRun *run, GstClockTime frame);

/* Assigns @slot its place in the output. Called once for each output, in output order. */
void gst_vfi_run_take (GstVfiRun *run, GstVfiSlot *slot);

/* Writes a taken slot into a writable buffer: PTS, duration, OFFSET, OFFSET_END and the
 * DISCONT flag; DTS becomes NONE. */
void gst_vfi_slot_stamp (const GstVfiSlot *slot, GstBuffer *buffer);

/* The slot's phase as the model wants it, 0 to 1. */
gdouble gst_vfi_slot_phase (const GstVfiSlot *slot);

G_END_DECLS
