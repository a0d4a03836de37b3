/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Latency and QoS of the stream. See the header for who may call what; the lock is never
 * held across a query, a message or a call into the engine. */
#include "stream/live.h"

#include "pure/latency.h"
#include "stream/state.h"

#define GST_CAT_DEFAULT gst_vfi_debug

static gboolean
engine_job_times (
    gpointer user_data, VfiJob *job, gboolean wait, GstClockTime *cost, GstClockTime *age)
{
  int64_t started, ended;

  (void) user_data;
  (void) wait;
  if (!vfi_job_get_times (job, &started, &ended))
    return FALSE;
  *cost = (GstClockTime) (ended - started) * GST_USECOND;
  *age = (GstClockTime) MAX (g_get_monotonic_time () - ended, 0) * GST_USECOND;
  return TRUE;
}

void
gst_vfi_live_init (GstVfiLive *live)
{
  *live = (GstVfiLive){
      .frame = GST_VFI_LATENCY_ASSUMED_FRAME,
      .out_frame = GST_VFI_LATENCY_ASSUMED_FRAME,
      .total = GST_CLOCK_TIME_NONE,
      .pipeline_latency = GST_CLOCK_TIME_NONE,
      .measured_at = GST_CLOCK_TIME_NONE,
      .last_pts = GST_CLOCK_TIME_NONE,
      .job_times = engine_job_times,
      .build_session = gst_vfi_session_build,
  };
  gst_vfi_qos_init (&live->qos);
}

void
gst_vfi_live_reset (GstVfiStream *stream)
{
  GstVfiLive *live = &stream->live;

  g_mutex_lock (&stream->lock);
  gst_vfi_qos_reset (&live->qos);
  g_mutex_unlock (&stream->lock);
  live->jobs = 0;
  live->pair_id = 0;
  live->measured_at = GST_CLOCK_TIME_NONE;
  live->last_pts = GST_CLOCK_TIME_NONE;
  gst_vfi_recent_clear (&live->gaps);
}

void
gst_vfi_live_forget_jobs (GstVfiStream *stream)
{
  if (stream->live.jobs == 0)
    return;
  stream->live.jobs = 0;
  g_mutex_lock (&stream->lock);
  gst_vfi_qos_reset (&stream->live.qos);
  g_mutex_unlock (&stream->lock);
}

void
gst_vfi_live_forget_costs (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  gst_vfi_qos_forget_costs (&stream->live.qos);
  stream->live.cost_known = FALSE;
  g_mutex_unlock (&stream->lock);
}

/* Times of the pipeline. */

/* Before PLAYING and after it the base time is not that of the frames to come. */
static GstClock *
ref_clock (GstVfiStream *stream, GstClockTime *base_time)
{
  GstElement *element = stream->element;
  GstClock *clock = NULL;

  GST_OBJECT_LOCK (element);
  if (GST_STATE (element) == GST_STATE_PLAYING && GST_ELEMENT_CLOCK (element) != NULL)
    clock = gst_object_ref (GST_ELEMENT_CLOCK (element));
  *base_time = element->base_time;
  GST_OBJECT_UNLOCK (element);
  return clock;
}

static GstClockTime
clock_time (GstVfiStream *stream, GstClockTime *base_time)
{
  g_autoptr (GstClock) clock = ref_clock (stream, base_time);

  return clock != NULL ? gst_clock_get_time (clock) : GST_CLOCK_TIME_NONE;
}

GstClockTime
gst_vfi_live_now (GstVfiStream *stream)
{
  GstClockTime base_time;

  return clock_time (stream, &base_time);
}

static void
set_live (GstVfiStream *stream, gboolean live)
{
  g_mutex_lock (&stream->lock);
  stream->live.live = live;
  g_mutex_unlock (&stream->lock);
}

gboolean
gst_vfi_live_ask_upstream (GstVfiStream *stream)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_peer_query (stream->sinkpad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  set_live (stream, live);
  return live;
}

/* Latency. */

