/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stream's session. In a live pipeline the session of a model with weights, which
 * takes long, is built in a thread of its own, and copies are shown until it is there.
 * Streaming thread only, unless a function says otherwise; no lock is held. */
#pragma once

#include "stream/session_build.h"
#include "stream/state.h"

G_BEGIN_DECLS

GstVfiEngineSession *gst_vfi_engine_session_new (void);

/* For tests, before there is a session: it comes from @build_session, which takes
 * long. */
void gst_vfi_session_set_builder (
    GstVfiStream *stream, GstVfiBuildSession build_session, gpointer user_data);

/**
 * gst_vfi_session_ensure:
 *
 * Makes the session fit the format of stream->pictures and the flow scale, or begins to:
 * then there is none, or one of another scale, for some time.
 *
 * Returns: FALSE with @error if there is none.
 */
gboolean gst_vfi_session_ensure (GstVfiStream *stream, GError **error);

/* What the session would be built of now. Returns the device's name, which @input points
 * to; g_free() it. */
gchar *gst_vfi_session_describe (GstVfiStream *stream, GstVfiBuildInput *input);

/* Takes over a session that a thread has finished. FALSE with @error if that failed. */
gboolean gst_vfi_session_poll (GstVfiStream *stream, GError **error);

/* The session, or NULL. It stays until another function of this file is called. */
VfiSession *gst_vfi_session_current (const GstVfiStream *stream);

/* The session with the context that it needs, both to be released, the session first;
 * NULL if there is none. Any thread; takes the lock. */
VfiSession *gst_vfi_session_ref (GstVfiStream *stream, GstObject **cuda);

/* @error is what @session said about a job or a pair. If the device failed and it is
 * still the stream's session, another one has to take its place. */
void gst_vfi_session_note_failure (
    GstVfiStream *stream, const VfiSession *session, const GError *error);

/* @session has made a picture. */
void gst_vfi_session_note_success (GstVfiStream *stream, const VfiSession *session);

/* Builds another session where the last one failed; FALSE with @error if there is none,
 * or it failed too often. */
gboolean gst_vfi_session_mend (GstVfiStream *stream, GError **error);

/* Failures do not count any more. */
void gst_vfi_session_forget_failures (GstVfiStream *stream);

/* Property clear-cache-after-n-pairs may have changed; also for lower rungs. */
void gst_vfi_session_set_cleanup_interval (GstVfiStream *stream, guint n_pairs);

/* Releases the session, with those of lower rungs, and waits for one that is being
 * built. */
void gst_vfi_session_release (GstVfiStream *stream);

/* What the session had counted at the last reset of statistics; the second sets it if
 * @session is still the stream's. Any thread; the lock is held. */
VfiSessionStats gst_vfi_session_base_locked (const GstVfiStream *stream);
void gst_vfi_session_set_base_locked (
    GstVfiStream *stream, const VfiSession *session, const VfiSessionStats *base);

G_END_DECLS
