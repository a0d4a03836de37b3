/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Repeated frames (drawings shown for several frames, frames that a live source sends
 * again) replaced by interpolated ones: repeats are held back until a new picture comes,
 * which shows where the motion leads. Streaming thread only. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

GstVfiRepeats *gst_vfi_repeats_new (void);

/* How many outputs and events are held; for tests. */
guint gst_vfi_repeats_length (const GstVfiStream *stream);

/* Judges @next, which follows the reference in its run: holds it as a repeat, or replaces
 * or lets out those that are held and plans the outputs before it. *@goes_on is FALSE if
 * @next was taken and is held. */
GstFlowReturn gst_vfi_repeats_plan (GstVfiStream *stream, GstVfiFrame *next,
    const GstVfiFrameTime *time, gboolean *goes_on);

/* Lets out what is held, unchanged; the last of it becomes the reference. */
void gst_vfi_repeats_release (GstVfiStream *stream);

/* The same where the run ends: what comes next repeats nothing. */
void gst_vfi_repeats_end_run (GstVfiStream *stream);

/* Appends @event (taken) after all that came before it. */
void gst_vfi_repeats_add_event (GstVfiStream *stream, GstEvent *event);

/* Drops what is held; the src pad keeps sticky events that outlive a flush. */
void gst_vfi_repeats_clear (GstVfiStream *stream);

G_END_DECLS
