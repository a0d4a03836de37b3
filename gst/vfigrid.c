/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times of a run from counters and 128-bit products (gst_util_uint64_scale), never from
 * summed durations: an hour of 60000/1001 frames ends on the nanosecond where it should. */
#include "vfigrid.h"

/* PTS + duration that stays below GST_CLOCK_TIME_NONE. */
static GstClockTime
add_time (GstClockTime time, GstClockTime more)
{
  return more >= GST_CLOCK_TIME_NONE - time ? GST_CLOCK_TIME_NONE - 1 : time + more;
}

/* Time of @frames frames at the input's rate, or NONE at a variable one. */
static GstClockTime
time_of_frames (const GstVfiRun *run, guint64 frames)
{
  if (run->rate_num == 0)
    return GST_CLOCK_TIME_NONE;
  return gst_util_uint64_scale (frames, run->rate_den * GST_SECOND, run->rate_num);
}

/* One frame at the input's rate behind @pts. Where @pts is on the rate's own grid from
 * @origin the next grid point counts, so that these durations sum to the span. */
static GstClockTime
nominal_duration (const GstVfiRun *run, GstClockTime origin, GstClockTime pts)
{
  if (run->rate_num == 0)
    return GST_CLOCK_TIME_NONE;
  GstClockTime rounded_down = time_of_frames (run, 1);
  if (pts < origin)
    return rounded_down;
  guint64 index = gst_util_uint64_scale_round (
      pts - origin, run->rate_num, run->rate_den * GST_SECOND);
  GstClockTimeDiff off_grid =
      GST_CLOCK_DIFF (pts, add_time (origin, time_of_frames (run, index)));
  if (ABS (off_grid) > 1)
    return rounded_down;
  return add_time (origin, time_of_frames (run, index + 1)) - pts;
}

static guint
run_multiplier (const GstVfiRun *run)
{
  return run->segment.rate < 0 ? 1 : run->multiplier;
}

void
gst_vfi_run_init (GstVfiRun *run)
{
  *run = (GstVfiRun){.rate_den = 1, .multiplier = 1};
  gst_vfi_run_reset (run);
}

void
gst_vfi_run_reset (GstVfiRun *run)
{
  gst_segment_init (&run->segment, GST_FORMAT_TIME);
  run->outputs = 0;
  run->base_pts = GST_CLOCK_TIME_NONE;
  run->base_age = 0;
  gst_vfi_run_close (run);
}

void
gst_vfi_run_set_segment (GstVfiRun *run, const GstSegment *segment)
{
  run->segment = *segment;
  run->base_pts = GST_CLOCK_TIME_NONE;
  run->base_age = 0;
}

void
gst_vfi_run_set_rate (GstVfiRun *run, gint num, gint den)
{
  gboolean constant = num > 0 && den > 0;
  if (run->base_age > 0) {
    /* Frames without PTS go on from the last frame of the old rate. */
    run->base_pts = add_time (run->base_pts, time_of_frames (run, run->base_age));
    run->base_age = 0;
  }
  run->rate_num = constant ? (guint64) num : 0;
  run->rate_den = constant ? (guint64) den : 1;
}

void
gst_vfi_run_set_multiplier (GstVfiRun *run, guint multiplier)
{
  run->multiplier = MAX (multiplier, 1);
}

void
gst_vfi_run_close (GstVfiRun *run)
{
  run->open = FALSE;
  run->origin = GST_CLOCK_TIME_NONE;
  run->pts = GST_CLOCK_TIME_NONE;
  run->duration = GST_CLOCK_TIME_NONE;
  run->last_out = GST_CLOCK_TIME_NONE;
  run->warned = FALSE;
}

