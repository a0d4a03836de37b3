/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One session being built, at once or in a thread of its own. A build is given all that
 * it needs, and knows nothing of the stream. */
#pragma once

#include <gst/gst.h>

#include <vfi/vfi.h>

G_BEGIN_DECLS

/* Where sessions come from: vfi_session_new() with some data, or a test that takes its
 * time. Any thread. */
typedef VfiSession *(*GstVfiBuildSession) (
    gpointer user_data, VfiModel *model, const VfiSessionConfig *config, GError **error);

/* The former. */
VfiSession *gst_vfi_build_session (
    gpointer user_data, VfiModel *model, const VfiSessionConfig *config, GError **error);

/**
 * GstVfiBuildInput: all of it is copied or referenced.
 * @model: of the session
 * @config: of the session, with the whole memory-limit
 * @overlay_mask: what @config has of that name, or NULL
 * @cuda: the context whose CUcontext @config has, or NULL
 * @pool_bytes: the part of memory-limit that is for buffers of in-betweens
 * @build_session: where the session comes from
 * @build_session_data: for @build_session
 */
typedef struct {
  VfiModel *model;
  VfiSessionConfig config;
  GBytes *overlay_mask;
  GstObject *cuda;
  guint64 pool_bytes;
  GstVfiBuildSession build_session;
  gpointer build_session_data;
} GstVfiBuildInput;

typedef struct _GstVfiBuild GstVfiBuild;

GstVfiBuild *gst_vfi_build_new (const GstVfiBuildInput *input);

/* Waits for the thread, if there is one. */
void gst_vfi_build_free (GstVfiBuild *build);

/* Builds, in the caller's thread. */
void gst_vfi_build_run (GstVfiBuild *build);

/* Builds in a thread, which calls @on_done at its end. FALSE with @error if there is
 * none. */
gboolean gst_vfi_build_start (
    GstVfiBuild *build, void (*on_done) (gpointer), gpointer user_data, GError **error);

/* Whether the thread is done. */
gboolean gst_vfi_build_is_done (GstVfiBuild *build);

/* The input, with what is left of memory-limit. Not while a thread builds. */
const GstVfiBuildInput *gst_vfi_build_input (const GstVfiBuild *build);

/* The session (transfer full), or NULL with @error. Once, after the build is done. */
VfiSession *gst_vfi_build_take (GstVfiBuild *build, GError **error);

G_END_DECLS
