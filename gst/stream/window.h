/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The window of frames that a model sees: the last frames of the run, as far as its views
 * reach back, and the views that wait for frames which are still to come. No view crosses
 * an edge: the beginning and the end of a run, a cut, frames that could not be compared.
 * There the frame at the edge takes the place of those beyond it, and the view counts as
 * an edge view. With a model that sees two frames nothing ever waits.
 *
 * A view that cannot be opened is left as it is, failed: jobs.c says so when its turn
 * comes. Streaming thread only. */
#pragma once

#include "stream/state.h"
#include "stream/view.h"

G_BEGIN_DECLS

GstVfiWindow *gst_vfi_window_new (void);

/* How many frames have to come after a pair before the model can be given it. */
guint gst_vfi_window_later (const GstVfiStream *stream);

/* A new view of the reference and @next, which follows it in its run and has not been
 * accepted; @key is the engine's. It is open, or failed, if nothing is missing, else it
 * waits. */
GstVfiView *gst_vfi_window_new_view (
    GstVfiStream *stream, GstVfiFrame *next, guint64 key);

/* Makes @frame (taken) the reference. It is shown to the views that wait for it. */
void gst_vfi_window_accept (GstVfiStream *stream, GstVfiFrame *frame);

/* Makes no view wait any more: the reference takes the place of frames that are still to
 * come. The run goes on. */
void gst_vfi_window_complete (GstVfiStream *stream);

/* The same for the view alone, which exists, that waits before all others. */
void gst_vfi_window_complete_first (GstVfiStream *stream);

/* There is an edge behind the reference: the same, and no later view reaches back beyond
 * it. Another reference, or none, has to follow. */
void gst_vfi_window_close (GstVfiStream *stream);

/* Views that wait are not wanted any more. */
void gst_vfi_window_drop_views (GstVfiStream *stream);

/* Forgets all, the reference too. */
void gst_vfi_window_clear (GstVfiStream *stream);

/* Upstream wants its buffers back: copies take the place of frames. FALSE if there is no
 * memory for them. */
gboolean gst_vfi_window_detach (GstVfiStream *stream);

G_END_DECLS
