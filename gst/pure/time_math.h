/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums and multiples of times that saturate below GST_CLOCK_TIME_NONE. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_VFI_TIME_LONGEST (GST_CLOCK_TIME_NONE - 1)

static inline GstClockTime
gst_vfi_time_add (GstClockTime time, GstClockTime more)
{
  return more > GST_VFI_TIME_LONGEST - time ? GST_VFI_TIME_LONGEST : time + more;
}

static inline GstClockTime
gst_vfi_time_times (GstClockTime time, guint64 factor)
{
  return factor != 0 && time > GST_VFI_TIME_LONGEST / factor ? GST_VFI_TIME_LONGEST
                                                             : time * factor;
}

G_END_DECLS
