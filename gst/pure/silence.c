/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time in which outputs are shown is taken away from the events. */
#include "pure/silence.h"

#include "pure/place.h"
#include "pure/time_math.h"

/* Whether an event about the time from @start on says how long. */
static gboolean
has_end (GstClockTime duration)
{
  return GST_CLOCK_TIME_IS_VALID (duration) && duration > 0;
}

static GstClockTime
end_of (GstClockTime start, GstClockTime duration)
{
  return has_end (duration) ? gst_vfi_time_add (start, duration) : start;
}

gboolean
gst_vfi_run_gap_ends (const GstVfiRun *run, GstClockTime start, GstClockTime duration)
{
  GstClockTime max = gst_vfi_run_max_distance (run);
  GstClockTime end = end_of (start, duration);
  if (!run->open)
    return FALSE;
  /* Where nothing else is known about the stream, the event is what is known. */
  if (!gst_vfi_run_knows_interval (run))
    max = MIN (max, GST_VFI_MIN_AUTO_GAP);
  if (gst_vfi_run_is_reverse (run))
    return start < run->pts && run->pts - start > max;
  return end > run->pts && end - run->pts > max;
}

GstClockTime
gst_vfi_run_gap_closes_at (const GstVfiRun *run, GstClockTime start)
{
  if (start > run->pts || !GST_CLOCK_TIME_IS_VALID (run->duration))
    return start;
  return gst_vfi_time_add (run->pts, run->duration);
}

/* Up to where outputs reach, those between the reference and @next included. */
static GstClockTime
shown_until (const GstVfiRun *run, const GstVfiFrameTime *next)
{
  if (next != NULL &&
      (gst_vfi_run_uses_grid (run) || gst_vfi_run_pair_slots (run, next) > 1))
    return next->pts;
  if (GST_CLOCK_TIME_IS_VALID (run->last_end))
    return run->last_end;
  return GST_CLOCK_TIME_IS_VALID (run->last_out) ? run->last_out : 0;
}

gboolean
gst_vfi_run_clip_gap (const GstVfiRun *run, const GstVfiFrameTime *next,
    GstClockTime from, GstClockTime until, GstClockTime *start, GstClockTime *duration)
{
  if (gst_vfi_run_is_reverse (run)) {
    if (next != NULL)
      return FALSE;
    until = run->last_out;
  } else {
    from = MAX (from, shown_until (run, next));
    if (next != NULL)
      until = next->pts;
  }
  if (!has_end (*duration))
    return *start >= from && *start < until;
  from = MAX (from, *start);
  until = MIN (until, end_of (*start, *duration));
  if (from >= until)
    return FALSE;
  *start = from;
  *duration = until - from;
  return TRUE;
}
