/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GAP events of the input. One about a frame that is missing does not end a run: frames
 * on both sides are partners. Whether its time is silent shows only when the next frame
 * or the run's end comes; until then it waits here, and events that come after it wait
 * with it. Streaming thread only. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

GstVfiGaps *gst_vfi_gaps_new (void);

/* A GAP event (taken). It goes on at once where nothing is interpolated. Returns whether
 * the run ends, at *@closed_at, because no partner of the reference can come any more. */
gboolean gst_vfi_gaps_process (
    GstVfiStream *stream, GstEvent *event, GstClockTime *closed_at);

/* Any other serialized event (taken), after those that wait. */
void gst_vfi_gaps_add_event (GstVfiStream *stream, GstEvent *event);

/* Outputs between the reference and @next, which follows it in its run, are about to be
 * planned. */
void gst_vfi_gaps_resolve (GstVfiStream *stream, const GstVfiFrameTime *next);

/* The run is about to be closed; its tail has been appended, and all up to @from has been
 * told of. The next run begins at @until, or NONE. */
void gst_vfi_gaps_release (GstVfiStream *stream, GstClockTime from, GstClockTime until);

/* Flags of the GAP events that wait. */
GstGapFlags gst_vfi_gaps_flags (GstVfiStream *stream);

/* Drops what waits; the src pad keeps sticky events that outlive a flush. */
void gst_vfi_gaps_clear (GstVfiStream *stream);

G_END_DECLS
