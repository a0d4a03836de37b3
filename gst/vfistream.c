/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pads, item queue and task. What happens to an item is decided elsewhere; this file gets
 * items there in order, from either thread, and gets everybody out when a flush comes. */
#include "vfistream.h"

#include "vfipending.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* A query's sender waits until the task has answered it. */
typedef struct {
  gboolean done;
  gboolean answer;
} GstVfiReply;

typedef struct {
  GstMiniObject *object; /* owned, but a query belongs to its sender */
  GstVfiReply *reply;    /* queries only; the sender's */
} GstVfiItem;

static void gst_vfi_stream_loop (gpointer data);

/* Queue; the lock is held. */

static void
wake_locked (GstVfiStream *stream)
{
  stream->wake_count++;
  g_cond_broadcast (&stream->changed);
}

static void
enqueue_locked (GstVfiStream *stream, gpointer object, GstVfiReply *reply)
{
  GstVfiItem *item = g_new0 (GstVfiItem, 1);

  item->object = GST_MINI_OBJECT_CAST (object);
  item->reply = reply;
  g_queue_push_tail (&stream->items, item);
  if (GST_IS_BUFFER (object))
    stream->queued_buffers++;
  wake_locked (stream);
}

static GstVfiItem *
dequeue_locked (GstVfiStream *stream)
{
  GstVfiItem *item = g_queue_pop_head (&stream->items);

  if (GST_IS_BUFFER (item->object))
    stream->queued_buffers--;
  wake_locked (stream);
  return item;
}

static void
reply_locked (GstVfiStream *stream, GstVfiReply *reply, gboolean answer)
{
  reply->done = TRUE;
  reply->answer = answer;
  wake_locked (stream);
}

static gboolean
outlives_flush (const GstMiniObject *object)
{
  const GstEvent *event = (const GstEvent *) object;

  return GST_IS_EVENT (object) && GST_EVENT_IS_STICKY (event) &&
         GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT &&
         GST_EVENT_TYPE (event) != GST_EVENT_EOS;
}

/* Empties the queue. Sticky events that the task has not seen yet are not sent again after
 * a flush: with @keep_sticky they stay. */
