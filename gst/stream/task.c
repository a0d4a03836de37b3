/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What runs in the streaming thread: items go to process.c, and outputs leave the pending
 * list. */
#include "stream/task.h"

#include "stream/jobs.h"
#include "stream/pending.h"
#include "stream/process.h"
#include "stream/queue.h"
#include "stream/retire.h"
#include "stream/timeout.h"
#include "stream/wait_limit.h"
#include "stream/window.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Guarded by the stream's lock. */
struct _GstVfiTask {
  GstFlowReturn flow;  /* what upstream is told; the task runs with OK and EOS */
  gboolean eos;        /* EOS is queued or was pushed */
  guint parking;       /* threads that wait for the task to leave its function */
  guint links_changed; /* raised by what may mend a flow error */
};

GstVfiTask *
gst_vfi_task_new (void)
{
  GstVfiTask *task = g_new0 (GstVfiTask, 1);

  task->flow = GST_FLOW_FLUSHING;
  return task;
}

/* Whether a flow is one that nobody downstream will recover from. */
static gboolean
is_error (GstFlowReturn flow)
{
  return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS;
}

/* Upstream has sent its last buffer and would never post the error. */
static void
post_flow_error (GstVfiStream *stream, GstFlowReturn flow)
{
  GST_ELEMENT_FLOW_ERROR (stream->element, flow);
}

static void
fail_at_eos (GstVfiStream *stream, GstFlowReturn flow)
{
  post_flow_error (stream, flow);
  gst_pad_push_event (stream->srcpad, gst_event_new_eos ());
}

/* Downstream wants no more frames; events still go, so that EOS and a later segment
 * arrive. */
static void
finish_at_downstream_eos (GstVfiStream *stream)
{
  gst_vfi_window_drop_views (stream);
  gst_vfi_process_close_run (stream, FALSE, GST_CLOCK_TIME_NONE);
  gst_vfi_retire_drop_buffers (stream);
  g_mutex_lock (&stream->lock);
  if (stream->task->flow == GST_FLOW_OK)
    stream->task->flow = GST_FLOW_EOS;
  gst_vfi_queue_drop_buffers_locked (stream);
  g_mutex_unlock (&stream->lock);
}

/* What an event that comes in says about the flow from here on. */
static void
note_event_locked (GstVfiTask *task, const GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_EOS:
      task->eos = TRUE;
      break;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT:
      task->eos = FALSE;
      if (task->flow == GST_FLOW_EOS)
        task->flow = GST_FLOW_OK;
      break;
    default:
      break;
  }
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

/* What comes in. */

/* Handles @object (taken, unless it is a query) in the caller's thread until its outputs
 * have left. @answer is for queries. */
static GstFlowReturn
run_synchronously (GstVfiStream *stream, gpointer object, gboolean *answer)
{
  gboolean is_eos = GST_IS_EVENT (object) && GST_EVENT_TYPE (object) == GST_EVENT_EOS;
  GstFlowReturn ret;

  g_mutex_lock (&stream->lock);
  if (GST_IS_EVENT (object))
    note_event_locked (stream->task, GST_EVENT_CAST (object));
  ret = stream->task->flow;
  g_mutex_unlock (&stream->lock);
  if (ret == GST_FLOW_FLUSHING || (ret == GST_FLOW_EOS && GST_IS_BUFFER (object))) {
    if (!GST_IS_QUERY (object))
      gst_mini_object_unref (object);
    return ret;
  }

  gst_vfi_task_reset_if_due (stream);
  ret = gst_vfi_process_item (stream, object, answer);
  if (ret == GST_FLOW_OK)
    ret = gst_vfi_retire_all (stream);
  if (ret == GST_FLOW_EOS) {
    finish_at_downstream_eos (stream);
    gst_vfi_retire_all (stream);
  } else if (ret != GST_FLOW_OK) {
    gst_vfi_retire_clear (stream, GST_VFI_KEEP_OVER_ERROR);
    if (is_eos && is_error (ret))
      fail_at_eos (stream, ret);
  }
  return ret;
}

GstFlowReturn
gst_vfi_task_take_buffer (GstVfiStream *stream, GstBuffer *buffer)
{
  GstVfiTask *task = stream->task;
  GstFlowReturn flow;

  if (stream->synchronous)
    return run_synchronously (stream, buffer, NULL);
  g_mutex_lock (&stream->lock);
  while (task->flow == GST_FLOW_OK && gst_vfi_queue_is_full_locked (stream))
    g_cond_wait (&stream->changed, &stream->lock);
  flow = task->flow;
  if (flow == GST_FLOW_OK)
    gst_vfi_queue_push_locked (stream, buffer, NULL);
  g_mutex_unlock (&stream->lock);
  if (flow != GST_FLOW_OK)
    gst_buffer_unref (buffer);
  return flow;
}

/* Whether an event is queued although buffers are refused. As with GstQueue: errors show
 * with the next buffer, but no buffer follows EOS. */
