/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which events stay where a flush or an error drops what was on its way: sticky ones that
 * upstream would not send again. Pure functions. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstVfiKeep: what stays.
 * @GST_VFI_KEEP_NOTHING: nothing; the stream stops
 * @GST_VFI_KEEP_OVER_FLUSH: sticky events that are no part of the stream's times: a new
 *     segment comes after a flush
 * @GST_VFI_KEEP_OVER_ERROR: sticky events, the segment too: an error of downstream may be
 *     mended, and nobody sends the segment again then
 */
typedef enum {
  GST_VFI_KEEP_NOTHING,
  GST_VFI_KEEP_OVER_FLUSH,
  GST_VFI_KEEP_OVER_ERROR,
} GstVfiKeep;

/* Whether @event stays. */
gboolean gst_vfi_keeps (GstVfiKeep keep, const GstEvent *event);

G_END_DECLS