static void
clear_items_locked (GstVfiStream *stream, gboolean keep_sticky)
{
  guint n_items = g_queue_get_length (&stream->items);

  for (guint i = 0; i < n_items; i++) {
    GstVfiItem *item = g_queue_pop_head (&stream->items);
    if (keep_sticky && outlives_flush (item->object)) {
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
  wake_locked (stream);
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
  wake_locked (stream);
}

void
gst_vfi_stream_wake (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  wake_locked (stream);
  g_mutex_unlock (&stream->lock);
}

gboolean
gst_vfi_stream_is_flushing (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  gboolean flushing = stream->flushing;
  g_mutex_unlock (&stream->lock);
  return flushing;
}

GstVfiSettings
gst_vfi_stream_settings (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  GstVfiSettings settings = stream->settings;
  g_mutex_unlock (&stream->lock);
  settings.device = NULL;
  return settings;
}

/* Items, in stream order. */

static void
post_flow_error (GstVfiStream *stream, GstFlowReturn flow)
{
  GST_ELEMENT_FLOW_ERROR (stream->element, flow);
}

static gboolean
is_error (GstFlowReturn flow)
{
  return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS;
}

/* Downstream wants no more frames; events still go, so that EOS and a later segment
 * arrive. */
static void
finish_at_downstream_eos (GstVfiStream *stream)
{
  gst_vfi_pending_drop_buffers (stream);
  gst_vfi_process_close_run (stream, FALSE, GST_CLOCK_TIME_NONE);
  g_mutex_lock (&stream->lock);
  if (stream->flow == GST_FLOW_OK)
    stream->flow = GST_FLOW_EOS;
  drop_queued_buffers_locked (stream);
  g_mutex_unlock (&stream->lock);
}

/* What an event that comes in says about the flow from here on. */
static void
note_event_locked (GstVfiStream *stream, const GstEvent *event)
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
  post_flow_error (stream, flow);
  gst_pad_push_event (stream->srcpad, gst_event_new_eos ());
}

static GstFlowReturn
process_synchronously (GstVfiStream *stream, gpointer object, gboolean *answer)
{
  gboolean is_eos = GST_IS_EVENT (object) && GST_EVENT_TYPE (object) == GST_EVENT_EOS;
  GstFlowReturn ret;

  g_mutex_lock (&stream->lock);
  if (GST_IS_EVENT (object))
    note_event_locked (stream, GST_EVENT_CAST (object));
  ret = stream->flow;
  g_mutex_unlock (&stream->lock);
  if (ret == GST_FLOW_FLUSHING || (ret == GST_FLOW_EOS && GST_IS_BUFFER (object))) {
    if (!GST_IS_QUERY (object))
      gst_mini_object_unref (object);
    return ret;
  }

  ret = process_item (stream, object, answer);
  if (ret == GST_FLOW_OK)
    ret = gst_vfi_pending_drain (stream);
  if (ret == GST_FLOW_EOS) {
    finish_at_downstream_eos (stream);
    gst_vfi_pending_drain (stream);
  } else if (ret != GST_FLOW_OK) {
    gst_vfi_pending_clear (stream);
    if (is_eos && is_error (ret))
      fail_at_eos (stream, ret);
  }
  return ret;
}

/* Task. */

typedef enum {
  STEP_STOP,
  STEP_ACCEPT,
  STEP_RETIRE,
} GstVfiStep;

/* Items enter before outputs leave, so that the engine works while downstream does; frames
 * on their way are bounded by max_in_flight. */
static gboolean
may_accept (GstVfiStream *stream, const GstMiniObject *object)
{
  if (gst_vfi_process_needs_drain (stream, object))
    return g_queue_is_empty (&stream->pending);
  if (GST_IS_BUFFER (object) && stream->n_originals >= stream->max_in_flight)
    return FALSE;
  return stream->unsubmitted == NULL;
}

/* What to do next. The lock is not held while the engine is asked; whatever changes then
 * raises wake_count. */
static GstVfiStep
next_step (GstVfiStream *stream)
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
    if (stream->flushing)
      break;
    item = g_queue_peek_head (&stream->items);
    if (item != NULL && may_accept (stream, item->object))
      step = STEP_ACCEPT;
    else if (ready)
      step = STEP_RETIRE;
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
  if (stream->flushing) {
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

static void
stop_task (GstVfiStream *stream, GstFlowReturn flow)
{
  gboolean eos;

  gst_vfi_pending_clear (stream);
  g_mutex_lock (&stream->lock);
  if (stream->flow == GST_FLOW_OK)
    stream->flow = flow;
  flow = stream->flow;
  eos = stream->eos;
  clear_items_locked (stream, TRUE);
  /* Under the lock, so that who mends the flow restarts the task after this. */
  gst_pad_pause_task (stream->srcpad);
  g_mutex_unlock (&stream->lock);
  GST_DEBUG_OBJECT (stream->element, "task stops: %s", gst_flow_get_name (flow));
  if (eos && is_error (flow))
    fail_at_eos (stream, flow);
}

static void
gst_vfi_stream_loop (gpointer data)
{
  GstVfiStream *stream = data;
  GstFlowReturn ret = GST_FLOW_FLUSHING;

  switch (next_step (stream)) {
    case STEP_ACCEPT:
      ret = accept_item (stream);
      break;
    case STEP_RETIRE:
      ret = gst_vfi_pending_retire (stream);
      break;
    case STEP_STOP:
      break;
  }
  if (ret == GST_FLOW_EOS)
    finish_at_downstream_eos (stream);
  else if (ret != GST_FLOW_OK)
    stop_task (stream, ret);
}

static void
start_task (GstVfiStream *stream)
{
  if (!stream->synchronous)
    gst_pad_start_task (stream->srcpad, gst_vfi_stream_loop, stream, NULL);
}

/* Sink pad. */

static GstFlowReturn
gst_vfi_stream_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);
  GstFlowReturn flow;

  (void) parent;
  if (stream->synchronous)
    return process_synchronously (stream, buffer, NULL);

  g_mutex_lock (&stream->lock);
  while (stream->flow == GST_FLOW_OK && stream->queued_buffers >= GST_VFI_QUEUE_BUFFERS)
    g_cond_wait (&stream->changed, &stream->lock);
  flow = stream->flow;
  if (flow == GST_FLOW_OK)
    enqueue_locked (stream, buffer, NULL);
  g_mutex_unlock (&stream->lock);
  if (flow != GST_FLOW_OK)
    gst_buffer_unref (buffer);
  return flow;
}

