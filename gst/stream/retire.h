/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How outputs leave the pending list: pushed downstream, one by one from its head, or
 * dropped. Streaming thread only; no lock is held. */
#pragma once

#include "pure/kept_events.h"
#include "stream/state.h"

G_BEGIN_DECLS

GstVfiRetire *gst_vfi_retire_new (void);

/* Whether the oldest output can leave without waiting for frames or for the engine. */
gboolean gst_vfi_retire_is_ready (const GstVfiStream *stream);

/* Waits for the engine's part of the oldest output, which waits for no frames, and pushes
 * it. */
GstFlowReturn gst_vfi_retire_next (GstVfiStream *stream);

/* Pushes everything up to what waits for frames, unless the stream is closed. */
GstFlowReturn gst_vfi_retire_all (GstVfiStream *stream);

/* Drops buffers; events stay in their order. For a downstream that wants no more
 * frames. */
void gst_vfi_retire_drop_buffers (GstVfiStream *stream);

/* Cancels and drops everything; the src pad keeps the events that @keep says. */
void gst_vfi_retire_clear (GstVfiStream *stream, GstVfiKeep keep);

/* There are caps now: pushes the segment that came before them, if there is one. */
void gst_vfi_retire_push_early_segment (GstVfiStream *stream);

/* Forgets that segment. */
void gst_vfi_retire_drop_early_segment (GstVfiStream *stream);

G_END_DECLS
