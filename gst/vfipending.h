/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outputs in stream order that have not left yet: originals, in-betweens that the engine
 * computes, duplicates and events. Streaming thread only. */
#pragma once

#include "vfistream.h"

G_BEGIN_DECLS

/* Appends @buffer (taken) as it is. */
void gst_vfi_pending_add_original (GstVfiStream *stream, GstBuffer *buffer);

/* Appends @event (taken). */
void gst_vfi_pending_add_event (GstVfiStream *stream, GstEvent *event);

/* Appends the in-between of @a and @b at @slot; takes references on all. */
void gst_vfi_pending_add_in_between (GstVfiStream *stream, VfiPair *pair, GstVfiFrame *a,
    GstVfiFrame *b, const GstVfiSlot *slot);

/* The same for an in-between that takes the place of the original @instead (NULL: of none),
 * whose metas it gets; where nothing can be made, @instead itself is pushed. */
void gst_vfi_pending_add_replacement (GstVfiStream *stream, VfiPair *pair, GstVfiFrame *a,
    GstVfiFrame *b, const GstVfiSlot *slot, GstVfiFrame *instead);

/* Appends @a at @slot once more; it shares the pixels. */
void gst_vfi_pending_add_duplicate (
    GstVfiStream *stream, GstVfiFrame *a, const GstVfiSlot *slot);

/* Gives the engine as many in-betweens as it may have. */
GstFlowReturn gst_vfi_pending_submit (GstVfiStream *stream);

/* Whether the oldest output can leave without waiting for the engine. */
gboolean gst_vfi_pending_is_ready (GstVfiStream *stream);

/* Waits for the oldest output and pushes it. */
GstFlowReturn gst_vfi_pending_retire (GstVfiStream *stream);

/* Retires everything. */
GstFlowReturn gst_vfi_pending_drain (GstVfiStream *stream);

/* Drops buffers; events stay in their order. For a downstream that wants no more frames. */
void gst_vfi_pending_drop_buffers (GstVfiStream *stream);

/* Cancels and drops everything but sticky events, which the src pad keeps. */
void gst_vfi_pending_clear (GstVfiStream *stream);

G_END_DECLS