/* The engine and the pool are told without the lock: they have locks of their own. */
void
gst_vfi_stream_set_flushing (GstVfiStream *stream)
{
  VfiSession *session;
  GstBufferPool *pool;

  g_mutex_lock (&stream->lock);
  stream->flushing = TRUE;
  stream->flow = GST_FLOW_FLUSHING;
  session = stream->session != NULL ? vfi_session_ref (stream->session) : NULL;
  pool = stream->out_pool != NULL ? gst_object_ref (stream->out_pool) : NULL;
  clear_items_locked (stream, TRUE);
  g_mutex_unlock (&stream->lock);
  if (session != NULL)
    vfi_session_flush (session);
  if (pool != NULL)
    gst_buffer_pool_set_flushing (pool, TRUE);
  vfi_session_unref (session);
  gst_clear_object (&pool);
}

static void
unset_flushing (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  stream->flushing = FALSE;
  stream->eos = FALSE;
  stream->flow = GST_FLOW_OK;
  g_mutex_unlock (&stream->lock);
}

static void
flush_start (GstVfiStream *stream, GstEvent *event)
{
  gst_pad_push_event (stream->srcpad, event);
  gst_vfi_stream_set_flushing (stream);
  if (!stream->synchronous)
    gst_pad_pause_task (stream->srcpad);
}

/* The sink pad's STREAM_LOCK is held and the task is paused: nobody else is in here. */
static gboolean
flush_stop (GstVfiStream *stream, GstEvent *event)
{
  gboolean ret = gst_pad_push_event (stream->srcpad, event);

  gst_vfi_process_reset (stream);
  if (stream->pictures.out_pool != NULL)
    gst_buffer_pool_set_flushing (stream->pictures.out_pool, FALSE);
  unset_flushing (stream);
  if (GST_PAD_MODE (stream->srcpad) == GST_PAD_MODE_PUSH)
    start_task (stream);
  return ret;
}

/* A flow error stays until something changes that may mend it. */
static void
try_again (GstVfiStream *stream, GstFlowReturn mended)
{
  g_mutex_lock (&stream->lock);
  if (stream->flow == mended) {
    stream->flow = GST_FLOW_OK;
    start_task (stream);
  }
  g_mutex_unlock (&stream->lock);
}

static GstFlowReturn
enqueue_event (GstVfiStream *stream, GstEvent *event)
{
  gboolean is_eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  gboolean sticky = GST_EVENT_IS_STICKY (event);
  GstFlowReturn flow;

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS)
    try_again (stream, GST_FLOW_NOT_NEGOTIATED);
  g_mutex_lock (&stream->lock);
  note_event_locked (stream, event);
  flow = stream->flow;
  /* As GstQueue: errors show with the next buffer, but no buffer follows EOS. */
  if (flow == GST_FLOW_OK || flow == GST_FLOW_EOS ||
      (sticky && !is_eos && flow != GST_FLOW_FLUSHING)) {
    enqueue_locked (stream, event, NULL);
    g_mutex_unlock (&stream->lock);
    return GST_FLOW_OK;
  }
  g_mutex_unlock (&stream->lock);
  gst_event_unref (event);
  if (is_eos && is_error (flow))
    post_flow_error (stream, flow);
  return flow;
}

static GstFlowReturn
gst_vfi_stream_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);

  (void) parent;
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      flush_start (stream, event);
      return GST_FLOW_OK;
    case GST_EVENT_FLUSH_STOP:
      return flush_stop (stream, event) ? GST_FLOW_OK : GST_FLOW_ERROR;
    default:
      break;
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return gst_pad_push_event (stream->srcpad, event) ? GST_FLOW_OK : GST_FLOW_ERROR;
  if (stream->synchronous)
    return process_synchronously (stream, event, NULL);
  return enqueue_event (stream, event);
}

static gboolean
gst_vfi_stream_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);
  GstVfiReply reply = {FALSE, FALSE};

  (void) parent;
  if (!GST_QUERY_IS_SERIALIZED (query))
    return gst_vfi_negotiate_query (stream, pad, query);
  if (stream->synchronous) {
    gboolean answer = FALSE;
    process_synchronously (stream, query, &answer);
    return answer;
  }
  g_mutex_lock (&stream->lock);
  if (stream->flow == GST_FLOW_OK || stream->flow == GST_FLOW_EOS) {
    enqueue_locked (stream, query, &reply);
    while (!reply.done)
      g_cond_wait (&stream->changed, &stream->lock);
  }
  g_mutex_unlock (&stream->lock);
  return reply.answer;
}

/* Src pad. */

