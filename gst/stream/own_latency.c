/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/own_latency.h"

#include "pure/latency.h"
#include "pure/recent.h"
#include "stream/deadlines.h"
#include "stream/live.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Owned by the streaming thread. */
struct _GstVfiOwnLatency {
  gboolean cost_known;      /* the latency was computed with a measured cost */
  GstClockTime budget;      /* latency-budget that it was computed with */
  GstClockTime measured_at; /* when measurements were looked at last, or NONE */
  GstVfiRecent gaps;        /* between frames */
  GstClockTime last_pts;    /* of the last frame, or NONE */
};

GstVfiOwnLatency *
gst_vfi_own_latency_new (void)
{
  GstVfiOwnLatency *own = g_new0 (GstVfiOwnLatency, 1);

  own->measured_at = GST_CLOCK_TIME_NONE;
  own->last_pts = GST_CLOCK_TIME_NONE;
  return own;
}

void
gst_vfi_own_latency_reset (GstVfiStream *stream)
{
  GstVfiOwnLatency *own = stream->own_latency;

  own->measured_at = GST_CLOCK_TIME_NONE;
  own->last_pts = GST_CLOCK_TIME_NONE;
  gst_vfi_recent_clear (&own->gaps);
}

void
gst_vfi_own_latency_forget_costs (GstVfiStream *stream)
{
  gst_vfi_deadlines_forget_costs (stream);
  stream->own_latency->cost_known = FALSE;
}

static GstClockTime
frame_interval (GstVfiStream *stream)
{
  const GstVideoInfo *info = &stream->negotiated.info;
  GstClockTime gap;

  if (!gst_vfi_caps_is_variable (info) && GST_VIDEO_INFO_FPS_N (info) > 0)
    return gst_util_uint64_scale_int (
        GST_SECOND, GST_VIDEO_INFO_FPS_D (info), GST_VIDEO_INFO_FPS_N (info));
  gap = gst_vfi_recent_p95 (&stream->own_latency->gaps);
  return GST_CLOCK_TIME_IS_VALID (gap) ? gap : GST_VFI_LATENCY_ASSUMED_FRAME;
}

/* Known before there is a session. Copies wait for no frame but the next one. */
static guint
frames_after (GstVfiStream *stream)
{
  return stream->negotiated.only_copies
             ? 0
             : (guint) vfi_model_info (stream->model)->frames_after;
}

static GstVfiLatencyInput
describe (GstVfiStream *stream)
{
  const GstVfiRun *run = &stream->run;
  GstVfiLatencyInput input = {
      .grid = run->slots.num != 0 || run->departs,
      .multiplier = run->multiplier,
      .frame = frame_interval (stream),
      .cost = GST_CLOCK_TIME_NONE,
      .budget = gst_vfi_stream_settings (stream).latency_budget,
      .held_frames = gst_vfi_stream_max_repeats (stream),
      .frames_after = frames_after (stream),
  };

  if (run->slots.num != 0)
    input.out_frame = gst_util_uint64_scale (GST_SECOND, run->slots.den, run->slots.num);
  else
    input.out_frame = input.frame / MAX (run->multiplier, 1);
  return input;
}

static gboolean
are_enough (const GstVfiQosLatency *costs)
{
  return costs->n_measured >= GST_VFI_OWN_LATENCY_MIN_COSTS || costs->is_urgent;
}

/* Fills in costs, once there are enough. Returns whether that is new. */
static gboolean
add_costs_locked (
    GstVfiStream *stream, GstVfiLatencyInput *input, const GstVfiQosLatency *costs)
{
  gboolean was_known = stream->own_latency->cost_known;

  if (!was_known && !are_enough (costs))
    return FALSE;
  stream->own_latency->cost_known = TRUE;
  input->cost = costs->in_between;
  input->pair_cost = costs->pair;
  return !was_known;
}

/* Computes the latency again and posts a LATENCY message if it changed enough. */
static void
update (GstVfiStream *stream, gboolean configured)
{
  GstVfiLatencyInput input = describe (stream);
  GstVfiLive *live = stream->live;
  gboolean keeps_up = TRUE, changed, may_shrink;
  GstVfiQosLatency costs;
  GstClockTime own = 0;

  configured = configured || input.budget != stream->own_latency->budget;
  stream->own_latency->budget = input.budget;
  may_shrink = configured;
  g_mutex_lock (&stream->lock);
  costs = gst_vfi_deadlines_latency_locked (stream);
  /* Always report the first measured cost, however close to the assumption. */
  if (add_costs_locked (stream, &input, &costs))
    configured = TRUE;
  if (stream->negotiated.mode != GST_VFI_MODE_PASSTHROUGH)
    keeps_up = gst_vfi_latency_own (&input, &own);
  /* A lower rung is no reason to give up what the full one will want again. */
  if (!may_shrink && !costs.may_shrink)
    own = MAX (own, live->own_latency);
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
gst_vfi_own_latency_configure (GstVfiStream *stream)
{
  update (stream, TRUE);
}

/* Whether to look at costs again at once. */
static gboolean
is_urgent (GstVfiStream *stream)
{
  gboolean urgent;

  g_mutex_lock (&stream->lock);
  urgent = gst_vfi_deadlines_latency_locked (stream).is_urgent;
  g_mutex_unlock (&stream->lock);
  return urgent;
}

static void
update_measured (GstVfiStream *stream, GstClockTime now)
{
  GstVfiOwnLatency *own = stream->own_latency;
  gboolean due;

  if (!GST_CLOCK_TIME_IS_VALID (own->measured_at))
    own->measured_at = now;
  due = GST_CLOCK_TIME_IS_VALID (now) && now > own->measured_at &&
        now - own->measured_at >= GST_VFI_OWN_LATENCY_INTERVAL;
  if (due)
    own->measured_at = now;
  if (due || is_urgent (stream) ||
      gst_vfi_stream_settings (stream).latency_budget != own->budget)
    update (stream, FALSE);
}

void
gst_vfi_own_latency_note_frame (GstVfiStream *stream, GstClockTime pts)
{
  GstVfiOwnLatency *own = stream->own_latency;

  if (GST_CLOCK_TIME_IS_VALID (own->last_pts) && pts > own->last_pts)
    gst_vfi_recent_add (&own->gaps, pts - own->last_pts);
  own->last_pts = pts;
  update_measured (stream, gst_vfi_live_now (stream, NULL));
}

gboolean
gst_vfi_own_latency_answer (GstVfiStream *stream, GstQuery *query)
{
  GstVfiLive *state = stream->live;
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
