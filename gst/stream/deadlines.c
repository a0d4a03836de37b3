/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/deadlines.h"

#include "pure/latency.h"
#include "stream/live.h"
#include "stream/rungs.h"

#define GST_CAT_DEFAULT gst_vfi_debug

struct _GstVfiDeadlines {
  /* Guarded by the stream's lock. */
  GstVfiQos qos;

  /* Owned by the streaming thread. */
  guint jobs[GST_VFI_N_MAKERS]; /* of each maker: submitted, but not accounted for */
  guint64 pair_id;              /* the pair that the ladder decides on, or 0 */
  GstSegment segment;           /* of that pair */
  guint pair_index;             /* how many in-betweens of it were decided */
  GstVfiRung rung;              /* of the pair before */
  gboolean downstream_waits;    /* a sink in this thread holds buffers until their time */
  GstVfiJobTimes job_times;
  gpointer job_times_data;
};

static gboolean
engine_job_times (gpointer user_data, VfiJob *job, GstVfiMaker maker,
    GstVfiAskedJob asked, GstClockTime *cost, GstClockTime *age)
{
  int64_t started, ended;

  (void) user_data;
  (void) maker;
  (void) asked;
  if (!vfi_job_get_times (job, &started, &ended))
    return FALSE;
  *cost = (GstClockTime) (ended - started) * GST_USECOND;
  *age = (GstClockTime) MAX (g_get_monotonic_time () - ended, 0) * GST_USECOND;
  return TRUE;
}

GstVfiDeadlines *
gst_vfi_deadlines_new (void)
{
  GstVfiDeadlines *deadlines = g_new0 (GstVfiDeadlines, 1);

  deadlines->job_times = engine_job_times;
  gst_vfi_qos_init (&deadlines->qos);
  return deadlines;
}

void
gst_vfi_deadlines_start (GstVfiStream *stream)
{
  stream->deadlines->rung = GST_VFI_RUNG_FULL;
}

void
gst_vfi_deadlines_set_job_times (
    GstVfiStream *stream, GstVfiJobTimes job_times, gpointer user_data)
{
  stream->deadlines->job_times = job_times;
  stream->deadlines->job_times_data = user_data;
}

static void
reset_qos (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  gst_vfi_qos_reset (&stream->deadlines->qos);
  g_mutex_unlock (&stream->lock);
}

/* Returns whether there were any. */
static gboolean
drop_jobs (GstVfiDeadlines *deadlines)
{
  gboolean any = FALSE;

  for (guint maker = 0; maker < GST_VFI_N_MAKERS; maker++) {
    any = any || deadlines->jobs[maker] > 0;
    deadlines->jobs[maker] = 0;
  }
  return any;
}

void
gst_vfi_deadlines_reset (GstVfiStream *stream)
{
  reset_qos (stream);
  drop_jobs (stream->deadlines);
  stream->deadlines->pair_id = 0;
}

void
gst_vfi_deadlines_forget_jobs (GstVfiStream *stream)
{
  if (drop_jobs (stream->deadlines))
    reset_qos (stream);
}

void
gst_vfi_deadlines_forget_costs (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  gst_vfi_qos_forget_costs (&stream->deadlines->qos);
  g_mutex_unlock (&stream->lock);
}

GstVfiQosLatency
gst_vfi_deadlines_latency_locked (GstVfiStream *stream)
{
  return gst_vfi_qos_latency (&stream->deadlines->qos);
}

/* Pairs. */

static void
post_message (GstVfiStream *stream, const GstVfiQosMessage *from, gboolean live,
    const GstVfiSlot *slot)
{
  const GstSegment *segment = &stream->deadlines->segment;
  GstClockTime running_time = gst_vfi_live_running_time (segment, slot->pts);
  GstClockTime stream_time =
      gst_segment_to_stream_time (segment, GST_FORMAT_TIME, slot->pts);
  GstMessage *message = gst_message_new_qos (GST_OBJECT (stream->element), live,
      running_time, stream_time, slot->pts, slot->duration);

  gst_message_set_qos_values (message, from->jitter, 1.0, from->quality);
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, from->processed, from->dropped);
  GST_DEBUG_OBJECT (stream->element,
      "rung %s, last lateness %" GST_STIME_FORMAT ", %" G_GUINT64_FORMAT
      " computed, %" G_GUINT64_FORMAT " not for lack of time",
      gst_vfi_rung_to_string (from->rung), GST_STIME_ARGS (from->jitter), from->processed,
      from->dropped);
  gst_element_post_message (stream->element, message);
}

