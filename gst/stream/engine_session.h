/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stream's session. In a live pipeline one of a model with weights, which takes long, is
 * built in a thread of its own, and copies are shown until it is there. Streaming thread
 * only. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/**
 * gst_vfi_session_ensure:
 *
 * Makes stream->session fit the format of stream->pictures and the flow scale, or begins to:
 * then it is NULL, or one of another scale, for some time.
 *
 * Returns: FALSE with @error if there is none.
 */
gboolean gst_vfi_session_ensure (GstVfiStream *stream, GError **error);

/* Takes over a session that has been finished aside. FALSE with @error if it failed. */
gboolean gst_vfi_session_poll (GstVfiStream *stream, GError **error);

/* What @session said about a job or a pair. If the device failed and it is still the stream's
 * session, another one has to take its place. */
void gst_vfi_session_note_failure (
    GstVfiStream *stream, const VfiSession *session, const GError *error);

/* Builds a session anew where the last one failed; FALSE with @error if there is none, or it
 * failed too often. */
gboolean gst_vfi_session_mend (GstVfiStream *stream, GError **error);

/* Releases the session, and waits for one that is being built. */
void gst_vfi_session_release (GstVfiStream *stream);

G_END_DECLS
