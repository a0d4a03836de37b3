/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies are counted from the reference on. */
#include "pure/stand_in.h"

#include "pure/time_math.h"

void
gst_vfi_run_set_stand_in (GstVfiRun *run, GstClockTime frame, GstClockTime max)
{
  run->stand_in_frame = frame;
  run->stand_in_max = max;
}

gboolean
gst_vfi_run_is_paced (const GstVfiRun *run, GstClockTime next)
{
  GstClockTime frame = run->stand_in_frame;
  gboolean too_far = run->rate_num > 0 && next - run->pts > frame + frame / 2;
  return frame > 0 && next > run->pts && (run->stand_ins > 0 || too_far);
}

GstClockTime
gst_vfi_run_stand_in_time (const GstVfiRun *run, guint64 index)
{
  return gst_vfi_time_add (run->pts,
      gst_util_uint64_scale (run->stand_in_frame, index, gst_vfi_run_steps (run)));
}

/* One that is as near to @until as a frame may be to its slot is no output of its own. */
guint64
gst_vfi_run_stand_ins_until (const GstVfiRun *run, GstClockTime until)
{
  GstClockTime snap = MIN (GST_VFI_SNAP, run->stand_in_frame / 16);
  if (until <= run->pts || until - run->pts <= snap)
    return 0;
  return gst_util_uint64_scale_ceil (
             until - run->pts - snap, gst_vfi_run_steps (run), run->stand_in_frame) -
         1;
}

gboolean
gst_vfi_run_is_taken (const GstVfiRun *run, GstClockTime pts)
{
  return GST_CLOCK_TIME_IS_VALID (run->taken_until) &&
         gst_vfi_time_add (pts, run->taken_slack) < run->taken_until;
}

gboolean
gst_vfi_run_is_overtaken (const GstVfiRun *run)
{
  gboolean has_place = !gst_vfi_run_uses_grid (run) || run->shown_slot != G_MAXUINT64;
  return has_place && gst_vfi_run_is_taken (run, run->pts);
}

gboolean
gst_vfi_run_fills (const GstVfiRun *run, GstClockTime closed_at)
{
  GstClockTime from = run->pts;
  if (GST_CLOCK_TIME_IS_VALID (run->taken_until))
    from = MAX (from, run->taken_until);
  return run->stand_in_frame > 0 && GST_CLOCK_TIME_IS_VALID (closed_at) &&
         closed_at > run->pts &&
         (closed_at <= from || closed_at - from <= run->stand_in_max);
}

void
gst_vfi_run_take_repeat (GstVfiRun *run, guint index, GstVfiSlot *slot)
{
  gst_vfi_run_take (run, slot);
  run->stand_ins = index;
  run->taken_until = run->last_end;
  run->taken_slack = slot->duration / 2;
}