/* Tells of the rung of a pair whose first in-between is at @pts. */
static void
tell_rung (GstVfiStream *stream, GstVfiRung rung, GstClockTime pts)
{
  const char *now = gst_vfi_rung_to_string (rung);
  const char *previous = gst_vfi_rung_to_string (stream->deadlines->rung);
  guint64 changes;

  if (rung == stream->deadlines->rung)
    return;
  stream->deadlines->rung = rung;
  g_mutex_lock (&stream->lock);
  changes = ++stream->counters.rung_changes;
  g_mutex_unlock (&stream->lock);
  GST_INFO_OBJECT (stream->element, "rung \"%s\" after \"%s\", from %" GST_TIME_FORMAT,
      now, previous, GST_TIME_ARGS (pts));
  gst_element_post_message (stream->element,
      gst_message_new_element (GST_OBJECT (stream->element),
          gst_structure_new ("vfiinterp-rung", "rung", G_TYPE_STRING, now, "previous",
              G_TYPE_STRING, previous, "pts", G_TYPE_UINT64, pts, "changes",
              G_TYPE_UINT64, changes, NULL)));
}

static GstClockTime
at_rate (const GstSegment *segment, GstClockTime span)
{
  gdouble rate = ABS (segment->rate);

  return rate == 1.0 ? span : (GstClockTime) ((gdouble) span / rate);
}

/* What properties, the pipeline and the rungs that are there say. */
static GstVfiQosConfig
configuration (GstVfiStream *stream, gboolean is_ready)
{
  GstVfiSettings settings = gst_vfi_stream_settings (stream);
  GstVfiQosConfig config = {
      .on_late = (GstVfiOnLate) settings.on_late,
      .events = settings.qos,
      .rehearses = gst_vfi_rungs_rehearsal (stream) != NULL,
  };

  for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++)
    config.has[maker] = gst_vfi_rungs_session (stream, maker) != NULL;
  config.has[GST_VFI_MAKER_FULL] = is_ready;
  g_mutex_lock (&stream->lock);
  config.live = stream->live->live;
  g_mutex_unlock (&stream->lock);
  return config;
}

gboolean
gst_vfi_deadlines_has_ladder (GstVfiStream *stream)
{
  GstVfiQosConfig config = configuration (stream, TRUE);

  return gst_vfi_ladder_of (&config) != GST_VFI_ON_LATE_WAIT;
}

void
gst_vfi_deadlines_begin_pair (GstVfiStream *stream, gboolean is_ready,
    const GstSegment *segment, guint64 id, guint count, GstClockTime span,
    const GstVfiSlot *slot)
{
  GstVfiDeadlines *deadlines = stream->deadlines;
  GstClockTime now = gst_vfi_live_now (stream, NULL);
  GstVfiQosConfig config = configuration (stream, is_ready);
  GstVfiQosMessage message;
  GstVfiRung rung;
  gboolean due;

  span = at_rate (segment, span);
  g_mutex_lock (&stream->lock);
  due = gst_vfi_qos_take_message (&deadlines->qos, now, &message);
  gst_vfi_qos_set_config (&deadlines->qos, &config);
  rung = gst_vfi_qos_begin_pair (&deadlines->qos, now, deadlines->jobs, count, span);
  g_mutex_unlock (&stream->lock);
  deadlines->segment = *segment;
  deadlines->pair_id = id;
  deadlines->pair_index = 0;
  if (due)
    post_message (stream, &message, config.live, slot);
  tell_rung (stream, rung, slot->pts);
}

gboolean
gst_vfi_deadlines_has_begun (GstVfiStream *stream, guint64 id)
{
  return stream->deadlines->pair_id == id;
}

/* Allow a small overrun into downstream's latency: sources are late, too. */
static GstClockTime
share_of_latency (const GstVfiStream *stream)
{
  if (stream->deadlines->downstream_waits ||
      !GST_CLOCK_TIME_IS_VALID (stream->live->total))
    return GST_CLOCK_TIME_NONE;
  return stream->live->total + GST_VFI_QOS_TOLERANCE;
}

