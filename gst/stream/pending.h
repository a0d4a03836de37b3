/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outputs in stream order that have not left yet: originals, in-betweens that the engine
 * computes, duplicates and events. What lies between two frames is one entry, a span, out of
 * which outputs come as they are computed or pushed; so a frame adds a few entries, however
 * many outputs there are. Streaming thread only. */
#pragma once

#include "pure/kept_events.h"
#include "pure/span.h"
#include "stream/state.h"

G_BEGIN_DECLS

/* Entries that come out of spans before they are pushed, where not all of them are jobs:
 * some may be left out for lack of time. */
#define GST_VFI_MAX_AHEAD 64

/* No frame is taken in while there are so many entries. */
#define GST_VFI_MAX_PENDING 256

/* Appends @buffer (taken) as it is. */
void gst_vfi_pending_add_original (GstVfiStream *stream, GstBuffer *buffer);

/* Appends @event (taken). */
void gst_vfi_pending_add_event (GstVfiStream *stream, GstEvent *event);

/* Appends the in-betweens of @a and @b in @span, which is taken; takes references on all. */
void gst_vfi_pending_add_in_betweens (GstVfiStream *stream, VfiPair *pair, GstVfiFrame *a,
    GstVfiFrame *b, const GstVfiSpan *span);

/* Appends an in-between that takes the place of the original @instead, whose metas it gets;
 * where nothing can be made, @instead itself is pushed. */
void gst_vfi_pending_add_replacement (GstVfiStream *stream, VfiPair *pair, GstVfiFrame *a,
    GstVfiFrame *b, const GstVfiSlot *slot, GstVfiFrame *instead);

/* Appends @a in all of @span once more, or, where the later one is nearer, @b (NULL: never);
 * they share the pixels. */
void gst_vfi_pending_add_copies (
    GstVfiStream *stream, GstVfiFrame *a, GstVfiFrame *b, const GstVfiSpan *span);

/* Appends @a at @slot once more. */
void gst_vfi_pending_add_duplicate (
    GstVfiStream *stream, GstVfiFrame *a, const GstVfiSlot *slot);

/* Gives the engine as many in-betweens as it may have. */
GstFlowReturn gst_vfi_pending_submit (GstVfiStream *stream);

/* Whether the oldest output can leave without waiting for the engine. */
gboolean gst_vfi_pending_is_ready (GstVfiStream *stream);

/* Waits for the oldest output and pushes it. */
GstFlowReturn gst_vfi_pending_retire (GstVfiStream *stream);

/* Retires everything, unless the stream is closed. */
GstFlowReturn gst_vfi_pending_drain (GstVfiStream *stream);

/* Drops buffers; events stay in their order. For a downstream that wants no more frames. */
void gst_vfi_pending_drop_buffers (GstVfiStream *stream);

/* There are caps now: pushes the segment that came before them. */
void gst_vfi_pending_push_early_segment (GstVfiStream *stream);

/* Cancels and drops everything but what @keep says, which the src pad keeps. */
void gst_vfi_pending_clear (GstVfiStream *stream, GstVfiKeep keep);

G_END_DECLS
