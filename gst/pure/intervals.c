/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last few distances of frames. */
#include "pure/intervals.h"

#include "pure/time_math.h"

/* Intervals that differ by less than this part are alike. */
#define ALIKE 8

void
gst_vfi_intervals_add (GstVfiIntervals *intervals, GstClockTime interval)
{
  intervals->recent[intervals->next] = interval;
  intervals->next = (intervals->next + 1) % GST_VFI_INTERVALS_SIZE;
  intervals->count = MIN (intervals->count + 1, GST_VFI_INTERVALS_SIZE);
}

GstClockTime
gst_vfi_intervals_usual (const GstVfiIntervals *intervals)
{
  for (guint i = 0; i < intervals->count; i++) {
    guint below = 0, equal = 0;
    for (guint j = 0; j < intervals->count; j++) {
      below += intervals->recent[j] < intervals->recent[i];
      equal += intervals->recent[j] == intervals->recent[i];
    }
    guint middle = (intervals->count - 1) / 2;
    if (below <= middle && middle < below + equal)
      return intervals->recent[i];
  }
  return GST_CLOCK_TIME_NONE;
}

/* The interval @age intervals ago. */
static GstClockTime
past (const GstVfiIntervals *intervals, guint age)
{
  guint place = intervals->next + GST_VFI_INTERVALS_SIZE - 1 - age;
  return intervals->recent[place % GST_VFI_INTERVALS_SIZE];
}

GstClockTime
gst_vfi_intervals_steady (const GstVfiIntervals *intervals)
{
  if (intervals->count < 2 ||
      !gst_vfi_intervals_are_alike (past (intervals, 0), past (intervals, 1), 0))
    return GST_CLOCK_TIME_NONE;
  return past (intervals, 0);
}

gboolean
gst_vfi_intervals_are_alike (GstClockTime a, GstClockTime b, GstClockTime rounding)
{
  return gst_vfi_time_distance (a, b) <= MAX (rounding, MAX (a, b) / ALIKE);
}
