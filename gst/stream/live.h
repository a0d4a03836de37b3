/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element against the clock: latency that it answers and hears of, deadlines of
 * in-betweens, what is done when they cannot be met, and messages about it. The arithmetic
 * is in latency.c and qos.c; this asks the pipeline for times and the engine for
 * costs. */
#pragma once

#include <gst/gst.h>

#include <vfi/vfi.h>

#include "pure/qos.h"
#include "pure/run.h"

G_BEGIN_DECLS

typedef struct _GstVfiStream GstVfiStream;

/* Measured costs and frame intervals are looked at for the latency once in this time. */
#define GST_VFI_LIVE_MEASURE_INTERVAL (1 * GST_SECOND)

/* Costs are taken for known from this many on: the first are those of cold caches. */
#define GST_VFI_LIVE_FEW_COSTS 20

/**
 * GstVfiJobTimes:
 * @wait: the job has ended and will not be asked about again
 * @cost: (out): how long the engine worked on @job
 * @age: (out): how long ago it ended
 *
 * Where costs come from: the engine, or a test that makes them up.
 *
 * Returns: FALSE if the job has not ended yet; never with @wait.
 */
typedef gboolean (*GstVfiJobTimes) (gpointer user_data, VfiJob *job, gboolean wait,
    GstClockTime *cost, GstClockTime *age);

/* Where sessions come from: vfi_session_new() with some data, or a test that takes its time.
 * Any thread. */
typedef VfiSession *(*GstVfiBuildSession) (
    gpointer user_data, VfiModel *model, const VfiSessionConfig *config, GError **error);

/* The former. */
VfiSession *gst_vfi_session_build (
    gpointer user_data, VfiModel *model, const VfiSessionConfig *config, GError **error);

/**
 * GstVfiLive: the state of it.
 * @qos: ladder and costs
 * @live: what upstream said last
 * @own_latency: what the answer to a LATENCY query is made of
 * @frame: the frame interval, assumed if unknown
 * @out_frame: the output interval
 * @total: the least latency of the last answer in a live pipeline, or NONE
 * @pipeline_latency: value of the last LATENCY event, or NONE
 * @timer: waits for the time of the next copy, NULL if none is waited for
 * @timer_due: that time has come
 * @timeout_start: when the reference came, and live-timeout
 * @timeout_next: index of the next copy
 * @downstream_waits: pushing a buffer lasts until its time in the pipeline has come: there is
 *     a sink in this thread, and the whole of the pipeline's latency is for this element
 * @cost_known: whether the latency was computed with a measured cost
 * @jobs: those that were submitted and have not been accounted for
 * @pair_id: which pair the ladder decides on: the id of its second frame
 * @pair_index: how many in-betweens of it were decided
 * @budget: `latency-budget` that @own_latency was computed with
 * @measured_at: when measurements were looked at last, or NONE
 * @gaps: between frames
 * @last_pts: of the last frame, or NONE
 * @builds_aside: whether sessions take long, so that live pipelines do not wait for them
 * @build_session: where sessions come from
 * @build_session_data: for @build_session
 * @job_times: where costs come from
 * @job_times_data: for @job_times
 */
typedef struct {
  /* Guarded by stream->lock. */
  GstVfiQos qos;
  gboolean live;
  GstClockTime own_latency;
  GstClockTime frame;
  GstClockTime out_frame;
  GstClockTime total;
  GstClockTime pipeline_latency;
  GstClockID timer;
  gboolean timer_due;

  /* Owned by the streaming thread. */
  GstClockTime timeout_start;
  guint timeout_next;
  gboolean downstream_waits;
  gboolean cost_known;
  guint jobs;
  guint64 pair_id;
  guint pair_index;
  GstClockTime budget;
  GstClockTime measured_at;
  GstVfiRecent gaps;
  GstClockTime last_pts;
  gboolean builds_aside;
  GstVfiBuildSession build_session;
  gpointer build_session_data;
  GstVfiJobTimes job_times;
  gpointer job_times_data;
} GstVfiLive;

void gst_vfi_live_init (GstVfiLive *live);

/* After a flush or a stop: forgets what belongs to the stream, not what belongs to the
 * machine. */
void gst_vfi_live_reset (GstVfiStream *stream);

/* Jobs were dropped without having been accounted for. */
void gst_vfi_live_forget_jobs (GstVfiStream *stream);

/* A session was replaced: its costs say nothing about the next one. */
void gst_vfi_live_forget_costs (GstVfiStream *stream);

/* Clock time while PLAYING, else GST_CLOCK_TIME_NONE. */
GstClockTime gst_vfi_live_now (GstVfiStream *stream);

/* Asks upstream whether it is live. */
gboolean gst_vfi_live_ask_upstream (GstVfiStream *stream);

/* Caps, mode or multiplier were chosen: the latency follows. */
void gst_vfi_live_configure (GstVfiStream *stream);

/* A frame to interpolate has come; before it is planned for. */
void gst_vfi_live_note_frame (GstVfiStream *stream, GstClockTime pts);

/* Answers a LATENCY query on the src pad. */
gboolean gst_vfi_live_query_latency (GstVfiStream *stream, GstQuery *query);

/* Looks at an event from downstream; returns whether it goes on upstream. */
gboolean gst_vfi_live_note_event (GstVfiStream *stream, GstEvent *event);

/**
 * gst_vfi_live_begin_pair:
 * @id: of the pair, as `pair_id` until the next one
 * @count: its in-betweens
 * @span: distance of its frames
 * @slot: the time of its first in-between
 *
 * Fixes the rung for the pair's in-betweens, and posts what there is to say about those
 * before.
 */
void gst_vfi_live_begin_pair (GstVfiStream *stream, guint64 id, guint count,
    GstClockTime span, const GstVfiSlot *slot);

/**
 * gst_vfi_live_decide:
 * @slot: the time of the pair's next in-between
 * @job: (out): to be kept beside the job, if it is to be computed
 */
GstVfiDecision gst_vfi_live_decide (
    GstVfiStream *stream, const GstVfiSlot *slot, GstVfiQosJob *job);

/* Accounts for a job if it has ended; with @wait it has. In order of submission. Returns
 * whether it was. */
gboolean gst_vfi_live_finish (
    GstVfiStream *stream, VfiJob *job, const GstVfiQosJob *qos_job, gboolean wait);

/* Pushes @buffer (taken), with an eye on how long that takes. */
GstFlowReturn gst_vfi_live_push (GstVfiStream *stream, GstBuffer *buffer);

/* Adds rung, latency and costs to `stats`. */
void gst_vfi_live_add_stats (GstVfiStream *stream, GstStructure *stats);

G_END_DECLS