static gboolean
gst_vfi_stream_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_RECONFIGURE:
      if (!stream->synchronous) {
        try_again (stream, GST_FLOW_NOT_LINKED);
        try_again (stream, GST_FLOW_NOT_NEGOTIATED);
      }
      break;
    case GST_EVENT_QOS: {
      /* The late buffers were ours; frames that upstream drops make worse pairs. */
      g_mutex_lock (&stream->lock);
      gboolean ours = stream->own_latency != 0;
      g_mutex_unlock (&stream->lock);
      if (ours) {
        gst_event_unref (event);
        return TRUE;
      }
      break;
    }
    default:
      break;
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
gst_vfi_stream_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  (void) parent;
  return gst_vfi_negotiate_query (gst_pad_get_element_private (pad), pad, query);
}

static gboolean
gst_vfi_stream_src_activate (
    GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);

  (void) parent;
  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    unset_flushing (stream);
    start_task (stream);
    return TRUE;
  }
  gst_vfi_stream_set_flushing (stream);
  return gst_pad_stop_task (pad);
}

static gboolean
gst_vfi_stream_sink_activate (
    GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);

  (void) parent;
  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    unset_flushing (stream);
  } else {
    gst_vfi_stream_set_flushing (stream);
    /* Deactivation is complete only when nobody is in chain any more. */
    GST_PAD_STREAM_LOCK (pad);
    GST_PAD_STREAM_UNLOCK (pad);
  }
  return TRUE;
}

/* Life. */

static GstPad *
add_pad (GstVfiStream *stream, const char *name)
{
  GstElementClass *klass = GST_ELEMENT_GET_CLASS (stream->element);
  GstPad *pad =
      gst_pad_new_from_template (gst_element_class_get_pad_template (klass, name), name);

  gst_pad_set_element_private (pad, stream);
  return pad;
}

GstVfiStream *
gst_vfi_stream_new (GstElement *element)
{
  GstVfiStream *stream = g_new0 (GstVfiStream, 1);

  stream->element = element;
  g_mutex_init (&stream->lock);
  g_cond_init (&stream->changed);
  g_queue_init (&stream->items);
  g_queue_init (&stream->pending);
  gst_vfi_run_init (&stream->run);
  stream->mode = GST_VFI_MODE_PASSTHROUGH;
  stream->flushing = TRUE;
  stream->flow = GST_FLOW_FLUSHING;
  stream->max_in_flight = 1;

  stream->sinkpad = add_pad (stream, "sink");
  gst_pad_set_chain_function (stream->sinkpad, gst_vfi_stream_chain);
  gst_pad_set_event_full_function (stream->sinkpad, gst_vfi_stream_sink_event);
  gst_pad_set_query_function (stream->sinkpad, gst_vfi_stream_sink_query);
  gst_pad_set_activatemode_function (stream->sinkpad, gst_vfi_stream_sink_activate);
  GST_PAD_SET_ACCEPT_INTERSECT (stream->sinkpad);
  gst_element_add_pad (element, stream->sinkpad);

  stream->srcpad = add_pad (stream, "src");
  gst_pad_set_event_function (stream->srcpad, gst_vfi_stream_src_event);
  gst_pad_set_query_function (stream->srcpad, gst_vfi_stream_src_query);
  gst_pad_set_activatemode_function (stream->srcpad, gst_vfi_stream_src_activate);
  gst_element_add_pad (element, stream->srcpad);
  return stream;
}

void
gst_vfi_stream_free (GstVfiStream *stream)
{
  gst_vfi_stream_stop (stream);
  g_free (stream->settings.device);
  g_mutex_clear (&stream->lock);
  g_cond_clear (&stream->changed);
  g_free (stream);
}

void
gst_vfi_stream_start (GstVfiStream *stream, VfiModel *model)
{
  g_mutex_lock (&stream->lock);
  stream->model = vfi_model_ref (model);
  stream->synchronous = stream->settings.max_in_flight == 0;
  stream->counters = (GstVfiCounters){0};
  g_mutex_unlock (&stream->lock);
}

void
gst_vfi_stream_stop (GstVfiStream *stream)
{
  VfiModel *model;

  g_mutex_lock (&stream->lock);
  clear_items_locked (stream, FALSE);
  stream->own_latency = 0;
  model = stream->model;
  stream->model = NULL;
  g_mutex_unlock (&stream->lock);
  gst_vfi_process_reset (stream);
  gst_vfi_negotiate_release (stream);
  vfi_model_unref (model);
}