static gboolean
is_queued (const GstEvent *event, GstFlowReturn flow)
{
  gboolean is_eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  return flow == GST_FLOW_OK || flow == GST_FLOW_EOS ||
         (GST_EVENT_IS_STICKY (event) && !is_eos && flow != GST_FLOW_FLUSHING);
}

GstFlowReturn
gst_vfi_task_take_event (GstVfiStream *stream, GstEvent *event)
{
  gboolean is_eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  GstFlowReturn flow;
  gboolean queued;

  if (stream->synchronous)
    return run_synchronously (stream, event, NULL);
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS)
    gst_vfi_task_try_again (stream, GST_FLOW_NOT_NEGOTIATED);
  g_mutex_lock (&stream->lock);
  note_event_locked (stream->task, event);
  flow = stream->task->flow;
  queued = is_queued (event, flow);
  if (queued)
    gst_vfi_queue_push_locked (stream, event, NULL);
  g_mutex_unlock (&stream->lock);
  if (queued)
    return GST_FLOW_OK;
  gst_event_unref (event);
  if (is_eos && is_error (flow))
    post_flow_error (stream, flow);
  return flow;
}

gboolean
gst_vfi_task_answer_query (GstVfiStream *stream, GstQuery *query)
{
  GstVfiReply reply = {FALSE, FALSE};

  if (stream->synchronous) {
    gboolean answer = FALSE;
    run_synchronously (stream, query, &answer);
    return answer;
  }
  g_mutex_lock (&stream->lock);
  if (stream->task->flow == GST_FLOW_OK || stream->task->flow == GST_FLOW_EOS) {
    gst_vfi_queue_push_locked (stream, query, &reply);
    while (!reply.done)
      g_cond_wait (&stream->changed, &stream->lock);
  }
  g_mutex_unlock (&stream->lock);
  return reply.answer;
}

/* The task. */

typedef enum {
  STEP_STOP,
  STEP_ACCEPT,
  STEP_RETIRE,
  STEP_FILL,
  STEP_END_WAIT,
} Step;

/* Whether everything has left that waits for no frames. */
static gboolean
nothing_moves (const GstVfiStream *stream)
{
  return gst_vfi_pending_length (stream) == 0 || gst_vfi_pending_waits (stream);
}

/* Items enter before outputs leave, so that the engine works while downstream does;
 * frames on their way are bounded by max-in-flight. */
static gboolean
may_accept (GstVfiStream *stream, const GstMiniObject *object)
{
  if (gst_vfi_process_needs_drain (stream, object))
    return nothing_moves (stream);
  if (GST_IS_BUFFER (object) && gst_vfi_pending_is_full (stream))
    return FALSE;
  return gst_vfi_pending_is_submitted (stream);
}

/* What to do next, and how often links had changed before that. The lock is not held
 * while the engine is asked; whatever changes then raises wake_count. */
static Step
next_step (GstVfiStream *stream, guint *links)
{
  Step step = STEP_STOP;
  gboolean ready;
  guint seen;

  g_mutex_lock (&stream->lock);
  do {
    GstMiniObject *object;
    seen = stream->wake_count;
    g_mutex_unlock (&stream->lock);
    gst_vfi_jobs_tell_progress (stream);
    ready = gst_vfi_retire_is_ready (stream);
    g_mutex_lock (&stream->lock);
    *links = stream->task->links_changed;
    if (stream->closed != 0 || stream->reset_due || stream->task->parking > 0)
      break;
    object = gst_vfi_queue_peek_locked (stream);
    if (object != NULL && may_accept (stream, object))
      step = STEP_ACCEPT;
    else if (ready)
      step = STEP_RETIRE;
    else if (gst_vfi_timeout_is_due_locked (stream) && nothing_moves (stream))
      step = STEP_FILL;
    else if (gst_vfi_wait_limit_is_reached_locked (stream))
      step = STEP_END_WAIT;
    else if (seen == stream->wake_count)
      g_cond_wait (&stream->changed, &stream->lock);
  } while (step == STEP_STOP);
  g_mutex_unlock (&stream->lock);
  return step;
}

static GstFlowReturn
accept_item (GstVfiStream *stream)
{
  gboolean answer = FALSE, taken;
  GstFlowReturn ret;
  GstVfiItem item;

  g_mutex_lock (&stream->lock);
  taken = stream->closed == 0 && gst_vfi_queue_pop_locked (stream, &item);
  g_mutex_unlock (&stream->lock);
  if (!taken)
    return GST_FLOW_FLUSHING;
  ret = gst_vfi_process_item (stream, item.object, &answer);
  g_mutex_lock (&stream->lock);
  gst_vfi_queue_reply_locked (stream, &item, answer);
  g_mutex_unlock (&stream->lock);
  return ret;
}

