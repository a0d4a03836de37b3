/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element does when there is not enough time: which in-betweens are computed, by
 * whom, which are replaced or left out, and when it tries again. Originals are never
 * touched. Pure functions on a plain struct: no element, no lock, no clock; the caller
 * gives the time, so that a test gives any. Times are nanoseconds.
 *
 * A pair of frames is worked on at one rung of a ladder (ladder.h), the first at the
 * highest; climbing.h says when that changes.
 *
 *   gst_vfi_qos_init (&qos);
 *   gst_vfi_qos_set_config (&qos, &config);          at caps, at a property change
 *   gst_vfi_qos_forget_costs (&qos);                 at a new session
 *   gst_vfi_qos_reset (&qos);                        at a flush or a new segment, and
 *                                                    when jobs end without finish
 *   a pair with n in-betweens:
 *     rung = gst_vfi_qos_begin_pair (&qos, now, jobs, n, running time from a to b);
 *     for i in 1 ... n, in order and before the next pair, before i is submitted:
 *       GstVfiQosAsk ask = {.index = i, .running_time = ..., .now = ..., .deadline = ...,
 *           .jobs = those that have not ended, by makers};
 *       switch (gst_vfi_qos_decide (&qos, &ask, &job)):
 *         COMPUTE: submit to job.maker; keep job beside it
 *         DUPLICATE: copy of a, marked GAP;  SKIP: nothing
 *   a job ended, now or a little before:
 *     gst_vfi_qos_finish (&qos, &job, cost, now);    cost: since it was submitted or the
 *                                                    job before it ended, whichever is
 *                                                    later
 *   after every pair:
 *     if (gst_vfi_qos_wants_rehearsal (&qos, now, &maker)): have a picture made
 *     when it is made, or gst_vfi_qos_rehearsal_must_end (&qos, now, &cost):
 *       gst_vfi_qos_rehearsed (&qos, maker, cost, now);
 *     if (gst_vfi_qos_take_message (&qos, now, &message)): post a QOS message
 *   QOS event on the src pad, in interpolating modes:
 *     gst_vfi_qos_note_event (&qos, type, diff, timestamp, output interval);
 *     forward it if gst_vfi_qos_forwards_events (&qos)
 *
 * All calls are made under one lock or from one thread; none blocks or allocates.
 */
#pragma once

#include <gst/gst.h>

#include "pure/qos_state.h"

G_BEGIN_DECLS

/* Lateness of a job that is not yet a miss: a fraction of the 20 ms that sinks allow by
 * default. */
#define GST_VFI_QOS_TOLERANCE (5 * GST_MSECOND)

/* While degraded there is at most one message in this time, besides those of changes. */
#define GST_VFI_QOS_MESSAGE_INTERVAL (1 * GST_SECOND)

typedef enum {
  GST_VFI_DECISION_COMPUTE,
  GST_VFI_DECISION_DUPLICATE,
  GST_VFI_DECISION_SKIP,
} GstVfiDecision;

/**
 * GstVfiQosAsk: an in-between about to be submitted.
 * @index: its number in the pair, from 1
 * @running_time: of its PTS, or GST_CLOCK_TIME_NONE
 * @now: clock time, or GST_CLOCK_TIME_NONE without a clock (nothing is late then)
 * @deadline: clock time when it should leave, or GST_CLOCK_TIME_NONE for any time
 * @jobs: jobs of each maker that have not ended: they are done first
 */
typedef struct {
  guint index;
  GstClockTime running_time;
  GstClockTime now;
  GstClockTime deadline;
  guint jobs[GST_VFI_N_MAKERS];
} GstVfiQosAsk;

/**
 * GstVfiQosJob: facts about a computed in-between, for gst_vfi_qos_finish().
 * @rung: of its pair
 * @maker: who is to make it
 * @deadline: as asked
 * @running_time: as asked
 * @change: number of the rung change before it
 * @pair: number of its pair
 * @first: whether it is the first of its pair, which pays the pair's one-off cost
 * @alone: whether no other of its pair is computed: there the two costs are not told
 *     apart
 * @arrives: whether its maker did not make what was made before it
 * @trial: whether it was computed to measure
 */