static GstClockTime
frame_interval (GstVfiStream *stream)
{
  const GstVideoInfo *info = &stream->info;
  GstClockTime gap;

  if (!gst_vfi_caps_is_variable (info) && GST_VIDEO_INFO_FPS_N (info) > 0)
    return gst_util_uint64_scale_int (
        GST_SECOND, GST_VIDEO_INFO_FPS_D (info), GST_VIDEO_INFO_FPS_N (info));
  gap = gst_vfi_recent_p95 (&stream->live.gaps);
  return GST_CLOCK_TIME_IS_VALID (gap) ? gap : GST_VFI_LATENCY_ASSUMED_FRAME;
}

/* Computes the latency anew and posts a LATENCY message if it changed enough. */
static void
update_latency (GstVfiStream *stream, gboolean configured)
{
  GstVfiLive *live = &stream->live;
  const GstVfiRun *run = &stream->run;
  GstVfiLatencyInput input = {
      .grid = run->slots.num != 0 || run->departs,
      .multiplier = run->multiplier,
      .frame = frame_interval (stream),
      .cost = GST_CLOCK_TIME_NONE,
      .budget = gst_vfi_stream_settings (stream).latency_budget,
      .held_frames = gst_vfi_stream_max_repeats (stream),
  };
  GstClockTime own = 0;
  gboolean keeps_up = TRUE, was_known, changed;

  if (run->slots.num != 0)
    input.out_frame = gst_util_uint64_scale (GST_SECOND, run->slots.den, run->slots.num);
  else
    input.out_frame = input.frame / MAX (run->multiplier, 1);
  configured = configured || input.budget != live->budget;
  live->budget = input.budget;
  g_mutex_lock (&stream->lock);
  was_known = live->cost_known;
  live->cost_known =
      was_known || live->qos.costs.in_between[0].n_times >= GST_VFI_LIVE_FEW_COSTS;
  if (live->cost_known)
    gst_vfi_qos_costs (&live->qos, &input.cost, &input.pair_cost);
  /* What was assumed is no measurement that may differ a little. */
  configured = configured || was_known != live->cost_known;
  if (stream->mode != GST_VFI_MODE_PASSTHROUGH)
    keeps_up = gst_vfi_latency_own (&input, &own);
  changed = gst_vfi_latency_must_post (live->own_latency, own, configured);
  if (changed)
    live->own_latency = own;
  live->frame = input.frame;
  live->out_frame = input.out_frame;
  g_mutex_unlock (&stream->lock);
  if (!changed)
    return;
  GST_INFO_OBJECT (stream->element,
      "latency %" GST_TIME_FORMAT " for frames of %" GST_TIME_FORMAT
      " and a cost of %" GST_TIME_FORMAT "%s",
      GST_TIME_ARGS (own), GST_TIME_ARGS (input.frame), GST_TIME_ARGS (input.cost),
      keeps_up ? "" : ", which is too much for all frames");
  gst_element_post_message (
      stream->element, gst_message_new_latency (GST_OBJECT (stream->element)));
}

void
gst_vfi_live_configure (GstVfiStream *stream)
{
  update_latency (stream, TRUE);
}

static void
update_measured_latency (GstVfiStream *stream, GstClockTime now)
{
  GstVfiLive *live = &stream->live;
  gboolean due;

  if (!GST_CLOCK_TIME_IS_VALID (live->measured_at))
    live->measured_at = now;
  due = GST_CLOCK_TIME_IS_VALID (now) && now > live->measured_at &&
        now - live->measured_at >= GST_VFI_LIVE_MEASURE_INTERVAL;
  if (due)
    live->measured_at = now;
  if (due || gst_vfi_stream_settings (stream).latency_budget != live->budget)
    update_latency (stream, FALSE);
}

void
gst_vfi_live_note_frame (GstVfiStream *stream, GstClockTime pts)
{
  GstVfiLive *live = &stream->live;

  if (GST_CLOCK_TIME_IS_VALID (live->last_pts) && pts > live->last_pts)
    gst_vfi_recent_add (&live->gaps, pts - live->last_pts);
  live->last_pts = pts;
  update_measured_latency (stream, gst_vfi_live_now (stream));
}