GstVfiDecision
gst_vfi_deadlines_decide (GstVfiStream *stream, const GstVfiSlot *slot, GstVfiQosJob *job)
{
  GstVfiDeadlines *deadlines = stream->deadlines;
  GstClockTime base_time;
  GstVfiDecision decision;
  GstVfiQosAsk ask = {
      .index = ++deadlines->pair_index,
      .running_time = gst_vfi_live_running_time (&deadlines->segment, slot->pts),
      .now = gst_vfi_live_now (stream, &base_time),
  };

  memcpy (ask.jobs, deadlines->jobs, sizeof ask.jobs);
  g_mutex_lock (&stream->lock);
  ask.deadline = gst_vfi_latency_deadline (base_time, ask.running_time,
      stream->live->pipeline_latency, share_of_latency (stream));
  decision = gst_vfi_qos_decide (&deadlines->qos, &ask, job);
  g_mutex_unlock (&stream->lock);
  return decision;
}

/* What the work takes, as far as it is known, and what waking up takes. */
static GstClockTime
time_of_work_locked (const GstVfiStream *stream)
{
  GstClockTime cost, pair_cost;

  gst_vfi_qos_costs (&stream->deadlines->qos, &cost, &pair_cost);
  return (GST_CLOCK_TIME_IS_VALID (cost) ? cost : 0) + pair_cost + GST_VFI_LATENCY_STEP;
}

GstClockTime
gst_vfi_deadlines_latest_start (
    GstVfiStream *stream, const GstSegment *segment, const GstVfiSlot *slot)
{
  GstClockTime base_time, now = gst_vfi_live_now (stream, &base_time);
  gboolean waits =
      (GstVfiOnLate) gst_vfi_stream_settings (stream).on_late == GST_VFI_ON_LATE_WAIT;
  GstClockTime deadline = GST_CLOCK_TIME_NONE, work;

  g_mutex_lock (&stream->lock);
  if (stream->live->live && !waits && GST_CLOCK_TIME_IS_VALID (now))
    deadline = gst_vfi_latency_deadline (base_time,
        gst_vfi_live_running_time (segment, slot->pts), stream->live->pipeline_latency,
        share_of_latency (stream));
  work = time_of_work_locked (stream);
  g_mutex_unlock (&stream->lock);
  if (!GST_CLOCK_TIME_IS_VALID (deadline))
    return GST_CLOCK_TIME_NONE;
  return deadline > work ? deadline - work : 0;
}

/* Jobs and buffers. */

void
gst_vfi_deadlines_note_job (GstVfiStream *stream, const GstVfiQosJob *qos_job)
{
  stream->deadlines->jobs[qos_job->maker]++;
}

gboolean
gst_vfi_deadlines_finish (
    GstVfiStream *stream, VfiJob *job, const GstVfiQosJob *qos_job, gboolean wait)
{
  GstVfiDeadlines *deadlines = stream->deadlines;
  GstClockTime cost, age, now;

  if (!deadlines->job_times (deadlines->job_times_data, job, qos_job->maker,
          wait ? GST_VFI_ASKED_ENDED : GST_VFI_ASKED_SHOWN, &cost, &age))
    return FALSE;
  now = gst_vfi_live_now (stream, NULL);
  if (GST_CLOCK_TIME_IS_VALID (now))
    now = now > age ? now - age : 0;
  g_mutex_lock (&stream->lock);
  gst_vfi_qos_finish (&deadlines->qos, qos_job, cost, now);
  g_mutex_unlock (&stream->lock);
  deadlines->jobs[qos_job->maker]--;
  return TRUE;
}

/* Rehearsals. */

gboolean
gst_vfi_deadlines_wants_rehearsal (GstVfiStream *stream, GstVfiMaker *maker)
{
  GstClockTime now = gst_vfi_live_now (stream, NULL);
  gboolean wants;

  for (guint i = 0; i < GST_VFI_N_MAKERS; i++)
    if (stream->deadlines->jobs[i] > 0)
      return FALSE;
  g_mutex_lock (&stream->lock);
  wants = gst_vfi_qos_wants_rehearsal (&stream->deadlines->qos, now, maker);
  g_mutex_unlock (&stream->lock);
  return wants;
}

gboolean
gst_vfi_deadlines_rehearsal_has_ended (
    GstVfiStream *stream, VfiJob *job, GstVfiMaker maker, GstClockTime *cost)
{
  GstVfiDeadlines *deadlines = stream->deadlines;
  GstClockTime age;

  return deadlines->job_times (
      deadlines->job_times_data, job, maker, GST_VFI_ASKED_REHEARSAL, cost, &age);
}

