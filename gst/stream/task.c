/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queue and task: gets items to process_item() in order, from either thread, and outputs out
 * of the pending list. Does not know pads' functions. */
#include "stream/task.h"

#include "stream/pending.h"
#include "stream/process.h"
#include "stream/timeout.h"

#define GST_CAT_DEFAULT gst_vfi_debug

typedef struct {
  GstMiniObject *object; /* owned, but a query belongs to its sender */
  GstVfiReply *reply;    /* queries only; the sender's */
} GstVfiItem;

/* Queue; the lock is held. */

void
gst_vfi_task_enqueue_locked (GstVfiStream *stream, gpointer object, GstVfiReply *reply)
{
  GstVfiItem *item = g_new0 (GstVfiItem, 1);

  item->object = GST_MINI_OBJECT_CAST (object);
  item->reply = reply;
  g_queue_push_tail (&stream->items, item);
  if (GST_IS_BUFFER (object))
    stream->queued_buffers++;
  gst_vfi_stream_wake_locked (stream);
}

static GstVfiItem *
dequeue_locked (GstVfiStream *stream)
{
  GstVfiItem *item = g_queue_pop_head (&stream->items);

  if (GST_IS_BUFFER (item->object))
    stream->queued_buffers--;
  gst_vfi_stream_wake_locked (stream);
  return item;
}

static void
reply_locked (GstVfiStream *stream, GstVfiReply *reply, gboolean answer)
{
  reply->done = TRUE;
  reply->answer = answer;
  gst_vfi_stream_wake_locked (stream);
}

void
gst_vfi_task_clear_queue_locked (GstVfiStream *stream, GstVfiKeep keep)
{
  guint n_items = g_queue_get_length (&stream->items);

  for (guint i = 0; i < n_items; i++) {
    GstVfiItem *item = g_queue_pop_head (&stream->items);
    if (GST_IS_EVENT (item->object) &&
        gst_vfi_keeps (keep, GST_EVENT_CAST (item->object))) {
      g_queue_push_tail (&stream->items, item);
      continue;
    }
    if (item->reply != NULL)
      reply_locked (stream, item->reply, FALSE);
    else
      gst_mini_object_unref (item->object);
    g_free (item);
  }
  stream->queued_buffers = 0;
  gst_vfi_stream_wake_locked (stream);
}

static void
drop_queued_buffers_locked (GstVfiStream *stream)
{
  guint n_items = g_queue_get_length (&stream->items);

  for (guint i = 0; i < n_items; i++) {
    GstVfiItem *item = g_queue_pop_head (&stream->items);
    if (!GST_IS_BUFFER (item->object)) {
      g_queue_push_tail (&stream->items, item);
      continue;
    }
    gst_mini_object_unref (item->object);
    g_free (item);
  }
  stream->queued_buffers = 0;
  gst_vfi_stream_wake_locked (stream);
}

/* Items, in stream order. */

void
gst_vfi_task_post_flow_error (GstVfiStream *stream, GstFlowReturn flow)
{
  GST_ELEMENT_FLOW_ERROR (stream->element, flow);
}

gboolean
gst_vfi_task_is_error (GstFlowReturn flow)
{
  return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS;
}

/* Downstream wants no more frames; events still go, so that EOS and a later segment
 * arrive. */
static void
finish_at_downstream_eos (GstVfiStream *stream)
{
  gst_vfi_process_close_run (stream, FALSE, GST_CLOCK_TIME_NONE);
  gst_vfi_pending_drop_buffers (stream);
  g_mutex_lock (&stream->lock);
  if (stream->flow == GST_FLOW_OK)
    stream->flow = GST_FLOW_EOS;
  drop_queued_buffers_locked (stream);
  g_mutex_unlock (&stream->lock);
}

void
gst_vfi_task_note_event_locked (GstVfiStream *stream, const GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_EOS:
      stream->eos = TRUE;
      break;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT:
      stream->eos = FALSE;
      if (stream->flow == GST_FLOW_EOS)
        stream->flow = GST_FLOW_OK;
      break;
    default:
      break;
  }
}

/* The one way of items: takes @object unless it is a query. */
static GstFlowReturn
process_item (GstVfiStream *stream, GstMiniObject *object, gboolean *answer)
{
  if (GST_IS_EVENT (object))
    return gst_vfi_process_event (stream, GST_EVENT_CAST (object));
  if (GST_IS_BUFFER (object))
    return gst_vfi_process_buffer (stream, GST_BUFFER_CAST (object));
  *answer = gst_vfi_process_query (stream, GST_QUERY_CAST (object));
  return GST_FLOW_OK;
}

