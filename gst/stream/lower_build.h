/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the lower rungs of the ladder (pure/ladder.h) need, being built in a thread: first
 * what is wanted before the stream's own session is there, a session of the built-in
 * model and frames for rehearsals, then one of the stream's model at half the flow scale.
 * A build is given all that it needs, and knows nothing of the stream. */
#pragma once

#include <gst/video/video.h>

#include "pure/ladder.h"
#include "stream/rehearsal.h"
#include "stream/session_build.h"

G_BEGIN_DECLS

/**
 * GstVfiLowerPart: what a step of the build has come to. One of the first two is not
 * NULL, or there is nothing of the kind, and @error says why.
 * @rehearsal: (transfer full)
 * @session: (transfer full): of @maker
 * @maker: GST_VFI_MAKER_FULL where it is about the rehearsal
 * @bytes: that it takes
 */
typedef struct {
  GstVfiRehearsal *rehearsal;
  VfiSession *session;
  GstVfiMaker maker;
  guint64 bytes;
  GError *error;
} GstVfiLowerPart;

typedef struct _GstVfiLowerBuild GstVfiLowerBuild;

/* @full: what the stream's own session is built of; @pictures: of the stream, as sessions
 * see them. */
GstVfiLowerBuild *gst_vfi_lower_build_new (
    const GstVfiBuildInput *full, const GstVideoInfo *pictures);

/* Ends it after the step that it is at, waits for that, and drops what was not taken.
 * NULL is allowed. */
void gst_vfi_lower_build_free (GstVfiLowerBuild *build);

/* Builds what is wanted first, or @all, in the caller's thread. */
void gst_vfi_lower_build_run (GstVfiLowerBuild *build, gboolean all);

/* The same in a thread, which calls @on_step after each step, always the same. FALSE with
 * @error if there is no thread. */
gboolean gst_vfi_lower_build_start (GstVfiLowerBuild *build, gboolean all,
    void (*on_step) (gpointer), gpointer user_data, GError **error);

/* Takes the next part that is done; FALSE if there is none. */
gboolean gst_vfi_lower_build_take (GstVfiLowerBuild *build, GstVfiLowerPart *part);

/* Whether all has been taken. */
gboolean gst_vfi_lower_build_is_over (const GstVfiLowerBuild *build);

G_END_DECLS
