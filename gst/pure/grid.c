/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a buffer is to its run, and what settings mean for it. */
#include "pure/grid.h"

#include "pure/nominal.h"
#include "pure/place.h"
#include "pure/time_math.h"

/* The duration of a frame at @pts by the input's rate. Where @pts is on the rate's own
 * grid from
 * @origin the next grid point counts, so that these durations sum to the span. */
static GstClockTime
nominal_duration (const GstVfiRun *run, GstClockTime origin, GstClockTime pts)
{
  if (run->rate_num == 0)
    return GST_CLOCK_TIME_NONE;
  GstClockTime rounded_down = gst_vfi_run_time_of_frames (run, 1);
  if (pts < origin)
    return rounded_down;
  guint64 index = gst_util_uint64_scale_round (
      pts - origin, run->rate_num, run->rate_den * GST_SECOND);
  GstClockTimeDiff off_grid = GST_CLOCK_DIFF (
      pts, gst_vfi_time_add (origin, gst_vfi_run_time_of_frames (run, index)));
  if (ABS (off_grid) > 1)
    return rounded_down;
  return gst_vfi_time_add (origin, gst_vfi_run_time_of_frames (run, index + 1)) - pts;
}

static void
forget_measured (GstVfiRun *run)
{
  run->intervals = (GstVfiIntervals){0};
  run->claims_fail = FALSE;
  run->departs = FALSE;
}

void
gst_vfi_run_init (GstVfiRun *run)
{
  *run =
      (GstVfiRun){.rate_den = 1, .multiplier = 1, .slots = {.den = 1}, .constant_den = 1};
  gst_vfi_run_reset (run);
}

void
gst_vfi_run_reset (GstVfiRun *run)
{
  gst_segment_init (&run->segment, GST_FORMAT_TIME);
  run->outputs = 0;
  run->frames = 0;
  run->base_pts = GST_CLOCK_TIME_NONE;
  run->base_age = 0;
  run->taken_until = GST_CLOCK_TIME_NONE;
  forget_measured (run);
  gst_vfi_run_close (run);
}

void
gst_vfi_run_set_segment (GstVfiRun *run, const GstSegment *segment)
{
  run->segment = *segment;
  run->taken_until = GST_CLOCK_TIME_NONE;
  run->frames = 0;
  run->base_pts = GST_CLOCK_TIME_NONE;
  run->base_age = 0;
}

void
gst_vfi_run_set_rate (GstVfiRun *run, gint num, gint den)
{
  gboolean constant = num > 0 && den > 0;
  if (run->base_age > 0) {
    /* Frames without PTS go on from the last frame of the old rate. */
    run->base_pts =
        gst_vfi_time_add (run->base_pts, gst_vfi_run_time_of_frames (run, run->base_age));
    run->base_age = 0;
  }
  run->rate_num = constant ? (guint64) num : 0;
  run->rate_den = constant ? (guint64) den : 1;
  forget_measured (run);
}

void
gst_vfi_run_set_multiplier (GstVfiRun *run, guint multiplier)
{
  run->multiplier = MAX (multiplier, 1);
}

void
gst_vfi_run_set_pair (GstVfiRun *run, guint multiplier, gboolean repeat)
{
  gst_vfi_run_set_multiplier (run, multiplier);
  run->repeat = repeat;
}

guint64
gst_vfi_run_pair_index (const GstVfiRun *run)
{
  return run->frames > 0 ? run->frames - 1 : 0;
}

void
gst_vfi_run_set_max_gap (GstVfiRun *run, GstClockTime max_gap)
{
  run->max_gap = max_gap;
}

/* Begins the grid in the middle of a run: where the last output ends. */
static void
start_behind_output (GstVfiRun *run)
{
  gboolean reverse = gst_vfi_run_is_reverse (run);
  if (!reverse && GST_CLOCK_TIME_IS_VALID (run->last_end)) {
    gst_vfi_slots_start (&run->slots, run->last_end, FALSE);
  } else {
    gst_vfi_slots_start (&run->slots, run->pts, reverse);
    run->slots.next = 1;
  }
}