/* Upstream has sent its last buffer and would never see the error. */
static void
fail_at_eos (GstVfiStream *stream, GstFlowReturn flow)
{
  gst_vfi_task_post_flow_error (stream, flow);
  gst_pad_push_event (stream->srcpad, gst_event_new_eos ());
}

void
gst_vfi_task_reset_if_due (GstVfiStream *stream)
{
  gboolean due;

  g_mutex_lock (&stream->lock);
  due = stream->reset_due && stream->closed == 0;
  if (due)
    stream->reset_due = FALSE;
  g_mutex_unlock (&stream->lock);
  if (due)
    gst_vfi_process_reset (stream);
}

GstFlowReturn
gst_vfi_task_run_synchronously (GstVfiStream *stream, gpointer object, gboolean *answer)
{
  gboolean is_eos = GST_IS_EVENT (object) && GST_EVENT_TYPE (object) == GST_EVENT_EOS;
  GstFlowReturn ret;

  g_mutex_lock (&stream->lock);
  if (GST_IS_EVENT (object))
    gst_vfi_task_note_event_locked (stream, GST_EVENT_CAST (object));
  ret = stream->flow;
  g_mutex_unlock (&stream->lock);
  if (ret == GST_FLOW_FLUSHING || (ret == GST_FLOW_EOS && GST_IS_BUFFER (object))) {
    if (!GST_IS_QUERY (object))
      gst_mini_object_unref (object);
    return ret;
  }

  gst_vfi_task_reset_if_due (stream);
  ret = process_item (stream, object, answer);
  if (ret == GST_FLOW_OK)
    ret = gst_vfi_pending_drain (stream);
  if (ret == GST_FLOW_EOS) {
    finish_at_downstream_eos (stream);
    gst_vfi_pending_drain (stream);
  } else if (ret != GST_FLOW_OK) {
    gst_vfi_pending_clear (stream, GST_VFI_KEEP_OVER_ERROR);
    if (is_eos && gst_vfi_task_is_error (ret))
      fail_at_eos (stream, ret);
  }
  return ret;
}

/* Task. */

typedef enum {
  STEP_STOP,
  STEP_ACCEPT,
  STEP_RETIRE,
  STEP_FILL,
} GstVfiStep;

/* Items enter before outputs leave, so that the engine works while downstream does; frames
 * on their way are bounded by max_in_flight. */
static gboolean
may_accept (GstVfiStream *stream, const GstMiniObject *object)
{
  if (gst_vfi_process_needs_drain (stream, object))
    return g_queue_is_empty (&stream->pending);
  if (GST_IS_BUFFER (object) &&
      (stream->n_originals >= stream->max_in_flight ||
          g_queue_get_length (&stream->pending) >= GST_VFI_MAX_PENDING))
    return FALSE;
  return stream->unsubmitted == NULL;
}

/* What to do next, and how often links had changed before that. The lock is not held while
 * the engine is asked; whatever changes then raises wake_count. */
static GstVfiStep
next_step (GstVfiStream *stream, guint *links)
{
  GstVfiStep step = STEP_STOP;
  gboolean ready;
  guint seen;

  g_mutex_lock (&stream->lock);
  do {
    GstVfiItem *item;
    seen = stream->wake_count;
    g_mutex_unlock (&stream->lock);
    ready = gst_vfi_pending_is_ready (stream);
    g_mutex_lock (&stream->lock);
    *links = stream->links_changed;
    if (stream->closed != 0 || stream->reset_due || stream->parking > 0)
      break;
    item = g_queue_peek_head (&stream->items);
    if (item != NULL && may_accept (stream, item->object))
      step = STEP_ACCEPT;
    else if (ready)
      step = STEP_RETIRE;
    else if (stream->live.timer_due && g_queue_is_empty (&stream->pending))
      step = STEP_FILL;
    else if (seen == stream->wake_count)
      g_cond_wait (&stream->changed, &stream->lock);
  } while (step == STEP_STOP);
  g_mutex_unlock (&stream->lock);
  return step;
}