gboolean
gst_vfi_live_query_latency (GstVfiStream *stream, GstQuery *query)
{
  GstVfiLive *state = &stream->live;
  GstClockTime min, max, queue;
  gboolean live;

  if (!gst_pad_peer_query (stream->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &min, &max);
  g_mutex_lock (&stream->lock);
  state->live = live;
  queue = state->own_latency == 0 || stream->synchronous
              ? 0
              : GST_VFI_QUEUE_BUFFERS * state->frame;
  gst_vfi_latency_answer (live, state->own_latency, queue, &min, &max);
  state->total = live ? min : GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&stream->lock);
  gst_query_set_latency (query, live, min, max);
  return TRUE;
}

/* Deadlines. */

static void
post_message (GstVfiStream *stream, const GstVfiQosMessage *from, gboolean live,
    GstClockTime running_time, const GstVfiSlot *slot)
{
  GstClockTime stream_time =
      gst_segment_to_stream_time (&stream->run.segment, GST_FORMAT_TIME, slot->pts);
  GstMessage *message = gst_message_new_qos (GST_OBJECT (stream->element), live,
      running_time, stream_time, slot->pts, slot->duration);

  gst_message_set_qos_values (message, from->jitter, 1.0, from->quality);
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, from->processed, from->dropped);
  GST_DEBUG_OBJECT (stream->element,
      "rung %d, last lateness %" GST_STIME_FORMAT ", %" G_GUINT64_FORMAT
      " computed, %" G_GUINT64_FORMAT " not for lack of time",
      from->rung, GST_STIME_ARGS (from->jitter), from->processed, from->dropped);
  gst_element_post_message (stream->element, message);
}

static GstClockTime
at_rate (const GstSegment *segment, GstClockTime span)
{
  gdouble rate = ABS (segment->rate);

  return rate == 1.0 ? span : (GstClockTime) ((gdouble) span / rate);
}

