/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pure/progress.h"

static gboolean
is_complete (const GstVfiProgress *progress)
{
  return progress->part >= 1.0 && progress->round == progress->rounds;
}

gboolean
gst_vfi_progress_is_due (const GstVfiProgress *told, const GstVfiProgress *now)
{
  gboolean is_more = now->part > told->part || now->round > told->round;

  if (now->rounds == 0 || !is_more)
    return FALSE;
  return told->rounds == 0 || is_complete (now) ||
         now->elapsed >= told->elapsed + GST_VFI_PROGRESS_INTERVAL;
}

GstClockTime
gst_vfi_progress_time_left (const GstVfiProgress *progress)
{
  if (progress->part <= 0.0)
    return GST_CLOCK_TIME_NONE;
  return (GstClockTime) ((gdouble) progress->elapsed * (1.0 - progress->part) /
                         progress->part);
}
