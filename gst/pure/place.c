/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots by the pair's frames, by the grid or by copies that set the pace. */
#include "pure/place.h"

#include "pure/nominal.h"
#include "pure/stand_in.h"
#include "pure/time_math.h"

/* The reference as an output without a grid. */
static GstVfiSlot
own_slot (const GstVfiRun *run)
{
  GstVfiSlot slot = {.pts = run->pts, .duration = run->duration, .phase_den = 1};
  if (GST_CLOCK_TIME_IS_VALID (run->up_to_next)) {
    slot.duration = run->up_to_next;
  } else if (GST_CLOCK_TIME_IS_VALID (run->duration) && !gst_vfi_run_is_reverse (run)) {
    if (!gst_vfi_run_lasts_a_frame (run))
      slot.duration = gst_vfi_run_time_of_frames (run, 1);
    slot.duration = gst_util_uint64_scale (slot.duration, 1, gst_vfi_run_steps (run));
  }
  return slot;
}

guint64
gst_vfi_run_slots_until (
    const GstVfiRun *run, const GstVfiFrameTime *next, gboolean *snaps)
{
  GstClockTime step = run->open ? gst_vfi_time_distance (run->pts, next->pts) : 0;
  return gst_vfi_slots_until (
      &run->slots, next->pts, gst_vfi_run_snap_tolerance (run, step), snaps);
}

/* Outputs of a pair without a grid, its first frame included. */
static guint64
pair_steps (const GstVfiRun *run, const GstVfiFrameTime *next)
{
  if (gst_vfi_run_is_paced (run, next->pts))
    return gst_vfi_run_stand_ins_until (run, next->pts) + 1;
  return gst_vfi_run_steps (run) * next->places;
}

guint64
gst_vfi_run_pair_slots (const GstVfiRun *run, const GstVfiFrameTime *next)
{
  gboolean snaps;
  if (next->verdict != GST_VFI_VERDICT_NEXT)
    return 1;
  if (gst_vfi_run_uses_grid (run))
    return gst_vfi_run_slots_until (run, next, &snaps) - run->slots.next + 1;
  return pair_steps (run, next);
}

/* Whether some of the time from @pts to @end is inside the segment. */
static gboolean
is_inside (const GstSegment *segment, GstClockTime pts, GstClockTime end)
{
  if (GST_CLOCK_TIME_IS_VALID (segment->start) && pts < segment->start &&
      end <= segment->start)
    return FALSE;
  return !GST_CLOCK_TIME_IS_VALID (segment->stop) || pts < segment->stop;
}

/* Whether an output is after the run's last one, in the order of play. */
static gboolean
is_new (const GstVfiRun *run, GstClockTime pts)
{
  if (gst_vfi_run_is_taken (run, pts))
    return FALSE;
  if (!GST_CLOCK_TIME_IS_VALID (run->last_out))
    return TRUE;
  return gst_vfi_run_is_reverse (run) ? pts < run->last_out : pts > run->last_out;
}

/* Whether an output that is made (not an original) may go out. */
static gboolean
is_shown (const GstVfiRun *run, const GstVfiSlot *slot)
{
  return slot->duration > 0 && is_new (run, slot->pts) &&
         is_inside (&run->segment, slot->pts, slot->pts);
}

/* Output @index of the pair without a grid. */
static void
multiply_slot (
    const GstVfiRun *run, const GstVfiFrameTime *next, guint64 index, GstVfiSlot *slot)
{
  guint64 steps = pair_steps (run, next);
  GstClockTime first = MIN (run->pts, next->pts);
  GstClockTime span = gst_vfi_time_distance (run->pts, next->pts);
  guint64 step = gst_vfi_run_is_reverse (run) ? steps - index : index;
  GstClockTime begin = gst_util_uint64_scale (span, step, steps);
  GstClockTime end = gst_util_uint64_scale (span, step + 1, steps);
  slot->pts = first + begin;
  slot->duration = end - begin;
  slot->phase_num = step;
  slot->phase_den = steps;
}

/* Output @index of a pair whose first outputs were copies, which set the pace. */
static void
paced_slot (
    const GstVfiRun *run, const GstVfiFrameTime *next, guint64 index, GstVfiSlot *slot)
{
  GstClockTime end = next->pts;
  slot->pts = gst_vfi_run_stand_in_time (run, index);
  if (index + 1 < pair_steps (run, next))
    end = gst_vfi_run_stand_in_time (run, index + 1);
  slot->duration = end - slot->pts;
  gst_vfi_slots_phase (
      slot->pts - run->pts, next->pts - run->pts, &slot->phase_num, &slot->phase_den);
}

