/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the stream tells about itself: the `stats` structure, and every so many pairs a
 * message and a line in the log. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/* The `stats` structure as of now. @model may be NULL. Any thread. */
GstStructure *gst_vfi_report_stats (GstVfiStream *stream, VfiModel *model);

/* A pair has gone out. Streaming thread; no lock is held. */
void gst_vfi_report_pair (GstVfiStream *stream);

G_END_DECLS