static GstFlowReturn
accept_item (GstVfiStream *stream)
{
  gboolean answer = FALSE;
  GstVfiItem *item;
  GstFlowReturn ret;

  g_mutex_lock (&stream->lock);
  if (stream->closed != 0 || g_queue_is_empty (&stream->items)) {
    g_mutex_unlock (&stream->lock);
    return GST_FLOW_FLUSHING;
  }
  item = dequeue_locked (stream);
  g_mutex_unlock (&stream->lock);

  ret = process_item (stream, item->object, &answer);
  if (item->reply != NULL) {
    g_mutex_lock (&stream->lock);
    reply_locked (stream, item->reply, answer);
    g_mutex_unlock (&stream->lock);
  }
  g_free (item);
  return ret;
}

static gboolean
has_queued_caps_locked (const GstVfiStream *stream)
{
  for (const GList *link = stream->items.head; link != NULL; link = link->next) {
    const GstVfiItem *item = link->data;
    if (GST_IS_EVENT (item->object) &&
        GST_EVENT_TYPE (GST_EVENT_CAST (item->object)) == GST_EVENT_CAPS)
      return TRUE;
  }
  return FALSE;
}

/* Whether what came of the last step is out of date: the stream was flushed, and opened
 * again, from within it, or downstream was linked meanwhile, or there are other caps to
 * try. */
static gboolean
is_out_of_date_locked (const GstVfiStream *stream, GstFlowReturn flow, guint links)
{
  if ((stream->reset_due || stream->parking > 0) && stream->closed == 0)
    return TRUE;
  if (flow == GST_FLOW_NOT_NEGOTIATED && has_queued_caps_locked (stream))
    return TRUE;
  return (flow == GST_FLOW_NOT_LINKED || flow == GST_FLOW_NOT_NEGOTIATED) &&
         links != stream->links_changed;
}

static gboolean
is_out_of_date (GstVfiStream *stream, GstFlowReturn flow, guint links)
{
  gboolean result;

  if (flow == GST_FLOW_OK)
    return FALSE;
  g_mutex_lock (&stream->lock);
  result = is_out_of_date_locked (stream, flow, links);
  /* Somebody may have started the task since it was told to pause, and it holds the src pad's
   * lock for as long as it runs. */
  if (stream->parking > 0)
    gst_pad_pause_task (stream->srcpad);
  g_mutex_unlock (&stream->lock);
  return result;
}

/* Where the stream is closed, what is pending waits for the reset behind it: the pad takes
 * no sticky events now. */
static void
stop_task (GstVfiStream *stream, GstFlowReturn flow, guint links)
{
  gboolean eos;

  if (!gst_vfi_stream_is_flushing (stream))
    gst_vfi_pending_clear (stream, GST_VFI_KEEP_OVER_ERROR);
  g_mutex_lock (&stream->lock);
  if (is_out_of_date_locked (stream, flow, links)) {
    g_mutex_unlock (&stream->lock);
    return;
  }
  if (stream->flow == GST_FLOW_OK)
    stream->flow = flow;
  flow = stream->flow;
  eos = stream->eos;
  gst_vfi_task_clear_queue_locked (stream, GST_VFI_KEEP_OVER_ERROR);
  /* Under the lock, so that who mends the flow restarts the task after this. */
  gst_pad_pause_task (stream->srcpad);
  g_mutex_unlock (&stream->lock);
  GST_DEBUG_OBJECT (stream->element, "task stops: %s", gst_flow_get_name (flow));
  if (eos && gst_vfi_task_is_error (flow))
    fail_at_eos (stream, flow);
}

static void
loop (gpointer data)
{
  GstVfiStream *stream = data;
  GstFlowReturn ret = GST_FLOW_FLUSHING;
  guint links = 0;

  gst_vfi_task_reset_if_due (stream);
  switch (next_step (stream, &links)) {
    case STEP_ACCEPT:
      ret = accept_item (stream);
      break;
    case STEP_RETIRE:
      ret = gst_vfi_pending_retire (stream);
      break;
    case STEP_FILL:
      gst_vfi_timeout_fill (stream);
      ret = GST_FLOW_OK;
      break;
    case STEP_STOP:
      break;
  }
  if (is_out_of_date (stream, ret, links))
    return;
  if (ret == GST_FLOW_EOS)
    finish_at_downstream_eos (stream);
  else if (ret != GST_FLOW_OK)
    stop_task (stream, ret, links);
}

void
gst_vfi_task_start (GstVfiStream *stream)
{
  if (!stream->synchronous)
    gst_pad_start_task (stream->srcpad, loop, stream, NULL);
}
