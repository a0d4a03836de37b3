/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/view.h"

#include <gst/video/video.h>

#include "stream/state.h"

#define GST_CAT_DEFAULT gst_vfi_debug

GstVfiView *
gst_vfi_view_new (const GstVfiViewShape *shape, const GstSegment *segment, guint64 key)
{
  GstVfiView *view = g_rc_box_new0 (GstVfiView);

  view->shape = *shape;
  view->segment = *segment;
  view->key = key;
  return view;
}

GstVfiView *
gst_vfi_view_ref (GstVfiView *view)
{
  return g_rc_box_acquire (view);
}

/* The pair first: the engine may look at the frames until it has gone. */
static void
view_clear (gpointer data)
{
  GstVfiView *view = data;

  g_clear_pointer (&view->pair, vfi_pair_unref);
  g_clear_pointer (&view->other, vfi_pair_unref);
  g_clear_error (&view->error);
  for (guint i = 0; i < view->n_frames; i++)
    gst_vfi_frame_unref (view->frames[i]);
}

void
gst_vfi_view_unref (GstVfiView *view)
{
  g_rc_box_release_full (view, view_clear);
}

void
gst_vfi_view_add_earlier (GstVfiView *view, GstVfiFrame *frame)
{
  gst_vfi_view_add (view, frame);
  view->n_earlier++;
}

void
gst_vfi_view_add (GstVfiView *view, GstVfiFrame *frame)
{
  view->frames[view->n_frames++] = gst_vfi_frame_ref (frame);
}

static guint
count_later (const GstVfiView *view)
{
  return view->n_frames - view->n_earlier - 2;
}

gboolean
gst_vfi_view_is_complete (const GstVfiView *view)
{
  return count_later (view) == gst_vfi_view_shape_later (&view->shape);
}

/* Oldest first; returns whether one takes the place of others. */
static gboolean
list_pictures (const GstVfiView *view, VfiFrame pictures[GST_VFI_MAX_VIEW_FRAMES])
{
  guint order[GST_VFI_MAX_VIEW_FRAMES];
  gboolean repeats =
      gst_vfi_view_order (&view->shape, view->n_earlier, count_later (view), order);

  for (guint i = 0; i < gst_vfi_view_shape_frames (&view->shape); i++)
    pictures[i] = view->frames[order[i]]->picture;
  return repeats;
}

/* Adds to the @n of @regions what metas of @buffer mark as an overlay. */
static gsize
add_regions (GstBuffer *buffer, VfiRectangle regions[VFI_MAX_KEPT], gsize n)
{
  GQuark overlay = g_quark_from_static_string ("overlay");
  gpointer state = NULL;
  GstMeta *meta;

  while (n < VFI_MAX_KEPT && (meta = gst_buffer_iterate_meta_filtered (buffer, &state,
                                  GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) != NULL) {
    const GstVideoRegionOfInterestMeta *roi = (const GstVideoRegionOfInterestMeta *) meta;
    if (roi->roi_type == overlay)
      regions[n++] = (VfiRectangle){.x = (int) MIN (roi->x, G_MAXINT),
          .y = (int) MIN (roi->y, G_MAXINT),
          .width = (int) MIN (roi->w, G_MAXINT),
          .height = (int) MIN (roi->h, G_MAXINT)};
  }
  return n;
}

/* What either of the two frames marks as an overlay stays still in @pair. */
static void
mark_overlays (const GstVfiView *view, VfiPair *pair)
{
  VfiRectangle regions[VFI_MAX_KEPT];
  g_autoptr (GError) error = NULL;
  gsize n = 0;

  for (guint i = 0; i < 2; i++)
    n = add_regions (view->frames[view->n_earlier + i]->buffer, regions, n);
  if (n > 0 && !vfi_pair_keep_regions (pair, regions, n, &error))
    GST_INFO ("regions of type overlay are ignored: %s", error->message);
}

/* In a session whose model sees fewer frames those around the two. */
static VfiPair *
begin_in (const GstVfiView *view, VfiSession *session,
    const VfiFrame pictures[GST_VFI_MAX_VIEW_FRAMES], GError **error)
{
  int before, after;
  VfiPair *pair;

  vfi_session_neighbours (session, &before, &after);
  pair = vfi_session_begin (session, pictures + view->shape.before - before,
      (gsize) before + 2 + (gsize) after, view->key, error);
  if (pair != NULL)
    mark_overlays (view, pair);
  return pair;
}

gboolean
gst_vfi_view_open (GstVfiView *view, VfiSession *session)
{
  VfiFrame pictures[GST_VFI_MAX_VIEW_FRAMES];
  gboolean repeats = list_pictures (view, pictures);

  view->session = session;
  if (session != NULL)
    view->pair = begin_in (view, session, pictures, &view->error);
  view->state = view->pair != NULL ? GST_VFI_VIEW_OPEN : GST_VFI_VIEW_FAILED;
  return repeats;
}

VfiPair *
gst_vfi_view_pair_in (GstVfiView *view, VfiSession *session, GError **error)
{
  VfiFrame pictures[GST_VFI_MAX_VIEW_FRAMES];

  if (session == view->session)
    return view->pair;
  if (view->other != NULL && view->other_session == session)
    return view->other;
  list_pictures (view, pictures);
  g_clear_pointer (&view->other, vfi_pair_unref);
  view->other = begin_in (view, session, pictures, error);
  view->other_session = session;
  return view->other;
}

gboolean
gst_vfi_view_is_corrupted (const GstVfiView *view)
{
  for (guint i = 0; i < view->n_frames; i++)
    if (GST_BUFFER_FLAG_IS_SET (view->frames[i]->buffer, GST_BUFFER_FLAG_CORRUPTED))
      return TRUE;
  return FALSE;
}