void
gst_vfi_run_set_grid (GstVfiRun *run, gint num, gint den)
{
  gboolean constant = num > 0 && den > 0;
  guint64 rate_num = constant ? (guint64) num : 0;
  guint64 rate_den = constant ? (guint64) den : 1;
  if (run->slots.num * rate_den == rate_num * run->slots.den ||
      (run->departed && !constant))
    return;
  if (!run->open || !constant) {
    run->slots.num = rate_num;
    run->slots.den = rate_den;
  } else if (run->slots.num > 0) {
    gst_vfi_slots_change_rate (&run->slots, rate_num, rate_den);
  } else {
    start_behind_output (run);
    run->slots.num = rate_num;
    run->slots.den = rate_den;
  }
}

/* Their time stays taken. */
static void
forget_stand_ins (GstVfiRun *run)
{
  run->stand_in_frame = 0;
  run->stand_in_max = 0;
  run->stand_ins = 0;
}

void
gst_vfi_run_close (GstVfiRun *run)
{
  gst_vfi_run_return (run);
  run->open = FALSE;
  run->origin = GST_CLOCK_TIME_NONE;
  run->pts = GST_CLOCK_TIME_NONE;
  run->duration = GST_CLOCK_TIME_NONE;
  run->claim = GST_CLOCK_TIME_NONE;
  run->up_to_next = GST_CLOCK_TIME_NONE;
  run->shown_slot = G_MAXUINT64;
  run->last_out = GST_CLOCK_TIME_NONE;
  run->last_end = GST_CLOCK_TIME_NONE;
  run->warned = FALSE;
  forget_stand_ins (run);
}

/* Derives the PTS of a buffer that came without one, at a constant rate. */
static gboolean
derive_pts (const GstVfiRun *run, GstVfiFrameTime *frame)
{
  if (run->rate_num == 0 || gst_vfi_run_is_reverse (run))
    return FALSE;
  if (!GST_CLOCK_TIME_IS_VALID (run->base_pts)) {
    frame->pts = run->segment.start;
    return GST_CLOCK_TIME_IS_VALID (frame->pts);
  }
  frame->from_rate = run->base_age + 1;
  frame->pts = gst_vfi_time_add (
      run->base_pts, gst_vfi_run_time_of_frames (run, frame->from_rate));
  return TRUE;
}

static gboolean
drop (GstVfiRun *run, GstVfiFrameTime *frame, GstVfiVerdict verdict)
{
  frame->verdict = verdict;
  frame->warn = !run->warned;
  run->warned = TRUE;
  return FALSE;
}

/* Whether a frame is the reference's partner, or begins a run; FALSE if it comes too late
 * for either. */
static gboolean
judge (const GstVfiRun *run, gboolean discont, GstVfiFrameTime *frame)
{
  gboolean reverse = gst_vfi_run_is_reverse (run);
  gboolean goes_on = reverse ? frame->pts < run->pts : frame->pts > run->pts;
  GstClockTime step = gst_vfi_time_distance (frame->pts, run->pts);
  if (!goes_on && !discont && step <= GST_VFI_BACKWARD_JUMP)
    return FALSE;
  if (!goes_on || (discont && !reverse) || step > gst_vfi_run_max_distance (run)) {
    frame->verdict = GST_VFI_VERDICT_NEW_RUN;
    frame->tail = goes_on && !reverse;
  }
  if (goes_on && (!discont || reverse) && !gst_vfi_segment_is_key_units (&run->segment))
    frame->interval = step;
  return TRUE;
}

/* Whether frames are shown for other times than their durations claim; only a partner can
 * tell. */
static gboolean
claims_fail (const GstVfiRun *run, const GstVfiFrameTime *frame)
{
  if (frame->verdict != GST_VFI_VERDICT_NEXT || frame->interval == 0 ||
      gst_vfi_run_is_reverse (run) || !GST_CLOCK_TIME_IS_VALID (run->claim))
    return run->claims_fail;
  return !gst_vfi_intervals_are_alike (run->claim, frame->interval, GST_VFI_SNAP);
}

/* How long @frame will be shown. A claim counts until it proves wrong. Then, and without
 * a claim, the rate counts, or the one at which frames steadily come instead. */
