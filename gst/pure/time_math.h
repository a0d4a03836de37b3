/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times that saturate below GST_CLOCK_TIME_NONE instead of wrapping. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_VFI_TIME_MAX (GST_CLOCK_TIME_NONE - 1)

static inline GstClockTime
gst_vfi_time_add (GstClockTime time, GstClockTime more)
{
  return more >= GST_CLOCK_TIME_NONE - time ? GST_VFI_TIME_MAX : time + more;
}

static inline GstClockTime
gst_vfi_time_times (GstClockTime time, guint64 factor)
{
  return factor != 0 && time > GST_VFI_TIME_MAX / factor ? GST_VFI_TIME_MAX
                                                         : time * factor;
}

/* From one time to another, in whatever order they are. */
static inline GstClockTime
gst_vfi_time_distance (GstClockTime a, GstClockTime b)
{
  return a > b ? a - b : b - a;
}

G_END_DECLS
