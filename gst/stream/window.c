/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/window.h"

#include "stream/upkeep.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Owned by the streaming thread. */
struct _GstVfiWindow {
  GQueue frames;  /* GstVfiFrame: since the last edge, in order; the last: stream->held */
  GQueue waiting; /* GstVfiView, in order; each has the frames up to the reference */
};

GstVfiWindow *
gst_vfi_window_new (void)
{
  return g_new0 (GstVfiWindow, 1);
}

static GstVfiViewShape
view_shape (const GstVfiStream *stream)
{
  const VfiModelInfo *info = vfi_model_info (stream->model);

  return (GstVfiViewShape){
      .before = (guint) info->frames_before,
      .after = (guint) info->frames_after,
      .reverse = gst_vfi_run_is_reverse (&stream->run),
  };
}

guint
gst_vfi_window_later (const GstVfiStream *stream)
{
  GstVfiViewShape shape = view_shape (stream);

  return gst_vfi_view_shape_later (&shape);
}

static void
open_view (GstVfiStream *stream, GstVfiView *view)
{
  gboolean repeats = gst_vfi_view_open (view, gst_vfi_upkeep_session (stream));

  if (!repeats || view->state == GST_VFI_VIEW_FAILED)
    return;
  g_mutex_lock (&stream->lock);
  stream->counters.edge_views++;
  g_mutex_unlock (&stream->lock);
  GST_LOG_OBJECT (stream->element, "a view at an edge, of %u frames", view->n_frames);
}

GstVfiView *
gst_vfi_window_new_view (GstVfiStream *stream, GstVfiFrame *next, guint64 key)
{
  GstVfiWindow *window = stream->window;
  GstVfiViewShape shape = view_shape (stream);
  GstVfiView *view = gst_vfi_view_new (&shape, &stream->run.segment, key);

  for (GList *link = window->frames.head; link != window->frames.tail; link = link->next)
    gst_vfi_view_add_earlier (view, link->data);
  gst_vfi_view_add (view, stream->held);
  gst_vfi_view_add (view, next);
  if (gst_vfi_view_is_complete (view))
    open_view (stream, view);
  else
    g_queue_push_tail (&window->waiting, gst_vfi_view_ref (view));
  return view;
}

/* Views that were given frames in the same order become complete in that order. */
static void
show_to_views (GstVfiStream *stream, GstVfiFrame *frame)
{
  GQueue *waiting = &stream->window->waiting;

  for (GList *link = waiting->head; link != NULL; link = link->next) {
    GstVfiView *view = link->data;
    if (view->frames[view->n_frames - 1] != frame)
      gst_vfi_view_add (view, frame);
  }
  while (!g_queue_is_empty (waiting) && gst_vfi_view_is_complete (waiting->head->data)) {
    g_autoptr (GstVfiView) view = g_queue_pop_head (waiting);
    open_view (stream, view);
  }
}

void
gst_vfi_window_accept (GstVfiStream *stream, GstVfiFrame *frame)
{
  GQueue *frames = &stream->window->frames;
  GstVfiViewShape shape = view_shape (stream);

  g_clear_pointer (&stream->held, gst_vfi_frame_unref);
  stream->held = frame;
  g_queue_push_tail (frames, gst_vfi_frame_ref (frame));
  while (frames->length > gst_vfi_view_shape_earlier (&shape) + 1)
    gst_vfi_frame_unref (g_queue_pop_head (frames));
  show_to_views (stream, frame);
}

void
gst_vfi_window_complete_first (GstVfiStream *stream)
{
  g_autoptr (GstVfiView) view = g_queue_pop_head (&stream->window->waiting);

  open_view (stream, view);
}

void
gst_vfi_window_complete (GstVfiStream *stream)
{
  while (!g_queue_is_empty (&stream->window->waiting))
    gst_vfi_window_complete_first (stream);
}

static void
drop_frames (GstVfiWindow *window)
{
  g_queue_clear_full (&window->frames, (GDestroyNotify) gst_vfi_frame_unref);
}

void
gst_vfi_window_close (GstVfiStream *stream)
{
  gst_vfi_window_complete (stream);
  drop_frames (stream->window);
}

void
gst_vfi_window_drop_views (GstVfiStream *stream)
{
  g_queue_clear_full (&stream->window->waiting, (GDestroyNotify) gst_vfi_view_unref);
}

void
gst_vfi_window_clear (GstVfiStream *stream)
{
  gst_vfi_window_drop_views (stream);
  drop_frames (stream->window);
  g_clear_pointer (&stream->held, gst_vfi_frame_unref);
}

gboolean
gst_vfi_window_detach (GstVfiStream *stream)
{
  GQueue *frames = &stream->window->frames;

  for (GList *link = frames->head; link != NULL; link = link->next) {
    GstVfiFrame *copy = gst_vfi_frame_detach (&stream->pictures, link->data);
    if (copy == NULL)
      return FALSE;
    gst_vfi_frame_unref (link->data);
    link->data = copy;
  }
  if (stream->held == NULL)
    return TRUE;
  gst_vfi_frame_unref (stream->held);
  stream->held = gst_vfi_frame_ref (g_queue_peek_tail (frames));
  return TRUE;
}
