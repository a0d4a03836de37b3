/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/queue.h"

/* Guarded by the stream's lock. */
struct _GstVfiQueue {
  GQueue items; /* GstVfiItem */
  guint n_buffers;
};

GstVfiQueue *
gst_vfi_queue_new (void)
{
  return g_new0 (GstVfiQueue, 1);
}

void
gst_vfi_queue_push_locked (GstVfiStream *stream, gpointer object, GstVfiReply *reply)
{
  GstVfiItem *item = g_new0 (GstVfiItem, 1);

  item->object = GST_MINI_OBJECT_CAST (object);
  item->reply = reply;
  g_queue_push_tail (&stream->queue->items, item);
  if (GST_IS_BUFFER (object))
    stream->queue->n_buffers++;
  gst_vfi_stream_wake_locked (stream);
}

gboolean
gst_vfi_queue_is_full_locked (const GstVfiStream *stream)
{
  return stream->queue->n_buffers >= GST_VFI_QUEUE_BUFFERS;
}

GstMiniObject *
gst_vfi_queue_peek_locked (const GstVfiStream *stream)
{
  const GstVfiItem *item = g_queue_peek_head (&stream->queue->items);

  return item != NULL ? item->object : NULL;
}

gboolean
gst_vfi_queue_pop_locked (GstVfiStream *stream, GstVfiItem *item)
{
  g_autofree GstVfiItem *first = g_queue_pop_head (&stream->queue->items);

  if (first == NULL)
    return FALSE;
  *item = *first;
  if (GST_IS_BUFFER (item->object))
    stream->queue->n_buffers--;
  gst_vfi_stream_wake_locked (stream);
  return TRUE;
}

void
gst_vfi_queue_reply_locked (GstVfiStream *stream, const GstVfiItem *item, gboolean answer)
{
  if (item->reply == NULL)
    return;
  item->reply->done = TRUE;
  item->reply->answer = answer;
  gst_vfi_stream_wake_locked (stream);
}

gboolean
gst_vfi_queue_has_caps_locked (const GstVfiStream *stream)
{
  for (const GList *link = stream->queue->items.head; link != NULL; link = link->next) {
    const GstVfiItem *item = link->data;
    if (GST_IS_EVENT (item->object) &&
        GST_EVENT_TYPE (GST_EVENT_CAST (item->object)) == GST_EVENT_CAPS)
      return TRUE;
  }
  return FALSE;
}

static gboolean
keeps (GstVfiKeep keep, const GstVfiItem *item)
{
  return GST_IS_EVENT (item->object) &&
         gst_vfi_keeps (keep, GST_EVENT_CAST (item->object));
}

void
gst_vfi_queue_clear_locked (GstVfiStream *stream, GstVfiKeep keep)
{
  GQueue *items = &stream->queue->items;
  guint n_items = g_queue_get_length (items);

  for (guint i = 0; i < n_items; i++) {
    GstVfiItem *item = g_queue_pop_head (items);
    if (keeps (keep, item)) {
      g_queue_push_tail (items, item);
      continue;
    }
    if (item->reply != NULL)
      gst_vfi_queue_reply_locked (stream, item, FALSE);
    else
      gst_mini_object_unref (item->object);
    g_free (item);
  }
  stream->queue->n_buffers = 0;
  gst_vfi_stream_wake_locked (stream);
}

void
gst_vfi_queue_drop_buffers_locked (GstVfiStream *stream)
{
  GQueue *items = &stream->queue->items;
  guint n_items = g_queue_get_length (items);

  for (guint i = 0; i < n_items; i++) {
    GstVfiItem *item = g_queue_pop_head (items);
    if (!GST_IS_BUFFER (item->object)) {
      g_queue_push_tail (items, item);
      continue;
    }
    gst_mini_object_unref (item->object);
    g_free (item);
  }
  stream->queue->n_buffers = 0;
  gst_vfi_stream_wake_locked (stream);
}
