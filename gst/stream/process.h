/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One item in stream order: what a buffer, an event or a query means for the run of frames
 * and for the outputs. Streaming thread only. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

gboolean gst_vfi_process_needs_drain (GstVfiStream *stream, const GstMiniObject *item);
GstFlowReturn gst_vfi_process_buffer (GstVfiStream *stream, GstBuffer *buffer);
GstFlowReturn gst_vfi_process_event (GstVfiStream *stream, GstEvent *event);
gboolean gst_vfi_process_query (GstVfiStream *stream, GstQuery *query);

/* Forgets frames, times and outputs, after a flush or a stop. */
void gst_vfi_process_reset (GstVfiStream *stream);

/* Ends the run: tail up to @closed_at, if @with_tail, and no reference any more. */
void gst_vfi_process_close_run (
    GstVfiStream *stream, gboolean with_tail, GstClockTime closed_at);

G_END_DECLS