/* Slot @number of the grid, which lies in the pair. After a change of the rate it may be
 * where the reference is. */
static void
grid_slot (
    const GstVfiRun *run, const GstVfiFrameTime *next, guint64 number, GstVfiSlot *slot)
{
  GstClockTime first = MIN (run->pts, next->pts);
  GstClockTime span = gst_vfi_time_distance (run->pts, next->pts);
  slot->pts = gst_vfi_slots_time (&run->slots, number);
  slot->duration = gst_vfi_slots_duration (&run->slots, number);
  if (slot->pts > first && slot->pts - first < span)
    gst_vfi_slots_phase (slot->pts - first, span, &slot->phase_num, &slot->phase_den);
  else
    slot->kind = GST_VFI_SLOT_DUPLICATE;
}

gboolean
gst_vfi_run_pair_slot (
    const GstVfiRun *run, const GstVfiFrameTime *next, guint64 index, GstVfiSlot *slot)
{
  g_return_val_if_fail (run->open && index >= 1, FALSE);
  g_return_val_if_fail (index < gst_vfi_run_pair_slots (run, next), FALSE);
  *slot = (GstVfiSlot){.kind = GST_VFI_SLOT_IN_BETWEEN, .phase_den = 1};
  if (gst_vfi_run_uses_grid (run))
    grid_slot (run, next, run->slots.next + index - 1, slot);
  else if (gst_vfi_run_is_paced (run, next->pts))
    paced_slot (run, next, index, slot);
  else
    multiply_slot (run, next, index, slot);
  if (run->repeat) {
    slot->kind = GST_VFI_SLOT_DUPLICATE;
    slot->phase_num = 0;
    slot->phase_den = 1;
  }
  return is_shown (run, slot);
}

static gboolean
original_on_grid (const GstVfiRun *run, GstVfiSlot *slot)
{
  *slot = (GstVfiSlot){.pts = run->pts, .phase_den = 1};
  if (run->shown_slot == G_MAXUINT64)
    return FALSE;
  slot->pts = gst_vfi_slots_time (&run->slots, run->shown_slot);
  slot->duration = gst_vfi_slots_duration (&run->slots, run->shown_slot);
  gboolean first = run->shown_slot == 0 && !GST_CLOCK_TIME_IS_VALID (run->slots.before);
  if (gst_vfi_run_is_reverse (run) && first && GST_CLOCK_TIME_IS_VALID (run->duration))
    slot->duration = run->duration;
  return is_new (run, slot->pts) && is_inside (&run->segment, slot->pts,
                                        gst_vfi_time_add (slot->pts, slot->duration));
}

gboolean
gst_vfi_run_original_slot (const GstVfiRun *run, GstVfiSlot *slot)
{
  g_return_val_if_fail (run->open, FALSE);
  if (gst_vfi_run_uses_grid (run))
    return original_on_grid (run, slot);
  *slot = own_slot (run);
  GstClockTime end = run->pts;
  if (GST_CLOCK_TIME_IS_VALID (run->duration))
    end = gst_vfi_time_add (run->pts, run->duration);
  return is_new (run, run->pts) && is_inside (&run->segment, run->pts, end);
}

/* The grid that copies after the reference are on; FALSE without one. A frame that is
 * shown for longer than the caps say departs from them, though none follows it. */
static gboolean
tail_grid (const GstVfiRun *run, GstVfiSlots *slots)
{
  *slots = run->slots;
  if (gst_vfi_run_uses_grid (run))
    return TRUE;
  if (gst_vfi_run_lasts_a_frame (run))
    return FALSE;
  gst_vfi_run_constant_slots (run, slots);
  return TRUE;
}

/* Fills in copies. Returns, for hold, the time from which the reference is not shown any
 * more. */
static GstClockTime
plan_grid_tail (const GstVfiRun *run, const GstVfiSlots *slots, GstVfiTailPlan *plan)
{
  gboolean snaps;
  guint64 until = gst_vfi_slots_until (
      slots, plan->end, gst_vfi_run_snap_tolerance (run, run->duration), &snaps);
  plan->copies = (guint) MIN (until - slots->next, G_MAXUINT);
  return plan->copies > 0 ? gst_vfi_slots_time (slots, slots->next) : plan->end;
}

static GstClockTime
plan_multiply_tail (const GstVfiRun *run, GstVfiTailPlan *plan)
{
  if (plan->fills) {
    plan->copies = (guint) MIN (gst_vfi_run_stand_ins_until (run, plan->end), G_MAXUINT);
    return plan->end;
  }
  plan->copies = gst_vfi_run_steps (run) - 1;
  return gst_vfi_time_add (
      run->pts, gst_util_uint64_scale (run->duration, 1, gst_vfi_run_steps (run)));
}