static GstClockTime
expected_duration (const GstVfiRun *run, const GstVfiFrameTime *frame)
{
  gboolean fail = claims_fail (run, frame);
  if (GST_CLOCK_TIME_IS_VALID (frame->claim) && !fail)
    return frame->claim;
  GstVfiIntervals intervals = run->intervals;
  if (frame->interval > 0)
    gst_vfi_intervals_add (&intervals, frame->interval);
  GstClockTime origin = frame->verdict == GST_VFI_VERDICT_NEXT ? run->origin : frame->pts;
  GstClockTime nominal = nominal_duration (run, origin, frame->pts);
  GstClockTime steady = gst_vfi_intervals_steady (&intervals);
  if (!GST_CLOCK_TIME_IS_VALID (nominal)) {
    gboolean only_one = fail && intervals.count == 1;
    return only_one ? gst_vfi_intervals_usual (&intervals) : steady;
  }
  if (GST_CLOCK_TIME_IS_VALID (steady) &&
      !gst_vfi_intervals_are_alike (steady, nominal, GST_VFI_SNAP))
    return steady;
  return nominal;
}

/* Whether @frame begins another time than the one in which outputs have been shown so
 * far. */
static gboolean
begins_elsewhere (const GstVfiRun *run, const GstVfiFrameTime *frame)
{
  if (run->open)
    return frame->verdict == GST_VFI_VERDICT_NEW_RUN && !frame->tail;
  return gst_vfi_time_add (frame->pts, GST_VFI_BACKWARD_JUMP) < run->taken_until;
}

/* Counts the places up to @frame, or departs where it has none. */
static void
keep_constant (GstVfiRun *run, GstVfiFrameTime *frame)
{
  guint64 index;
  if (gst_vfi_run_find_place (run, frame->pts, &index))
    frame->places = index - run->place;
  else
    gst_vfi_run_depart (run);
}

gboolean
gst_vfi_run_observe (GstVfiRun *run, GstClockTime pts, GstClockTime duration,
    gboolean discont, GstVfiFrameTime *frame)
{
  *frame = (GstVfiFrameTime){.verdict = GST_VFI_VERDICT_NEXT, .pts = pts, .places = 1};
  if (!GST_CLOCK_TIME_IS_VALID (pts) && !derive_pts (run, frame))
    return drop (run, frame, GST_VFI_VERDICT_DROP_NO_PTS);

  if (!run->open)
    frame->verdict = GST_VFI_VERDICT_NEW_RUN;
  else if (!judge (run, discont, frame))
    return drop (run, frame, GST_VFI_VERDICT_DROP_NOT_LATER);

  if (begins_elsewhere (run, frame))
    run->taken_until = GST_CLOCK_TIME_NONE;
  if (frame->verdict == GST_VFI_VERDICT_NEXT && gst_vfi_run_is_nominal (run))
    keep_constant (run, frame);
  frame->claim = duration > 0 ? duration : GST_CLOCK_TIME_NONE;
  frame->duration = expected_duration (run, frame);
  return TRUE;
}

static void
accept_on_grid (GstVfiRun *run, const GstVfiFrameTime *frame)
{
  gboolean snaps;
  run->slots.next = gst_vfi_run_slots_until (run, frame, &snaps);
  run->shown_slot = snaps ? run->slots.next++ : G_MAXUINT64;
}

void
gst_vfi_run_accept (GstVfiRun *run, const GstVfiFrameTime *frame)
{
  guint64 steps = gst_vfi_run_pair_slots (run, frame);
  GstClockTime span = gst_vfi_time_distance (run->pts, frame->pts);
  run->claims_fail = claims_fail (run, frame);
  if (frame->interval > 0)
    gst_vfi_intervals_add (&run->intervals, frame->interval);
  if (frame->verdict == GST_VFI_VERDICT_NEW_RUN) {
    gst_vfi_run_close (run);
    run->origin = frame->pts;
    run->nominal_base = frame->pts;
    run->place = 0;
    gst_vfi_slots_start (&run->slots, frame->pts, gst_vfi_run_is_reverse (run));
  } else if (gst_vfi_run_is_reverse (run)) {
    run->up_to_next = gst_util_uint64_scale (span, 1, steps);
  }
  if (frame->verdict == GST_VFI_VERDICT_NEXT)
    run->place += frame->places;
  if (gst_vfi_run_uses_grid (run))
    accept_on_grid (run, frame);
  forget_stand_ins (run);
  run->open = TRUE;
  run->frames++;
  run->pts = frame->pts;
  run->duration = frame->duration;
  run->claim = frame->claim;
  run->base_age = frame->from_rate;
  if (frame->from_rate == 0)
    run->base_pts = frame->pts;
}