/* Fills in the PTS that a buffer of a constant rate came without. */
static gboolean
derive_pts (const GstVfiRun *run, GstVfiFrameTime *frame)
{
  if (run->rate_num == 0 || run->segment.rate < 0)
    return FALSE;
  if (!GST_CLOCK_TIME_IS_VALID (run->base_pts)) {
    frame->pts = run->segment.start;
    return GST_CLOCK_TIME_IS_VALID (frame->pts);
  }
  frame->from_rate = run->base_age + 1;
  frame->pts = add_time (run->base_pts, time_of_frames (run, frame->from_rate));
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

gboolean
gst_vfi_run_observe (GstVfiRun *run, GstClockTime pts, GstClockTime duration,
    gboolean discont, GstVfiFrameTime *frame)
{
  *frame = (GstVfiFrameTime){.verdict = GST_VFI_VERDICT_NEXT, .pts = pts};
  if (!GST_CLOCK_TIME_IS_VALID (pts) && !derive_pts (run, frame))
    return drop (run, frame, GST_VFI_VERDICT_DROP_NO_PTS);

  gboolean reverse = run->segment.rate < 0;
  if (!run->open || discont || reverse) {
    frame->verdict = GST_VFI_VERDICT_NEW_RUN;
    frame->tail = run->open && !reverse && frame->pts > run->pts;
  } else if (frame->pts <= run->pts) {
    if (run->pts - frame->pts <= GST_VFI_BACKWARD_JUMP)
      return drop (run, frame, GST_VFI_VERDICT_DROP_NOT_LATER);
    frame->verdict = GST_VFI_VERDICT_NEW_RUN;
  }

  if (GST_CLOCK_TIME_IS_VALID (duration) && duration > 0) {
    frame->duration = duration;
  } else {
    GstClockTime origin =
        frame->verdict == GST_VFI_VERDICT_NEXT ? run->origin : frame->pts;
    frame->duration = nominal_duration (run, origin, frame->pts);
  }
  return TRUE;
}

void
gst_vfi_run_accept (GstVfiRun *run, const GstVfiFrameTime *frame)
{
  if (frame->verdict == GST_VFI_VERDICT_NEW_RUN) {
    gst_vfi_run_close (run);
    run->open = TRUE;
    run->origin = frame->pts;
  }
  run->pts = frame->pts;
  run->duration = frame->duration;
  run->base_age = frame->from_rate;
  if (frame->from_rate == 0)
    run->base_pts = frame->pts;
}

guint64
gst_vfi_run_pair_slots (const GstVfiRun *run, const GstVfiFrameTime *next)
{
  return next->verdict == GST_VFI_VERDICT_NEXT ? run_multiplier (run) : 1;
}

/* Whether an output that is made (not an original) may go out. */
static gboolean
is_shown (const GstVfiRun *run, const GstVfiSlot *slot)
{
  if (slot->duration == 0)
    return FALSE;
  if (GST_CLOCK_TIME_IS_VALID (run->last_out) && slot->pts <= run->last_out)
    return FALSE;
  if (GST_CLOCK_TIME_IS_VALID (run->segment.start) && slot->pts < run->segment.start)
    return FALSE;
  return !GST_CLOCK_TIME_IS_VALID (run->segment.stop) || slot->pts < run->segment.stop;
}

gboolean
gst_vfi_run_pair_slot (
    const GstVfiRun *run, const GstVfiFrameTime *next, guint64 index, GstVfiSlot *slot)
{
  guint64 steps = gst_vfi_run_pair_slots (run, next);
  g_return_val_if_fail (run->open && index >= 1 && index < steps, FALSE);
  GstClockTime span = next->pts - run->pts;
  GstClockTime begin = gst_util_uint64_scale (span, index, steps);
  GstClockTime end = gst_util_uint64_scale (span, index + 1, steps);
  *slot = (GstVfiSlot){
      .pts = run->pts + begin,
      .duration = end - begin,
      .phase_num = index,
      .phase_den = steps,
  };
  return is_shown (run, slot);
}

gboolean
gst_vfi_run_original_slot (const GstVfiRun *run, GstVfiSlot *slot)
{
  g_return_val_if_fail (run->open, FALSE);
  *slot = (GstVfiSlot){.pts = run->pts, .duration = run->duration, .phase_den = 1};
  GstClockTime end = run->pts;
  if (GST_CLOCK_TIME_IS_VALID (run->duration)) {
    slot->duration = gst_util_uint64_scale (run->duration, 1, run_multiplier (run));
    end = add_time (run->pts, run->duration);
  }
  const GstSegment *segment = &run->segment;
  if (GST_CLOCK_TIME_IS_VALID (segment->start) && run->pts < segment->start &&
      end <= segment->start)
    return FALSE;
  return !GST_CLOCK_TIME_IS_VALID (segment->stop) || run->pts < segment->stop;
}

void
gst_vfi_run_plan_tail (
    const GstVfiRun *run, GstVfiTail tail, GstClockTime closed_at, GstVfiTailPlan *plan)
{
  *plan = (GstVfiTailPlan){.end = GST_CLOCK_TIME_NONE, .gap_pts = GST_CLOCK_TIME_NONE};
  if (!run->open || !GST_CLOCK_TIME_IS_VALID (run->duration))
    return;
  plan->end = add_time (run->pts, run->duration);
  if (GST_CLOCK_TIME_IS_VALID (closed_at))
    plan->end = MIN (plan->end, closed_at);
  if (GST_CLOCK_TIME_IS_VALID (run->segment.stop))
    plan->end = MIN (plan->end, run->segment.stop);

  guint steps = run_multiplier (run);
  if (tail == GST_VFI_TAIL_DUPLICATE) {
    plan->copies = steps - 1;
  } else if (tail == GST_VFI_TAIL_HOLD && steps > 1) {
    GstClockTime pushed =
        add_time (run->pts, gst_util_uint64_scale (run->duration, 1, steps));
    if (pushed < plan->end) {
      plan->gap_pts = pushed;
      plan->gap_duration = plan->end - pushed;
    }
  }
}

gboolean
gst_vfi_run_tail_slot (
    const GstVfiRun *run, const GstVfiTailPlan *plan, guint index, GstVfiSlot *slot)
{
  guint steps = run_multiplier (run);
  g_return_val_if_fail (run->open && index >= 1 && index <= plan->copies, FALSE);
  GstClockTime begin =
      add_time (run->pts, gst_util_uint64_scale (run->duration, index, steps));
  GstClockTime end =
      add_time (run->pts, gst_util_uint64_scale (run->duration, index + 1, steps));
  end = MIN (end, plan->end);
  if (begin >= end)
    return FALSE;
  *slot = (GstVfiSlot){.pts = begin, .duration = end - begin, .phase_den = 1};
  return is_shown (run, slot);
}

void
gst_vfi_run_take (GstVfiRun *run, GstVfiSlot *slot)
{
  slot->offset = run->outputs++;
  slot->discont = !GST_CLOCK_TIME_IS_VALID (run->last_out);
  run->last_out = slot->pts;
}

void
gst_vfi_slot_stamp (const GstVfiSlot *slot, GstBuffer *buffer)
{
  GST_BUFFER_PTS (buffer) = slot->pts;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (buffer) = slot->duration;
  GST_BUFFER_OFFSET (buffer) = slot->offset;
  GST_BUFFER_OFFSET_END (buffer) = slot->offset + 1;
  if (slot->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  else
    GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_DISCONT);
}

gdouble
gst_vfi_slot_phase (const GstVfiSlot *slot)
{
  return (gdouble) slot->phase_num / (gdouble) slot->phase_den;
}