/* What passes through may be in any format. */
static GstClockTime
running_time (GstVfiStream *stream, GstClockTime pts)
{
  if (stream->run.segment.format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (&stream->run.segment, GST_FORMAT_TIME, pts);
}

/* Who waits for a buffer's time was given it before and gives the thread back after it. */
GstFlowReturn
gst_vfi_live_push (GstVfiStream *stream, GstBuffer *buffer)
{
  GstVfiLive *live = &stream->live;
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  GstClockTime base_time, before = clock_time (stream, &base_time), after, due;
  GstFlowReturn ret = gst_pad_push (stream->srcpad, buffer);

  if (!GST_CLOCK_TIME_IS_VALID (before) || !GST_CLOCK_TIME_IS_VALID (pts))
    return ret;
  after = gst_vfi_live_now (stream);
  g_mutex_lock (&stream->lock);
  due = gst_vfi_latency_deadline (
      base_time, running_time (stream, pts), live->pipeline_latency, GST_CLOCK_TIME_NONE);
  if (GST_CLOCK_TIME_IS_VALID (due) && before < due)
    live->downstream_waits = after >= due;
  g_mutex_unlock (&stream->lock);
  return ret;
}

void
gst_vfi_live_begin_pair (GstVfiStream *stream, guint64 id, guint count, GstClockTime span,
    const GstVfiSlot *slot)
{
  GstVfiLive *live = &stream->live;
  GstClockTime now = gst_vfi_live_now (stream);
  GstVfiSettings settings = gst_vfi_stream_settings (stream);
  GstVfiQosConfig config = {
      .on_late = (GstVfiOnLate) settings.on_late,
      .events = settings.qos,
  };
  GstVfiQosMessage message;
  gboolean due;

  span = at_rate (&stream->run.segment, span);
  g_mutex_lock (&stream->lock);
  config.live = live->live;
  due = gst_vfi_qos_take_message (&live->qos, now, &message);
  gst_vfi_qos_set_config (&live->qos, &config);
  gst_vfi_qos_begin_pair (&live->qos, now, live->jobs, count, span);
  g_mutex_unlock (&stream->lock);
  live->pair_id = id;
  live->pair_index = 0;
  if (due)
    post_message (stream, &message, config.live, running_time (stream, slot->pts), slot);
}

/* A little of what others have is taken before an in-between is given up: sources are late,
 * too. */
static GstClockTime
share_of_latency (const GstVfiLive *live)
{
  if (live->downstream_waits || !GST_CLOCK_TIME_IS_VALID (live->total))
    return GST_CLOCK_TIME_NONE;
  return live->total + GST_VFI_QOS_TOLERANCE;
}

GstVfiDecision
gst_vfi_live_decide (GstVfiStream *stream, const GstVfiSlot *slot, GstVfiQosJob *job)
{
  GstVfiLive *live = &stream->live;
  GstClockTime base_time;
  GstVfiDecision decision;
  GstVfiQosAsk ask = {
      .index = ++live->pair_index,
      .running_time = running_time (stream, slot->pts),
      .now = clock_time (stream, &base_time),
      .jobs = live->jobs,
  };

  g_mutex_lock (&stream->lock);
  ask.deadline = gst_vfi_latency_deadline (
      base_time, ask.running_time, live->pipeline_latency, share_of_latency (live));
  decision = gst_vfi_qos_decide (&live->qos, &ask, job);
  g_mutex_unlock (&stream->lock);
  return decision;
}

gboolean
gst_vfi_live_finish (
    GstVfiStream *stream, VfiJob *job, const GstVfiQosJob *qos_job, gboolean wait)
{
  GstVfiLive *live = &stream->live;
  GstClockTime cost, age, now;

  if (!live->job_times (live->job_times_data, job, wait, &cost, &age))
    return FALSE;
  now = gst_vfi_live_now (stream);
  if (GST_CLOCK_TIME_IS_VALID (now))
    now = now > age ? now - age : 0;
  g_mutex_lock (&stream->lock);
  gst_vfi_qos_finish (&live->qos, qos_job, cost, now);
  g_mutex_unlock (&stream->lock);
  live->jobs--;
  return TRUE;
}

/* Events from downstream. */

static gboolean
note_qos (GstVfiStream *stream, GstEvent *event)
{
  GstVfiLive *live = &stream->live;
  gboolean forward = TRUE;
  GstClockTimeDiff diff;
  GstClockTime timestamp;
  GstQOSType type;

  gst_event_parse_qos (event, &type, NULL, &diff, &timestamp);
  g_mutex_lock (&stream->lock);
  if (stream->settings->qos && live->own_latency != 0) {
    gst_vfi_qos_note_event (&live->qos, type, diff, timestamp, live->out_frame);
    forward = gst_vfi_qos_forwards_events (&live->qos);
  }
  g_mutex_unlock (&stream->lock);
  return forward;
}

gboolean
gst_vfi_live_note_event (GstVfiStream *stream, GstEvent *event)
{
  GstClockTime latency;

  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS)
    return note_qos (stream, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_LATENCY) {
    gst_event_parse_latency (event, &latency);
    g_mutex_lock (&stream->lock);
    stream->live.pipeline_latency = latency;
    g_mutex_unlock (&stream->lock);
  }
  return TRUE;
}

void
gst_vfi_live_add_stats (GstVfiStream *stream, GstStructure *stats)
{
  static const char *const names[] = {
      [GST_VFI_RUNG_FULL] = "full",
      [GST_VFI_RUNG_REDUCED] = "reduced",
      [GST_VFI_RUNG_HALF] = "half",
      [GST_VFI_RUNG_DUPLICATES] = "duplicates",
      [GST_VFI_RUNG_NONE] = "none",
  };
  const GstVfiLive *live = &stream->live;
  GstClockTime cost, pair_cost;

  g_mutex_lock (&stream->lock);
  gst_vfi_qos_costs (&live->qos, &cost, &pair_cost);
  gst_structure_set (stats, "rung", G_TYPE_STRING, names[live->qos.rung], "latency",
      G_TYPE_UINT64, live->own_latency, "late", G_TYPE_UINT64, live->qos.dropped, NULL);
  if (GST_CLOCK_TIME_IS_VALID (cost))
    gst_structure_set (
        stats, "cost", G_TYPE_UINT64, cost, "pair-cost", G_TYPE_UINT64, pair_cost, NULL);
  g_mutex_unlock (&stream->lock);
}
