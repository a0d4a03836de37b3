/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sessions of the lower rungs of the ladder (pure/ladder.h): the stream's model at
 * half the flow scale, and the built-in model. They are built ahead in a thread, the
 * latter before the stream's own session, for it is there soon and may stand in for that.
 * They stay until they are released, as that is. One that there is no
 * memory for, or that fails, is left out: its rung is none of the ladder then. Streaming
 * thread only, unless a function says otherwise; no lock is held. */
#pragma once

#include "pure/ladder.h"
#include "stream/rehearsal.h"
#include "stream/session_build.h"
#include "stream/state.h"

G_BEGIN_DECLS

GstVfiRungs *gst_vfi_rungs_new (void);

/* For tests, before frames come: whether sessions are built in the streaming thread. */
void gst_vfi_rungs_build_at_once (GstVfiStream *stream, gboolean at_once);

/* Whether all that can be had is there. */
gboolean gst_vfi_rungs_are_complete (const GstVfiStream *stream);

/* Takes over what has been built and, where nothing has been, begins to build. @input:
 * what the stream's own session is built of; @is_ready: it has been. */
void gst_vfi_rungs_update (
    GstVfiStream *stream, const GstVfiBuildInput *input, gboolean is_ready);

/* Drops all that there is, and waits for what is being built. */
void gst_vfi_rungs_release (GstVfiStream *stream);

/* The same, so that there is memory for the stream's own session: all that can be had is
 * built when that is there. Returns whether there was, or might have been, anything. */
gboolean gst_vfi_rungs_give_way (GstVfiStream *stream);

/* The session of a maker below the full one, or NULL. It stays until a function of this
 * file is called that changes something. */
VfiSession *gst_vfi_rungs_session (const GstVfiStream *stream, GstVfiMaker maker);

/* For pictures of the stream's video that nobody sees, or NULL. */
GstVfiRehearsal *gst_vfi_rungs_rehearsal (const GstVfiStream *stream);

/* @maker's session has failed, as @error says: it is left out from now on. */
void gst_vfi_rungs_leave_out (
    GstVfiStream *stream, GstVfiMaker maker, const GError *error);

/* Property clear-cache-after-n-pairs may have changed. */
void gst_vfi_rungs_set_cleanup_interval (GstVfiStream *stream, guint n_pairs);

/* Cancels what the sessions do. Any thread; takes the lock. */
void gst_vfi_rungs_flush (GstVfiStream *stream);

/* What they take besides the stream's own session: working memory, and frames for
 * rehearsals. Any thread; the lock is held. */
guint64 gst_vfi_rungs_bytes_locked (const GstVfiStream *stream);

G_END_DECLS
