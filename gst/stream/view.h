/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A view: two frames with those around them that the model sees, of which the pictures
 * between the two are made. It is filled in the order in which frames come, may wait for
 * some, and is then opened in the engine. Counted; streaming thread only. */
#pragma once

#include <gst/gst.h>

#include <vfi/vfi.h>

#include "pure/view_order.h"
#include "stream/picture.h"

G_BEGIN_DECLS

/**
 * GstVfiViewState:
 * @GST_VFI_VIEW_WAITS: for frames
 * @GST_VFI_VIEW_OPEN: pictures can be made
 * @GST_VFI_VIEW_FAILED: none can be made
 */
typedef enum {
  GST_VFI_VIEW_WAITS,
  GST_VFI_VIEW_OPEN,
  GST_VFI_VIEW_FAILED,
} GstVfiViewState;

/**
 * GstVfiView: read-only outside view.c.
 * @state: what can be done with it
 * @shape: how many frames it is of, and their order
 * @segment: that its frames came in
 * @key: of the two frames, for the engine
 * @frames: references, in the order in which they came
 * @n_frames: so far
 * @n_earlier: of these, before the two
 * @pair: OPEN: the engine's
 * @session: the one that it was opened in, or was to be; to be compared only
 * @error: FAILED: what the engine said; NULL if there was none
 * @other: the engine's in another session, or NULL
 * @other_session: that one; to be compared only
 */
typedef struct {
  GstVfiViewState state;
  GstVfiViewShape shape;
  GstSegment segment;
  guint64 key;
  GstVfiFrame *frames[GST_VFI_MAX_VIEW_FRAMES];
  guint n_frames;
  guint n_earlier;
  VfiPair *pair;
  const VfiSession *session;
  GError *error;
  VfiPair *other;
  const VfiSession *other_session;
} GstVfiView;

/* A view without frames. @key: of the two frames, as vfi_session_begin() wants it. */
GstVfiView *gst_vfi_view_new (
    const GstVfiViewShape *shape, const GstSegment *segment, guint64 key);

GstVfiView *gst_vfi_view_ref (GstVfiView *view);
void gst_vfi_view_unref (GstVfiView *view);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstVfiView, gst_vfi_view_unref)

/* Adds the next frame that came: at most as many before the two as the shape has. */
void gst_vfi_view_add_earlier (GstVfiView *view, GstVfiFrame *frame);

/* Adds one of the two, or the next frame after them, to a view that waits. */
void gst_vfi_view_add (GstVfiView *view, GstVfiFrame *frame);

/* Whether no frame after the two is missing. */
gboolean gst_vfi_view_is_complete (const GstVfiView *view);

/* Opens a view that waits and has the two frames in @session (NULL: there is none, so
 * that it fails), whose model sees as many frames as the shape has or fewer. Where frames
 * are missing the nearest one takes their place; returns whether one does. */
gboolean gst_vfi_view_open (GstVfiView *view, VfiSession *session);

/* The pair of an open view in @session, which may be another one of the same video; NULL
 * with @error if it cannot be opened there. It is the view's, and stays until another
 * session is asked for. */
VfiPair *gst_vfi_view_pair_in (GstVfiView *view, VfiSession *session, GError **error);

/* Whether one of its frames is marked CORRUPTED. */
gboolean gst_vfi_view_is_corrupted (const GstVfiView *view);

G_END_DECLS