gboolean
gst_vfi_deadlines_must_end_rehearsal (GstVfiStream *stream, GstClockTime *cost)
{
  GstClockTime now = gst_vfi_live_now (stream, NULL);
  gboolean must;

  g_mutex_lock (&stream->lock);
  must = gst_vfi_qos_rehearsal_must_end (&stream->deadlines->qos, now, cost);
  g_mutex_unlock (&stream->lock);
  return must;
}

void
gst_vfi_deadlines_rehearsed (GstVfiStream *stream, GstVfiMaker maker, GstClockTime cost)
{
  GstClockTime now = gst_vfi_live_now (stream, NULL);

  g_mutex_lock (&stream->lock);
  gst_vfi_qos_rehearsed (&stream->deadlines->qos, maker, cost, now);
  g_mutex_unlock (&stream->lock);
}

/* Buffers and events. */

/* If the push returned only after the time that the buffer, which was early, is shown at,
 * a sink is blocking in this thread. Then the whole latency of the pipeline is for this
 * element. */
GstFlowReturn
gst_vfi_deadlines_push (GstVfiStream *stream, GstBuffer *buffer)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  GstClockTime base_time, before = gst_vfi_live_now (stream, &base_time), after, due;
  GstFlowReturn ret = gst_pad_push (stream->srcpad, buffer);

  if (!GST_CLOCK_TIME_IS_VALID (before) || !GST_CLOCK_TIME_IS_VALID (pts))
    return ret;
  after = gst_vfi_live_now (stream, NULL);
  g_mutex_lock (&stream->lock);
  due = gst_vfi_latency_deadline (base_time,
      gst_vfi_live_running_time (&stream->run.segment, pts),
      stream->live->pipeline_latency, GST_CLOCK_TIME_NONE);
  g_mutex_unlock (&stream->lock);
  if (GST_CLOCK_TIME_IS_VALID (due) && before < due)
    stream->deadlines->downstream_waits = after >= due;
  return ret;
}

gboolean
gst_vfi_deadlines_note_qos (GstVfiStream *stream, GstEvent *event)
{
  GstVfiQos *qos = &stream->deadlines->qos;
  gboolean forward = TRUE;
  GstClockTimeDiff diff;
  GstClockTime timestamp;
  GstQOSType type;

  gst_event_parse_qos (event, &type, NULL, &diff, &timestamp);
  g_mutex_lock (&stream->lock);
  if (stream->settings->qos && stream->live->own_latency != 0) {
    gst_vfi_qos_note_event (qos, type, diff, timestamp, stream->live->out_frame);
    forward = gst_vfi_qos_forwards_events (qos);
  }
  g_mutex_unlock (&stream->lock);
  return forward;
}

/* "full,half,duplicates" */
static gchar *
list_rungs (const GstVfiQosConfig *config)
{
  GString *list = g_string_new (NULL);

  for (GstVfiRung rung = GST_VFI_RUNG_FULL; rung < GST_VFI_N_RUNGS; rung++)
    if (gst_vfi_ladder_has (config, rung))
      g_string_append_printf (
          list, "%s%s", list->len > 0 ? "," : "", gst_vfi_rung_to_string (rung));
  return g_string_free (list, FALSE);
}

void
gst_vfi_deadlines_add_stats (GstVfiStream *stream, GstStructure *stats)
{
  const GstVfiQos *qos = &stream->deadlines->qos;
  g_autofree gchar *rungs = NULL;
  GstClockTime cost, pair_cost;

  g_mutex_lock (&stream->lock);
  rungs = list_rungs (&qos->config);
  gst_vfi_qos_costs (qos, &cost, &pair_cost);
  gst_structure_set (stats, "rung", G_TYPE_STRING, gst_vfi_rung_to_string (qos->rung),
      "rungs", G_TYPE_STRING, rungs, "rung-bytes", G_TYPE_UINT64,
      gst_vfi_rungs_bytes_locked (stream), "latency", G_TYPE_UINT64,
      stream->live->own_latency, "late", G_TYPE_UINT64, qos->dropped, NULL);
  if (GST_CLOCK_TIME_IS_VALID (cost))
    gst_structure_set (
        stats, "cost", G_TYPE_UINT64, cost, "pair-cost", G_TYPE_UINT64, pair_cost, NULL);
  g_mutex_unlock (&stream->lock);
}
