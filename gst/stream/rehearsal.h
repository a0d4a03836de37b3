/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A rehearsal: a session makes a picture that nobody sees, of two frames that do not come
 * from the stream, so that it is known how long it takes. One at a time; it is told
 * nothing of the stream. Not thread-safe. */
#pragma once

#include <gst/video/video.h>

#include <vfi/vfi.h>

G_BEGIN_DECLS

typedef struct _GstVfiRehearsal GstVfiRehearsal;

/* What one needs, for pictures of @info. */
guint64 gst_vfi_rehearsal_bytes (const GstVideoInfo *info);

/* Prepares two frames of @info, an inner format; takes some milliseconds, in any thread.
 * NULL without memory. */
GstVfiRehearsal *gst_vfi_rehearsal_new (const GstVideoInfo *info);

/* Ends it, waits until that is done, and frees it. NULL is allowed. */
void gst_vfi_rehearsal_free (GstVfiRehearsal *rehearsal);

/* Has @session, of that video, begin to make a picture; FALSE with @error if it does not.
 * None may be on its way. */
gboolean gst_vfi_rehearsal_begin (
    GstVfiRehearsal *rehearsal, VfiSession *session, GError **error);

/* The job that is on its way, or NULL. */
VfiJob *gst_vfi_rehearsal_job (const GstVfiRehearsal *rehearsal);

/* The job, which has ended, is not wanted any more. FALSE with @error if there is no
 * picture. */
gboolean gst_vfi_rehearsal_finish (GstVfiRehearsal *rehearsal, GError **error);

/* Asks a job that is on its way to end. The next rehearsal has to wait until it has. */
void gst_vfi_rehearsal_cancel (GstVfiRehearsal *rehearsal);

/* The same, and waits until it has. Nothing of the session is kept after that. */
void gst_vfi_rehearsal_stop (GstVfiRehearsal *rehearsal);

G_END_DECLS
