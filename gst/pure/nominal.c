/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places are counted from where the rate began to count, so that no rounding adds up. */
#include "pure/nominal.h"

#include "pure/time_math.h"

/* How far a container that counts milliseconds may move the distance of two frames. */
#define TICK (1001 * GST_USECOND)

gboolean
gst_vfi_run_is_nominal (const GstVfiRun *run)
{
  return run->constant_num > 0 && run->rate_num > 0 && !run->departed &&
         !gst_vfi_segment_is_key_units (&run->segment);
}

/* How far from its place a frame may be: as a frame from its slot, but at high rates not
 * less than containers need. */
static GstClockTime
tolerance (const GstVfiRun *run)
{
  GstClockTime frame = gst_vfi_run_time_of_frames (run, 1);
  return MIN (GST_VFI_SNAP, MAX (frame / 16, MIN (TICK, frame / 2)));
}

static gboolean
is_place (const GstVfiRun *run, GstClockTime offset, guint64 index)
{
  return gst_vfi_time_distance (offset, gst_vfi_run_time_of_frames (run, index)) <=
         tolerance (run);
}

gboolean
gst_vfi_run_find_place (const GstVfiRun *run, GstClockTime pts, guint64 *index)
{
  gboolean reverse = gst_vfi_run_is_reverse (run);
  if (reverse ? pts > run->nominal_base : pts < run->nominal_base)
    return FALSE;
  GstClockTime offset = gst_vfi_time_distance (pts, run->nominal_base);
  *index = run->place + 1;
  if (!is_place (run, offset, *index))
    *index =
        gst_util_uint64_scale_round (offset, run->rate_num, run->rate_den * GST_SECOND);
  return *index > run->place && is_place (run, offset, *index);
}

void
gst_vfi_run_constant_slots (const GstVfiRun *run, GstVfiSlots *slots)
{
  gboolean reverse = gst_vfi_run_is_reverse (run);
  GstClockTime offset = gst_vfi_run_time_of_frames (run, run->place);
  GstClockTime place = reverse ? run->nominal_base - MIN (offset, run->nominal_base)
                               : gst_vfi_time_add (run->nominal_base, offset);
  slots->num = run->constant_num;
  slots->den = run->constant_den;
  gst_vfi_slots_start (slots, place, reverse);
  slots->next = 1;
}

void
gst_vfi_run_depart (GstVfiRun *run)
{
  gst_vfi_run_constant_slots (run, &run->slots);
  run->departed = TRUE;
  run->departs = TRUE;
}

gboolean
gst_vfi_run_lasts_a_frame (const GstVfiRun *run)
{
  return !gst_vfi_run_is_nominal (run) ||
         gst_vfi_time_distance (run->duration, gst_vfi_run_time_of_frames (run, 1)) <=
             tolerance (run);
}

/* The grid that stands in for multiplying ends. */
void
gst_vfi_run_return (GstVfiRun *run)
{
  if (!run->departed)
    return;
  run->departed = FALSE;
  run->slots.num = 0;
  run->slots.den = 1;
}

void
gst_vfi_run_set_constant (GstVfiRun *run, gint num, gint den)
{
  gboolean constant = num > 0 && den > 0;
  guint64 rate_num = constant ? (guint64) num : 0;
  guint64 rate_den = constant ? (guint64) den : 1;
  if (run->constant_num * rate_den == rate_num * run->constant_den)
    return;
  if (!constant)
    gst_vfi_run_return (run);
  else if (run->departed)
    gst_vfi_slots_change_rate (&run->slots, rate_num, rate_den);
  if (run->constant_num == 0) {
    run->nominal_base = run->pts;
    run->place = 0;
  }
  run->constant_num = rate_num;
  run->constant_den = rate_den;
  run->departs = run->departed;
}
