/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pure/kept_events.h"

gboolean
gst_vfi_keeps (GstVfiKeep keep, const GstEvent *event)
{
  if (!GST_EVENT_IS_STICKY (event) || GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    return FALSE;
  switch (keep) {
    case GST_VFI_KEEP_NOTHING:
      break;
    case GST_VFI_KEEP_OVER_FLUSH:
      return GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT;
    case GST_VFI_KEEP_OVER_ERROR:
      return TRUE;
  }
  return FALSE;
}
