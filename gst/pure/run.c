/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The run's times come from counters and 128-bit products (gst_util_uint64_scale), never
 * from summed durations: an hour of 60000/1001 frames ends on the nanosecond where it
 * should. */
#include "pure/run.h"

#include "pure/time_math.h"

GstClockTime
gst_vfi_run_time_of_frames (const GstVfiRun *run, guint64 frames)
{
  if (run->rate_num == 0)
    return GST_CLOCK_TIME_NONE;
  return gst_util_uint64_scale (frames, run->rate_den * GST_SECOND, run->rate_num);
}

gboolean
gst_vfi_segment_is_key_units (const GstSegment *segment)
{
  return (segment->flags & GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS) != 0;
}

gboolean
gst_vfi_run_uses_grid (const GstVfiRun *run)
{
  return run->slots.num > 0 && !gst_vfi_segment_is_key_units (&run->segment);
}

guint
gst_vfi_run_steps (const GstVfiRun *run)
{
  return gst_vfi_segment_is_key_units (&run->segment) ? 1 : run->multiplier;
}

/* How far apart frames usually are: @said, if that is valid, or the distance that was
 * seen, whichever is longer. */
static GstClockTime
usual_interval (const GstVfiRun *run, GstClockTime said)
{
  GstClockTime seen = gst_vfi_intervals_usual (&run->intervals);
  if (!GST_CLOCK_TIME_IS_VALID (said))
    return seen;
  /* One interval alone may be a gap. */
  return run->intervals.count > 1 ? MAX (said, seen) : said;
}

/* What the caps say, or the reference. */
static GstClockTime
said_interval (const GstVfiRun *run)
{
  return run->rate_num > 0 ? gst_vfi_run_time_of_frames (run, 1) : run->duration;
}

gboolean
gst_vfi_run_knows_interval (const GstVfiRun *run)
{
  return run->max_gap > 0 ||
         GST_CLOCK_TIME_IS_VALID (usual_interval (run, said_interval (run)));
}

/* The time above which there is a gap, where a frame is said to take @said or NONE. */
static GstClockTime
min_gap (const GstVfiRun *run, GstClockTime said)
{
  if (gst_vfi_segment_is_key_units (&run->segment))
    return GST_CLOCK_TIME_NONE;
  if (run->max_gap > 0)
    return run->max_gap;
  GstClockTime frame = usual_interval (run, said);
  if (!GST_CLOCK_TIME_IS_VALID (frame))
    return GST_VFI_FIRST_AUTO_GAP;
  return MAX (GST_VFI_MIN_AUTO_GAP, gst_util_uint64_scale (frame, 4, 1));
}

GstClockTime
gst_vfi_run_max_distance (const GstVfiRun *run)
{
  return min_gap (run, said_interval (run));
}

GstClockTime
gst_vfi_run_max_tail (const GstVfiRun *run)
{
  if (run->rate_num == 0)
    return min_gap (run, GST_CLOCK_TIME_NONE);
  /* A frame's own time is no gap, whatever max-gap is; durations may be rounded up. */
  return MAX (min_gap (run, gst_vfi_run_time_of_frames (run, 1)),
      gst_vfi_run_time_of_frames (run, 2));
}

GstClockTime
gst_vfi_run_snap_tolerance (const GstVfiRun *run, GstClockTime frame)
{
  if (run->rate_num > 0)
    frame = gst_vfi_run_time_of_frames (run, 1);
  return GST_CLOCK_TIME_IS_VALID (frame) ? MIN (GST_VFI_SNAP, frame / 16) : 0;
}

void
gst_vfi_run_take (GstVfiRun *run, GstVfiSlot *slot)
{
  slot->offset = run->outputs++;
  slot->discont = !GST_CLOCK_TIME_IS_VALID (run->last_out);
  run->last_out = slot->pts;
  run->last_end = GST_CLOCK_TIME_NONE;
  if (GST_CLOCK_TIME_IS_VALID (slot->duration))
    run->last_end = gst_vfi_time_add (slot->pts, slot->duration);
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
