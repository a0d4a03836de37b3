/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pure/view_order.h"

gboolean
gst_vfi_view_order (const GstVfiViewShape *shape, guint n_earlier, guint n_later,
    guint order[GST_VFI_MAX_VIEW_FRAMES])
{
  guint n_frames = gst_vfi_view_shape_frames (shape);
  guint missing = gst_vfi_view_shape_earlier (shape) - n_earlier;
  guint last = n_earlier + 1 + n_later;
  gboolean repeats = FALSE;

  for (guint arrival = 0; arrival < n_frames; arrival++) {
    guint place = shape->reverse ? n_frames - 1 - arrival : arrival;
    guint wanted = MAX (arrival, missing) - missing;
    order[place] = MIN (wanted, last);
    repeats = repeats || arrival < missing || wanted > last;
  }
  return repeats;
}