typedef struct {
  GstVfiRung rung;
  GstVfiMaker maker;
  GstClockTime deadline;
  GstClockTime running_time;
  guint change;
  guint pair;
  gboolean first;
  gboolean alone;
  gboolean arrives;
  gboolean trial;
} GstVfiQosJob;

/**
 * GstVfiQosMessage: for gst_message_new_qos() and its setters. The times of the buffer
 * are the caller's.
 * @rung: in force
 * @quality: gst_vfi_rung_quality() of it
 * @jitter: lateness, measured or foreseen, of the last in-between that was too late
 * @processed: in-betweens computed since init or reset
 * @dropped: in-betweens replaced or left out for lack of time since init or reset
 */
typedef struct {
  GstVfiRung rung;
  gint quality;
  GstClockTimeDiff jitter;
  guint64 processed;
  guint64 dropped;
} GstVfiQosMessage;

/* FULL, no costs known, on-late auto, not live, events count, no maker but FULL, no
 * rehearsals. */
void gst_vfi_qos_init (GstVfiQos *qos);

/* After a flush or for a new segment: begins at the highest rung and forgets events,
 * counters and the pair. Keeps the configuration, and costs and wait, which are the
 * machine's and not the stream's: where FULL is too much, this is foreseen and not
 * tried. */
void gst_vfi_qos_reset (GstVfiQos *qos);

/* Takes effect at the next pair. Of rungs that the new ladder lacks, DUPLICATES and NONE
 * become each other and the others the highest. Where there is a maker more, what failed
 * before is no reason to wait. */
void gst_vfi_qos_set_config (GstVfiQos *qos, const GstVfiQosConfig *config);

/* For another model, size or device: forgets costs and wait, and begins at the highest
 * rung. */
void gst_vfi_qos_forget_costs (GstVfiQos *qos);

/* For another session of @maker: forgets its costs. */
void gst_vfi_qos_forget_maker (GstVfiQos *qos, GstVfiMaker maker);

/**
 * gst_vfi_qos_begin_pair:
 * @now: clock time or GST_CLOCK_TIME_NONE
 * @jobs: jobs of each maker that have not ended
 * @count: in-betweens of the pair
 * @span: running time from its first to its second frame (PTS distance / |rate|)
 *
 * Judges the pair before and fixes the rung of this one.
 *
 * Returns: the rung. From DUPLICATES on the engine need not be given the pair.
 */
GstVfiRung gst_vfi_qos_begin_pair (GstVfiQos *qos, GstClockTime now,
    const guint jobs[GST_VFI_N_MAKERS], guint count, GstClockTime span);

/**
 * gst_vfi_qos_decide:
 * @ask: an in-between of the pair, in order
 * @job: (out): filled for GST_VFI_DECISION_COMPUTE
 *
 * Returns: what to do with it. While a sink throttles: SKIP, on every ladder, for the
 *     sink would not show it; this is no lateness. Else, on `wait`, always COMPUTE.
 */
GstVfiDecision gst_vfi_qos_decide (
    GstVfiQos *qos, const GstVfiQosAsk *ask, GstVfiQosJob *job);

/**
 * gst_vfi_qos_finish:
 * @job: as filled by gst_vfi_qos_decide()
 * @cost: how long the engine worked on it, or GST_CLOCK_TIME_NONE if that is not known
 *     (it failed, say)
 * @now: clock time when it ended, or GST_CLOCK_TIME_NONE
 *
 * Called once for each computed in-between, in order of submission, unless
 * gst_vfi_qos_reset() comes before.
 */
void gst_vfi_qos_finish (
    GstVfiQos *qos, const GstVfiQosJob *job, GstClockTime cost, GstClockTime now);