void
gst_vfi_run_plan_tail (
    const GstVfiRun *run, GstVfiTail tail, GstClockTime closed_at, GstVfiTailPlan *plan)
{
  *plan = (GstVfiTailPlan){.end = GST_CLOCK_TIME_NONE, .gap_pts = GST_CLOCK_TIME_NONE};
  if (!run->open || gst_vfi_run_is_reverse (run))
    return;
  gboolean gap = GST_CLOCK_TIME_IS_VALID (closed_at) && closed_at > run->pts &&
                 closed_at - run->pts > gst_vfi_run_max_distance (run);
  GstClockTime silent_from = run->pts;
  plan->fills = gst_vfi_run_fills (run, closed_at);
  if (GST_CLOCK_TIME_IS_VALID (run->duration) || plan->fills) {
    plan->end = closed_at;
    if (!plan->fills)
      plan->end = MIN (gst_vfi_time_add (run->pts, run->duration), closed_at);
    plan->end = MIN (plan->end, run->segment.stop);
    if (tail == GST_VFI_TAIL_DUPLICATE &&
        plan->end > gst_vfi_time_add (run->pts, gst_vfi_run_max_tail (run)))
      tail = GST_VFI_TAIL_HOLD;
    GstVfiSlots slots;
    GstClockTime pushed = tail_grid (run, &slots) ? plan_grid_tail (run, &slots, plan)
                                                  : plan_multiply_tail (run, plan);
    silent_from = tail == GST_VFI_TAIL_HOLD ? MIN (pushed, plan->end) : plan->end;
    if (tail != GST_VFI_TAIL_DUPLICATE && !plan->fills)
      plan->copies = 0;
    if (plan->fills)
      silent_from = plan->end;
  }
  /* Not the time of an output that is still shown. */
  if (GST_CLOCK_TIME_IS_VALID (run->taken_until))
    silent_from = MAX (silent_from, run->taken_until);
  if (GST_CLOCK_TIME_IS_VALID (run->last_end))
    silent_from = MAX (silent_from, run->last_end);
  GstClockTime silent_until = gap ? closed_at : plan->end;
  if (GST_CLOCK_TIME_IS_VALID (run->segment.start))
    silent_from = MAX (silent_from, run->segment.start);
  silent_until = MIN (silent_until, run->segment.stop);
  if (GST_CLOCK_TIME_IS_VALID (silent_until) && silent_from < silent_until) {
    plan->gap_pts = silent_from;
    plan->gap_duration = silent_until - silent_from;
  }
}

gboolean
gst_vfi_run_tail_slot (
    const GstVfiRun *run, const GstVfiTailPlan *plan, guint index, GstVfiSlot *slot)
{
  g_return_val_if_fail (run->open && index >= 1 && index <= plan->copies, FALSE);
  GstClockTime begin, end;
  GstVfiSlots slots;
  if (tail_grid (run, &slots)) {
    guint64 number = slots.next + index - 1;
    begin = gst_vfi_slots_time (&slots, number);
    end = index < plan->copies ? gst_vfi_slots_time (&slots, number + 1) : plan->end;
  } else if (plan->fills) {
    begin = gst_vfi_run_stand_in_time (run, index);
    end = index < plan->copies ? gst_vfi_run_stand_in_time (run, index + 1) : plan->end;
  } else {
    guint steps = gst_vfi_run_steps (run);
    begin =
        gst_vfi_time_add (run->pts, gst_util_uint64_scale (run->duration, index, steps));
    end = gst_vfi_time_add (
        run->pts, gst_util_uint64_scale (run->duration, index + 1, steps));
    end = MIN (end, plan->end);
  }
  *slot = (GstVfiSlot){.kind = GST_VFI_SLOT_DUPLICATE,
      .pts = begin,
      .duration = begin < end ? end - begin : 0,
      .phase_den = 1};
  return is_shown (run, slot);
}

gboolean
gst_vfi_run_repeat_slot (const GstVfiRun *run, guint index, GstVfiSlot *slot)
{
  guint64 number = run->slots.next + index - 1;
  *slot = (GstVfiSlot){.kind = GST_VFI_SLOT_DUPLICATE, .phase_den = 1};
  if (gst_vfi_run_uses_grid (run)) {
    slot->pts = gst_vfi_slots_time (&run->slots, number);
    slot->duration = gst_vfi_slots_duration (&run->slots, number);
  } else {
    slot->pts = gst_vfi_run_stand_in_time (run, index);
    slot->duration = gst_vfi_run_stand_in_time (run, (guint64) index + 1) - slot->pts;
  }
  return is_shown (run, slot);
}
