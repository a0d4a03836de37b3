/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pads and the stream's life: what enters here becomes an item, in the queue or at once, and
 * a flush gets everybody out. */
#include "stream/stream.h"

#include "cuda/stream_context.h"
#include "stream/live.h"
#include "stream/negotiate.h"
#include "stream/process.h"
#include "stream/task.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Sink pad. */

static GstFlowReturn
gst_vfi_stream_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);
  GstFlowReturn flow;

  (void) parent;
  if (stream->synchronous)
    return gst_vfi_task_run_synchronously (stream, buffer, NULL);

  g_mutex_lock (&stream->lock);
  while (stream->flow == GST_FLOW_OK && stream->queued_buffers >= GST_VFI_QUEUE_BUFFERS)
    g_cond_wait (&stream->changed, &stream->lock);
  flow = stream->flow;
  if (flow == GST_FLOW_OK)
    gst_vfi_task_enqueue_locked (stream, buffer, NULL);
  g_mutex_unlock (&stream->lock);
  if (flow != GST_FLOW_OK)
    gst_buffer_unref (buffer);
  return flow;
}

static GstBufferPool *
ref_out_pool_locked (GstVfiStream *stream)
{
  return stream->out_pool != NULL ? gst_object_ref (stream->out_pool) : NULL;
}

/* The engine and the pool are told without the lock: they have locks of their own. The gate
 * keeps what they are told in order. */
void
gst_vfi_stream_close (GstVfiStream *stream, GstVfiClosed reason)
{
  g_autoptr (GstObject) cuda = NULL;
  g_autoptr (VfiSession) session = NULL;
  g_autoptr (GstBufferPool) pool = NULL;

  g_mutex_lock (&stream->gate);
  g_mutex_lock (&stream->lock);
  stream->closed |= reason;
  stream->reset_due = TRUE;
  stream->flow = GST_FLOW_FLUSHING;
  pool = ref_out_pool_locked (stream);
  gst_vfi_task_clear_queue_locked (stream, GST_VFI_KEEP_OVER_FLUSH);
  g_mutex_unlock (&stream->lock);
  session = gst_vfi_stream_ref_session (stream, &cuda);
  if (session != NULL)
    vfi_session_flush (session);
  if (pool != NULL)
    gst_buffer_pool_set_flushing (pool, TRUE);
  g_mutex_unlock (&stream->gate);
}

/* Nobody starts the task of a pad that is being deactivated: that has closed the stream
 * before, or waits for the gate. */
static void
open_again (GstVfiStream *stream, GstVfiClosed reason)
{
  g_autoptr (GstBufferPool) pool = NULL;
  gboolean open;

  g_mutex_lock (&stream->gate);
  g_mutex_lock (&stream->lock);
  stream->closed &= ~reason;
  open = stream->closed == 0;
  if (open) {
    stream->eos = FALSE;
    stream->flow = GST_FLOW_OK;
    pool = ref_out_pool_locked (stream);
  }
  g_mutex_unlock (&stream->lock);
  if (pool != NULL)
    gst_buffer_pool_set_flushing (pool, FALSE);
  if (open)
    gst_vfi_task_start (stream);
  g_mutex_unlock (&stream->gate);
}

/* Gets the task out of its function, unless it is the caller. Who has opened the stream
 * meanwhile, in another flush, wants the task to go on. */
static void
park_task (GstVfiStream *stream)
{
  if (stream->synchronous)
    return;
  g_mutex_lock (&stream->lock);
  stream->parking++;
  gst_vfi_stream_wake_locked (stream);
  g_mutex_unlock (&stream->lock);
  gst_pad_pause_task (stream->srcpad);
  g_mutex_lock (&stream->lock);
  stream->parking--;
  if (stream->closed == 0 && stream->flow == GST_FLOW_OK)
    gst_vfi_task_start (stream);
  g_mutex_unlock (&stream->lock);
}

static void
flush_start (GstVfiStream *stream, GstEvent *event)
{
  gst_vfi_stream_close (stream, GST_VFI_CLOSED_BY_FLUSH);
  gst_pad_push_event (stream->srcpad, event);
  park_task (stream);
}

/* The sink pad's STREAM_LOCK is held. There may have been no FLUSH_START, so that everything
 * still runs. */
static gboolean
flush_stop (GstVfiStream *stream, GstEvent *event)
{
  gboolean ret;

  gst_vfi_stream_close (stream, GST_VFI_CLOSED_BY_FLUSH);
  park_task (stream);
  ret = gst_pad_push_event (stream->srcpad, event);
  open_again (stream, GST_VFI_CLOSED_BY_FLUSH);
  if (stream->synchronous)
    gst_vfi_task_reset_if_due (stream);
  return ret;
}

/* A flow error stays until something changes that may mend it. The task may not have heard
 * of the error yet that is mended here. */
