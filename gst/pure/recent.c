/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recent times: a ring, its weighted mean and its percentiles (nearest rank). */
#include "pure/recent.h"

#include <stdlib.h>
#include <string.h>

#define MEAN_WEIGHT 4

void
gst_vfi_recent_clear (GstVfiRecent *recent)
{
  *recent = (GstVfiRecent){0};
}

void
gst_vfi_recent_add (GstVfiRecent *recent, GstClockTime time)
{
  if (!GST_CLOCK_TIME_IS_VALID (time))
    return;
  time = MIN (time, GST_VFI_RECENT_MAX);
  if (recent->n_times == 0)
    recent->mean = time;
  else
    recent->mean = (recent->mean * (MEAN_WEIGHT - 1) + time) / MEAN_WEIGHT;
  recent->times[recent->next] = time;
  recent->next = (recent->next + 1) % GST_VFI_RECENT_SIZE;
  recent->n_times = MIN (recent->n_times + 1, GST_VFI_RECENT_SIZE);
}

GstClockTime
gst_vfi_recent_mean (const GstVfiRecent *recent)
{
  return recent->n_times == 0 ? GST_CLOCK_TIME_NONE : recent->mean;
}

static int
compare_times (const void *a, const void *b)
{
  GstClockTime x = *(const GstClockTime *) a, y = *(const GstClockTime *) b;

  return (x > y) - (x < y);
}

GstClockTime
gst_vfi_recent_percentile (const GstVfiRecent *recent, guint percent)
{
  GstClockTime sorted[GST_VFI_RECENT_SIZE];

  if (recent->n_times == 0)
    return GST_CLOCK_TIME_NONE;
  memcpy (sorted, recent->times, recent->n_times * sizeof *sorted);
  qsort (sorted, recent->n_times, sizeof *sorted, compare_times);
  return sorted[(recent->n_times * percent + 99) / 100 - 1];
}

GstClockTime
gst_vfi_recent_p95 (const GstVfiRecent *recent)
{
  return gst_vfi_recent_percentile (recent, 95);
}

GstClockTime
gst_vfi_recent_usual (const GstVfiRecent *recent)
{
  GstClockTime sorted[GST_VFI_RECENT_FEW];
  guint n = MIN (recent->n_times, GST_VFI_RECENT_FEW);

  if (n == 0)
    return GST_CLOCK_TIME_NONE;
  for (guint i = 0; i < n; i++)
    sorted[i] =
        recent->times[(recent->next + GST_VFI_RECENT_SIZE - 1 - i) % GST_VFI_RECENT_SIZE];
  qsort (sorted, n, sizeof *sorted, compare_times);
  return sorted[n / 2];
}