/**
 * gst_vfi_qos_wants_rehearsal:
 * @maker: (out): who is to make a picture
 *
 * To be asked when what is shown of a pair has been made.
 *
 * Returns: whether a rehearsal is to begin now. From then on there is one.
 */
gboolean gst_vfi_qos_wants_rehearsal (
    GstVfiQos *qos, GstClockTime now, GstVfiMaker *maker);

/* Whether the rehearsal has to be ended, because it takes too long, or makes what is
 * shown too late; @cost is then what gst_vfi_qos_rehearsed() wants. To be asked after
 * gst_vfi_qos_decide(). */
gboolean gst_vfi_qos_rehearsal_must_end (
    GstVfiQos *qos, GstClockTime now, GstClockTime *cost);

/**
 * gst_vfi_qos_rehearsed:
 * @cost: of a pair with one in-between, results of the frame before being there; or
 *     GST_CLOCK_TIME_NONE if that is not known (it failed, or was ended)
 *
 * The rehearsal has ended. By how much jobs beside it that have finished held it up is
 * taken off.
 */
void gst_vfi_qos_rehearsed (
    GstVfiQos *qos, GstVfiMaker maker, GstClockTime cost, GstClockTime now);

/**
 * gst_vfi_qos_note_event:
 * @diff: lateness of the buffer, negative if it was early; for a throttling sink the time
 *     between two frames
 * @timestamp: running time of the buffer
 * @duration: output interval, or GST_CLOCK_TIME_NONE
 *
 * A late buffer means that all before timestamp + 2 * diff + duration will be late too;
 * one in time ends that. GST_QOS_TYPE_THROTTLE means that nothing between @timestamp and
 * timestamp + diff is wanted.
 */
void gst_vfi_qos_note_event (GstVfiQos *qos, GstQOSType type, GstClockTimeDiff diff,
    GstClockTime timestamp, GstClockTime duration);

/* Whether QOS events go on to upstream: only when no in-between is made or copied, so
 * that lateness is not the element's. A decoder that drops frames makes worse pairs. */
gboolean gst_vfi_qos_forwards_events (const GstVfiQos *qos);

/**
 * gst_vfi_qos_take_message:
 * @now: clock time or GST_CLOCK_TIME_NONE
 *
 * Returns: whether a message is to be posted: after every change of the rung, and while
 *     below FULL once every GST_VFI_QOS_MESSAGE_INTERVAL.
 */
gboolean gst_vfi_qos_take_message (
    GstVfiQos *qos, GstClockTime now, GstVfiQosMessage *message);

/* The maker that is in use; while another is tried, the one before. */
GstVfiMaker gst_vfi_qos_maker (const GstVfiQos *qos);

/**
 * gst_vfi_qos_costs:
 * @in_between: (out): 95th percentile of what an in-between of the maker in use costs, or
 *     GST_CLOCK_TIME_NONE while it is not known
 * @pair: (out): 95th percentile of the one-off cost of a pair, 0 while it is not known
 */
void gst_vfi_qos_costs (
    const GstVfiQos *qos, GstClockTime *in_between, GstClockTime *pair);

/**
 * GstVfiQosLatency: what the latency is computed from.
 * @in_between, @pair: as of gst_vfi_qos_costs(), or the mean of a few, of the highest
 *     rung that there is time for: it needs its latency to be taken
 * @n_measured: how many costs are known
 * @is_urgent: few as they may be, they are wanted now: less is made than could be, or it
 *     is late
 * @may_shrink: it is the full rung, so that less will do if its costs are less
 */
typedef struct {
  GstClockTime in_between;
  GstClockTime pair;
  guint n_measured;
  gboolean is_urgent;
  gboolean may_shrink;
} GstVfiQosLatency;

GstVfiQosLatency gst_vfi_qos_latency (const GstVfiQos *qos);

G_END_DECLS
