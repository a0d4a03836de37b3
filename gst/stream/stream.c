/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What enters through pads becomes an item, in the queue or at once, and a flush gets
 * everybody out. */
#include "stream/stream.h"

#include "cuda/stream_context.h"
#include "stream/caps_query.h"
#include "stream/deadlines.h"
#include "stream/engine_session.h"
#include "stream/gaps.h"
#include "stream/held_repeats.h"
#include "stream/live.h"
#include "stream/negotiate.h"
#include "stream/own_latency.h"
#include "stream/pending.h"
#include "stream/process.h"
#include "stream/queue.h"
#include "stream/reference.h"
#include "stream/report.h"
#include "stream/retire.h"
#include "stream/rungs.h"
#include "stream/task.h"
#include "stream/timeout.h"
#include "stream/upkeep.h"
#include "stream/wait_limit.h"
#include "stream/window.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Closing and opening. */

static GstBufferPool *
ref_out_pool_locked (GstVfiStream *stream)
{
  return stream->out_pool != NULL ? gst_object_ref (stream->out_pool) : NULL;
}

/* The engine and the pool are told without the lock: they have locks of their own. The
 * gate keeps what they are told in order. */
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
  pool = ref_out_pool_locked (stream);
  gst_vfi_task_close_locked (stream);
  g_mutex_unlock (&stream->lock);
  session = gst_vfi_session_ref (stream, &cuda);
  if (session != NULL)
    vfi_session_flush (session);
  gst_vfi_rungs_flush (stream);
  if (pool != NULL)
    gst_buffer_pool_set_flushing (pool, TRUE);
  g_mutex_unlock (&stream->gate);
}

/* The task of a pad that is being deactivated is not started: deactivation has closed the
 * stream before, or waits for the gate. */
static void
open_again (GstVfiStream *stream, guint reasons)
{
  g_autoptr (GstBufferPool) pool = NULL;
  gboolean open;

  g_mutex_lock (&stream->gate);
  g_mutex_lock (&stream->lock);
  stream->closed &= ~reasons;
  open = stream->closed == 0;
  if (open) {
    gst_vfi_task_open_locked (stream);
    pool = ref_out_pool_locked (stream);
  }
  g_mutex_unlock (&stream->lock);
  if (pool != NULL)
    gst_buffer_pool_set_flushing (pool, FALSE);
  if (open)
    gst_vfi_task_start (stream);
  g_mutex_unlock (&stream->gate);
}

static void
flush_start (GstVfiStream *stream, GstEvent *event)
{
  gst_vfi_stream_close (stream, GST_VFI_CLOSED_BY_FLUSH);
  gst_pad_push_event (stream->srcpad, event);
  gst_vfi_task_park (stream);
}

/* The sink pad's STREAM_LOCK is held. There may have been no FLUSH_START, so that
 * everything still runs. */
static gboolean
flush_stop (GstVfiStream *stream, GstEvent *event)
{
  gboolean ret;

  gst_vfi_stream_close (stream, GST_VFI_CLOSED_BY_FLUSH);
  gst_vfi_task_park (stream);
  ret = gst_pad_push_event (stream->srcpad, event);
  open_again (stream, GST_VFI_CLOSED_BY_FLUSH);
  if (stream->synchronous)
    gst_vfi_task_reset_if_due (stream);
  return ret;
}

/* Sink pad. */

static GstFlowReturn
gst_vfi_stream_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  (void) parent;
  return gst_vfi_task_take_buffer (gst_pad_get_element_private (pad), buffer);
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
  if (GST_EVENT_IS_SERIALIZED (event))
    return gst_vfi_task_take_event (stream, event);
  return gst_pad_push_event (stream->srcpad, event) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static gboolean
gst_vfi_stream_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);

  (void) parent;
  if (GST_QUERY_IS_SERIALIZED (query))
    return gst_vfi_task_answer_query (stream, query);
  return gst_vfi_query_answer (stream, pad, query);
}

/* Src pad. */

static gboolean
gst_vfi_stream_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_RECONFIGURE:
      gst_vfi_task_try_again (stream, GST_FLOW_NOT_LINKED);
      gst_vfi_task_try_again (stream, GST_FLOW_NOT_NEGOTIATED);
      break;
    case GST_EVENT_LATENCY:
      gst_vfi_live_note_latency (stream, event);
      break;
    case GST_EVENT_QOS:
      if (gst_vfi_deadlines_note_qos (stream, event))
        break;
      gst_event_unref (event);
      return TRUE;
    default:
      break;
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
gst_vfi_stream_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstVfiStream *stream = gst_pad_get_element_private (pad);

  (void) parent;
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return gst_vfi_own_latency_answer (stream, query);
  return gst_vfi_query_answer (stream, pad, query);
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

