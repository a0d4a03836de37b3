/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deadlines of in-betweens, what is done when they cannot be met, and QOS events and
 * messages. The arithmetic is in qos.c; this gives it times of the pipeline and costs of
 * the engine. Streaming thread only, unless a function says otherwise; no lock is
 * held. */
#pragma once

#include "pure/qos.h"
#include "stream/state.h"

G_BEGIN_DECLS

/**
 * GstVfiAskedJob: what is asked about.
 * @GST_VFI_ASKED_SHOWN: one that is to be shown; it may not have ended yet
 * @GST_VFI_ASKED_ENDED: such a one that has ended and will not be asked about again
 * @GST_VFI_ASKED_REHEARSAL: one that nobody sees; it may not have ended yet
 */
typedef enum {
  GST_VFI_ASKED_SHOWN,
  GST_VFI_ASKED_ENDED,
  GST_VFI_ASKED_REHEARSAL,
} GstVfiAskedJob;

/**
 * GstVfiJobTimes:
 * @maker: that @job is of
 * @cost: (out): how long the engine worked on @job
 * @age: (out): how long ago it ended
 *
 * Where costs come from: the engine, or a test that makes them up.
 *
 * Returns: FALSE if the job has not ended yet.
 */
typedef gboolean (*GstVfiJobTimes) (gpointer user_data, VfiJob *job, GstVfiMaker maker,
    GstVfiAskedJob asked, GstClockTime *cost, GstClockTime *age);

GstVfiDeadlines *gst_vfi_deadlines_new (void);

/* The stream starts, at the full rung. */
void gst_vfi_deadlines_start (GstVfiStream *stream);

/* For tests, before frames come: costs are what @job_times says. */
void gst_vfi_deadlines_set_job_times (
    GstVfiStream *stream, GstVfiJobTimes job_times, gpointer user_data);

/* After a flush or a stop: forgets what belongs to the stream, but not costs, which
 * belong to the machine. */
void gst_vfi_deadlines_reset (GstVfiStream *stream);

/* Jobs were dropped and will not be accounted for. */
void gst_vfi_deadlines_forget_jobs (GstVfiStream *stream);

/* Other sessions are to be built: costs of those before say nothing about them. */
void gst_vfi_deadlines_forget_costs (GstVfiStream *stream);

/* What the latency is computed from. The lock is held. */
GstVfiQosLatency gst_vfi_deadlines_latency_locked (GstVfiStream *stream);

/**
 * gst_vfi_deadlines_begin_pair:
 * @is_ready: there is the stream's own session
 * @segment: of the pair; the stream's may be a later one
 * @id: of the pair: the id of its second frame
 * @count: its in-betweens
 * @span: distance of its frames
 * @slot: the time of its first in-between
 *
 * Fixes the rung for the pair's in-betweens, and posts a QOS message about those before,
 * if one is due. Once for each pair: see gst_vfi_deadlines_has_begun().
 */
void gst_vfi_deadlines_begin_pair (GstVfiStream *stream, gboolean is_ready,
    const GstSegment *segment, guint64 id, guint count, GstClockTime span,
    const GstVfiSlot *slot);

/* Whether the pair @id is the one that is decided on. */
gboolean gst_vfi_deadlines_has_begun (GstVfiStream *stream, guint64 id);

/**
 * gst_vfi_deadlines_decide:
 * @slot: the time of the pair's next in-between
 * @job: (out): to be kept beside the job, if it is to be computed
 */
GstVfiDecision gst_vfi_deadlines_decide (
    GstVfiStream *stream, const GstVfiSlot *slot, GstVfiQosJob *job);

/**
 * gst_vfi_deadlines_latest_start:
 * @segment: of the in-between's pair
 * @slot: the time of the in-between
 *
 * Returns: the clock time by which work on it has to begin to be done by its deadline, or
 *     GST_CLOCK_TIME_NONE: the pipeline is not live or not playing, or late pictures are
 *     waited for.
 */
GstClockTime gst_vfi_deadlines_latest_start (
    GstVfiStream *stream, const GstSegment *segment, const GstVfiSlot *slot);

/* The job that @qos_job is about was submitted. */
void gst_vfi_deadlines_note_job (GstVfiStream *stream, const GstVfiQosJob *qos_job);

/* Accounts for a job if it has ended; with @wait it has. In order of submission. Returns
 * whether it was. */
gboolean gst_vfi_deadlines_finish (
    GstVfiStream *stream, VfiJob *job, const GstVfiQosJob *qos_job, gboolean wait);

/* Whether fewer in-betweens are made than could be where there is too little time. */
gboolean gst_vfi_deadlines_has_ladder (GstVfiStream *stream);

/* Whether a picture that nobody sees is to be made now, by *@maker. */
gboolean gst_vfi_deadlines_wants_rehearsal (GstVfiStream *stream, GstVfiMaker *maker);

/* Whether @job, of such a picture, has ended, and what it cost. */
gboolean gst_vfi_deadlines_rehearsal_has_ended (
    GstVfiStream *stream, VfiJob *job, GstVfiMaker maker, GstClockTime *cost);

/* Whether there is no time for it any more; *@cost is what is known then. */
gboolean gst_vfi_deadlines_must_end_rehearsal (GstVfiStream *stream, GstClockTime *cost);

/* It has ended, or been given up. */
void gst_vfi_deadlines_rehearsed (
    GstVfiStream *stream, GstVfiMaker maker, GstClockTime cost);

/* Pushes @buffer (taken), and watches how long that takes. */
GstFlowReturn gst_vfi_deadlines_push (GstVfiStream *stream, GstBuffer *buffer);

/* Looks at a QOS event from downstream; returns whether it goes on upstream. Any
 * thread. */
gboolean gst_vfi_deadlines_note_qos (GstVfiStream *stream, GstEvent *event);

/* Adds the ladder, latency and costs to `stats`. Any thread. */
void gst_vfi_deadlines_add_stats (GstVfiStream *stream, GstStructure *stats);

G_END_DECLS