static void
try_again (GstVfiStream *stream, GstFlowReturn mended)
{
  g_mutex_lock (&stream->lock);
  stream->links_changed++;
  if (stream->flow == mended && !stream->synchronous) {
    stream->flow = GST_FLOW_OK;
    gst_vfi_task_start (stream);
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
  gst_vfi_task_note_event_locked (stream, event);
  flow = stream->flow;
  /* As GstQueue: errors show with the next buffer, but no buffer follows EOS. */
  if (flow == GST_FLOW_OK || flow == GST_FLOW_EOS ||
      (sticky && !is_eos && flow != GST_FLOW_FLUSHING)) {
    gst_vfi_task_enqueue_locked (stream, event, NULL);
    g_mutex_unlock (&stream->lock);
    return GST_FLOW_OK;
  }
  g_mutex_unlock (&stream->lock);
  gst_event_unref (event);
  if (is_eos && gst_vfi_task_is_error (flow))
    gst_vfi_task_post_flow_error (stream, flow);
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
    return gst_vfi_task_run_synchronously (stream, event, NULL);
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
    gst_vfi_task_run_synchronously (stream, query, &answer);
    return answer;
  }
  g_mutex_lock (&stream->lock);
  if (stream->flow == GST_FLOW_OK || stream->flow == GST_FLOW_EOS) {
    gst_vfi_task_enqueue_locked (stream, query, &reply);
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
      try_again (stream, GST_FLOW_NOT_LINKED);
      try_again (stream, GST_FLOW_NOT_NEGOTIATED);
      break;
    default:
      break;
  }
  if (!gst_vfi_live_note_event (stream, event)) {
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
gst_vfi_stream_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);

  (void) parent;
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return gst_vfi_live_query_latency (stream, query);
  return gst_vfi_negotiate_query (stream, pad, query);
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
    /* The pad has forgotten its caps. */
    gst_pad_mark_reconfigure (pad);
    open_again (stream, GST_VFI_CLOSED_BY_SRC);
    return TRUE;
  }
  gst_vfi_stream_close (stream, GST_VFI_CLOSED_BY_SRC);
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
    /* A pad that is activated is not flushing any more. */
    open_again (stream, GST_VFI_CLOSED_BY_SINK | GST_VFI_CLOSED_BY_FLUSH);
  } else {
    gst_vfi_stream_close (stream, GST_VFI_CLOSED_BY_SINK);
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
gst_vfi_stream_new (GstElement *element, GstVfiSettings *settings)
{
  GstVfiStream *stream = g_new0 (GstVfiStream, 1);

  stream->element = element;
  stream->settings = settings;
  g_mutex_init (&stream->gate);
  g_mutex_init (&stream->lock);
  g_cond_init (&stream->changed);
  g_queue_init (&stream->items);
  g_queue_init (&stream->pending);
  g_queue_init (&stream->gaps);
  gst_vfi_run_init (&stream->run);
  stream->mode = GST_VFI_MODE_PASSTHROUGH;
  stream->closed =
      GST_VFI_CLOSED_BY_STATE | GST_VFI_CLOSED_BY_SRC | GST_VFI_CLOSED_BY_SINK;
  stream->flow = GST_FLOW_FLUSHING;
  stream->max_in_flight = 1;
  gst_vfi_live_init (&stream->live);
  stream->pictures.pool_bytes = gst_vfi_pool_bytes_new ();

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
  stream->cuda = gst_vfi_cuda_new (element, stream->sinkpad, stream->srcpad);
  gst_element_add_pad (element, stream->srcpad);
  return stream;
}

void
gst_vfi_stream_free (GstVfiStream *stream)
{
  gst_vfi_stream_stop (stream);
  gst_vfi_cuda_free (stream->cuda);
  g_clear_pointer (&stream->pairs, gst_vfi_pairs_unref);
  gst_vfi_pool_bytes_unref (stream->pictures.pool_bytes);
  g_mutex_clear (&stream->gate);
  g_mutex_clear (&stream->lock);
  g_cond_clear (&stream->changed);
  g_free (stream);
}

void
gst_vfi_stream_start (GstVfiStream *stream, VfiModel *model)
{
  gst_vfi_cuda_forget_answer (stream->cuda);
  g_mutex_lock (&stream->lock);
  stream->model = vfi_model_ref (model);
  stream->live.builds_aside = vfi_model_info (model)->weight_bytes != 0;
  stream->synchronous = stream->settings->max_in_flight == 0;
  stream->counters = (GstVfiCounters){0};
  stream->pairs_since_report = 0;
  stream->closed &= ~GST_VFI_CLOSED_BY_STATE;
  g_mutex_unlock (&stream->lock);
}

void
gst_vfi_stream_set_context (GstVfiStream *stream, GstContext *context)
{
  g_autofree gchar *device = gst_vfi_stream_device (stream);

  gst_vfi_cuda_set_context (stream->cuda, device, context);
}

void
gst_vfi_stream_stop (GstVfiStream *stream)
{
  VfiModel *model;

  g_mutex_lock (&stream->lock);
  gst_vfi_task_clear_queue_locked (stream, GST_VFI_KEEP_NOTHING);
  stream->live.own_latency = 0;
  stream->live.total = GST_CLOCK_TIME_NONE;
  stream->live.pipeline_latency = GST_CLOCK_TIME_NONE;
  model = stream->model;
  stream->model = NULL;
  stream->closed |= GST_VFI_CLOSED_BY_STATE;
  stream->reset_due = FALSE;
  g_mutex_unlock (&stream->lock);
  gst_vfi_process_reset (stream);
  gst_vfi_negotiate_release (stream);
  gst_vfi_cuda_release (stream->cuda);
  vfi_model_unref (model);
}