static void
add_pads (GstVfiStream *stream)
{
  stream->sinkpad = add_pad (stream, "sink");
  gst_pad_set_chain_function (stream->sinkpad, gst_vfi_stream_chain);
  gst_pad_set_event_full_function (stream->sinkpad, gst_vfi_stream_sink_event);
  gst_pad_set_query_function (stream->sinkpad, gst_vfi_stream_sink_query);
  gst_pad_set_activatemode_function (stream->sinkpad, gst_vfi_stream_sink_activate);
  GST_PAD_SET_ACCEPT_INTERSECT (stream->sinkpad);

  stream->srcpad = add_pad (stream, "src");
  gst_pad_set_event_function (stream->srcpad, gst_vfi_stream_src_event);
  gst_pad_set_query_function (stream->srcpad, gst_vfi_stream_src_query);
  gst_pad_set_activatemode_function (stream->srcpad, gst_vfi_stream_src_activate);
}

static void
make_parts (GstVfiStream *stream)
{
  stream->cuda = gst_vfi_cuda_new (stream->element, stream->sinkpad, stream->srcpad);
  stream->deadlines = gst_vfi_deadlines_new ();
  stream->gaps = gst_vfi_gaps_new ();
  stream->live = gst_vfi_live_new ();
  stream->negotiation = gst_vfi_negotiation_new ();
  stream->own_latency = gst_vfi_own_latency_new ();
  stream->pending = gst_vfi_pending_new ();
  stream->process = gst_vfi_process_new ();
  stream->queue = gst_vfi_queue_new ();
  stream->reference = gst_vfi_reference_new ();
  stream->repeats = gst_vfi_repeats_new ();
  stream->report = gst_vfi_report_new ();
  stream->retire = gst_vfi_retire_new ();
  stream->rungs = gst_vfi_rungs_new ();
  stream->session = gst_vfi_engine_session_new ();
  stream->task = gst_vfi_task_new ();
  stream->timeout = gst_vfi_timeout_new ();
  stream->upkeep = gst_vfi_upkeep_new ();
  stream->wait_limit = gst_vfi_wait_limit_new ();
  stream->window = gst_vfi_window_new ();
}

/* After a stop, which has emptied them. */
static void
free_parts (GstVfiStream *stream)
{
  gst_vfi_cuda_free (stream->cuda);
  gst_vfi_reference_free (stream->reference);
  g_free (stream->deadlines);
  g_free (stream->gaps);
  g_free (stream->live);
  g_free (stream->negotiation);
  g_free (stream->own_latency);
  g_free (stream->pending);
  g_free (stream->process);
  g_free (stream->queue);
  g_free (stream->repeats);
  g_free (stream->report);
  g_free (stream->retire);
  g_free (stream->rungs);
  g_free (stream->session);
  g_free (stream->task);
  g_free (stream->timeout);
  g_free (stream->upkeep);
  g_free (stream->wait_limit);
  g_free (stream->window);
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
  stream->closed =
      GST_VFI_CLOSED_BY_STATE | GST_VFI_CLOSED_BY_SRC | GST_VFI_CLOSED_BY_SINK;
  stream->negotiated.mode = GST_VFI_MODE_PASSTHROUGH;
  stream->negotiated.max_in_flight = 1;
  stream->pictures.pool_bytes = gst_vfi_pool_bytes_new ();
  gst_vfi_run_init (&stream->run);
  add_pads (stream);
  make_parts (stream);
  gst_element_add_pad (element, stream->sinkpad);
  gst_element_add_pad (element, stream->srcpad);
  return stream;
}

void
gst_vfi_stream_free (GstVfiStream *stream)
{
  gst_vfi_stream_stop (stream);
  free_parts (stream);
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
  gst_vfi_deadlines_start (stream);
  gst_vfi_report_start (stream);
  g_mutex_lock (&stream->lock);
  stream->model = vfi_model_ref (model);
  stream->synchronous = stream->settings->max_in_flight == 0;
  stream->counters = (GstVfiCounters){0};
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
  gst_vfi_task_clear_locked (stream);
  gst_vfi_live_forget_locked (stream);
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