/* Whether the result of the last step is out of date: the stream was flushed, and opened
 * again, from within it, or downstream was linked meanwhile, or there are other caps to
 * try. */
static gboolean
is_out_of_date_locked (const GstVfiStream *stream, GstFlowReturn flow, guint links)
{
  if ((stream->reset_due || stream->task->parking > 0) && stream->closed == 0)
    return TRUE;
  if (flow == GST_FLOW_NOT_NEGOTIATED && gst_vfi_queue_has_caps_locked (stream))
    return TRUE;
  return (flow == GST_FLOW_NOT_LINKED || flow == GST_FLOW_NOT_NEGOTIATED) &&
         links != stream->task->links_changed;
}

static gboolean
is_out_of_date (GstVfiStream *stream, GstFlowReturn flow, guint links)
{
  gboolean result;

  if (flow == GST_FLOW_OK)
    return FALSE;
  g_mutex_lock (&stream->lock);
  result = is_out_of_date_locked (stream, flow, links);
  /* Somebody may have started the task since it was told to pause, and it holds the src
   * pad's lock for as long as it runs. */
  if (stream->task->parking > 0)
    gst_pad_pause_task (stream->srcpad);
  g_mutex_unlock (&stream->lock);
  return result;
}

/* Where the stream is closed, what is pending waits for the reset that follows: the pad
 * takes no sticky events now. */
static void
stop_task (GstVfiStream *stream, GstFlowReturn flow, guint links)
{
  gboolean eos;

  if (!gst_vfi_stream_is_flushing (stream))
    gst_vfi_retire_clear (stream, GST_VFI_KEEP_OVER_ERROR);
  g_mutex_lock (&stream->lock);
  if (is_out_of_date_locked (stream, flow, links)) {
    g_mutex_unlock (&stream->lock);
    return;
  }
  if (stream->task->flow == GST_FLOW_OK)
    stream->task->flow = flow;
  flow = stream->task->flow;
  eos = stream->task->eos;
  gst_vfi_queue_clear_locked (stream, GST_VFI_KEEP_OVER_ERROR);
  /* Under the lock, so whoever clears the flow error restarts the task afterwards. */
  gst_pad_pause_task (stream->srcpad);
  g_mutex_unlock (&stream->lock);
  GST_DEBUG_OBJECT (stream->element, "task stops: %s", gst_flow_get_name (flow));
  if (eos && is_error (flow))
    fail_at_eos (stream, flow);
}

static void
loop (gpointer data)
{
  GstVfiStream *stream = data;
  GstFlowReturn ret = GST_FLOW_FLUSHING;
  guint links = 0;

  gst_vfi_task_reset_if_due (stream);
  gst_vfi_wait_limit_watch (stream);
  switch (next_step (stream, &links)) {
    case STEP_ACCEPT:
      ret = accept_item (stream);
      break;
    case STEP_RETIRE:
      ret = gst_vfi_retire_next (stream);
      break;
    case STEP_FILL:
      ret = gst_vfi_timeout_fill (stream);
      break;
    case STEP_END_WAIT:
      ret = gst_vfi_wait_limit_end_wait (stream);
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

/* What others ask of the task. */

void
gst_vfi_task_start (GstVfiStream *stream)
{
  if (!stream->synchronous)
    gst_pad_start_task (stream->srcpad, loop, stream, NULL);
}

void
gst_vfi_task_park (GstVfiStream *stream)
{
  if (stream->synchronous)
    return;
  g_mutex_lock (&stream->lock);
  stream->task->parking++;
  gst_vfi_stream_wake_locked (stream);
  g_mutex_unlock (&stream->lock);
  gst_pad_pause_task (stream->srcpad);
  g_mutex_lock (&stream->lock);
  stream->task->parking--;
  if (stream->closed == 0 && stream->task->flow == GST_FLOW_OK)
    gst_vfi_task_start (stream);
  g_mutex_unlock (&stream->lock);
}

void
gst_vfi_task_close_locked (GstVfiStream *stream)
{
  stream->task->flow = GST_FLOW_FLUSHING;
  gst_vfi_queue_clear_locked (stream, GST_VFI_KEEP_OVER_FLUSH);
}

void
gst_vfi_task_open_locked (GstVfiStream *stream)
{
  stream->task->eos = FALSE;
  stream->task->flow = GST_FLOW_OK;
}

void
gst_vfi_task_clear_locked (GstVfiStream *stream)
{
  gst_vfi_queue_clear_locked (stream, GST_VFI_KEEP_NOTHING);
}

/* The task may not have heard of the error yet that is mended here. */
void
gst_vfi_task_try_again (GstVfiStream *stream, GstFlowReturn mended)
{
  g_mutex_lock (&stream->lock);
  stream->task->links_changed++;
  if (stream->task->flow == mended && !stream->synchronous) {
    stream->task->flow = GST_FLOW_OK;
    gst_vfi_task_start (stream);
  }
  g_mutex_unlock (&stream->lock);
}
