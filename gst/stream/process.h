/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One item in stream order: what a buffer, an event or a query means for the run of
 * frames and for the outputs. Streaming thread only; no lock is held, unless a function
 * says otherwise. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

GstVfiProcess *gst_vfi_process_new (void);

/* Handles a buffer, a serialized event (both taken) or a query, whose answer is put in
 * *@answer. */
GstFlowReturn gst_vfi_process_item (
    GstVfiStream *stream, gpointer item, gboolean *answer);

/* Whether all that is pending has to leave before @item is handled. The lock may be
 * held. */
gboolean gst_vfi_process_needs_drain (GstVfiStream *stream, const GstMiniObject *item);

/* Ends the run: tail up to @closed_at, if @with_tail, and no reference any more. */
void gst_vfi_process_close_run (
    GstVfiStream *stream, gboolean with_tail, GstClockTime closed_at);

/* Forgets frames, times and outputs, after a flush or a stop. */
void gst_vfi_process_reset (GstVfiStream *stream);

G_END_DECLS
