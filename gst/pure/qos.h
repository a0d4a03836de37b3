/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element does when there is not enough time: which in-betweens are computed,
 * which are replaced or left out, and when it tries again. Originals are never touched.
 * Pure functions on a plain struct: no element, no lock, no clock; the caller gives the
 * time, so that a test gives any. Times are nanoseconds.
 *
 * A pair of frames is worked on at one rung of a ladder (ladder.h), the first at FULL.
 *
 * Down. Before each in-between: would it be done by its deadline? If not, it is not
 * computed, and the next pair is a rung lower. The same if a job ended later than its
 * deadline by more than GST_VFI_QOS_TOLERANCE, or if a sink says that it was late. One
 * rung a pair, and only for in-betweens of the rung that is in force: news about older
 * ones says nothing about this one.
 *
 * Up. A rung higher if GST_VFI_QOS_GOOD_PAIRS pairs in a row were on time and would have
 * been at the higher rung too, by the 95th percentile of its measured cost and with a
 * tenth of the time to spare, and if a wait is over since the last change or miss. A cost
 * that was not measured of late, because nothing of its kind was computed, decides
 * nothing: then one in-between is computed as a trial, whatever the estimate says. The
 * wait starts at GST_VFI_QOS_MIN_WAIT; it doubles, up to GST_VFI_QOS_MAX_WAIT, when a
 * rung fails within GST_VFI_QOS_PROOF after it was taken, and halves each time that one
 * has stood that long.
 *
 *   gst_vfi_qos_init (&qos);
 *   gst_vfi_qos_set_config (&qos, &config);          at caps, at a property change
 *   gst_vfi_qos_forget_costs (&qos);                 at a new session
 *   gst_vfi_qos_reset (&qos);                        at a flush or a new segment, and
 *                                                    when jobs end without finish
 *   a pair with n in-betweens:
 *     rung = gst_vfi_qos_begin_pair (&qos, now, jobs, n, running time from a to b);
 *     the session is one of reduced scale if gst_vfi_qos_is_reduced (&qos);
 *     for i in 1 ... n, in order and before the next pair, before i is submitted:
 *       GstVfiQosAsk ask = {.index = i, .running_time = ..., .now = ..., .deadline = ...,
 *           .jobs = those that have not ended};
 *       switch (gst_vfi_qos_decide (&qos, &ask, &job)):
 *         COMPUTE: submit; keep job beside it
 *         DUPLICATE: copy of a, marked GAP;  SKIP: nothing
 *   a job ended, now or a little before:
 *     gst_vfi_qos_finish (&qos, &job, cost, now);    cost: since it was submitted or the
 *                                                    job before it ended, whichever is
 *                                                    later
 *   QOS event on the src pad, in interpolating modes:
 *     gst_vfi_qos_note_event (&qos, type, diff, timestamp, output interval);
 *     forward it if gst_vfi_qos_forwards_events (&qos)
 *   after every pair:
 *     if (gst_vfi_qos_take_message (&qos, now, &message)): post a QOS message
 *
 * All calls are made under one lock or from one thread; none blocks or allocates.
 */
#pragma once

#include <gst/gst.h>

#include "pure/cost.h"
#include "pure/ladder.h"

G_BEGIN_DECLS

/* Pairs in a row that must have had time to spare before a rung higher is taken. */
#define GST_VFI_QOS_GOOD_PAIRS 5

/* Time without a change and without a miss before a rung higher is taken. */
#define GST_VFI_QOS_MIN_WAIT (GST_SECOND / 4)
#define GST_VFI_QOS_MAX_WAIT (32 * GST_SECOND)

/* A rung that stood this long was not taken too early. */
#define GST_VFI_QOS_PROOF (5 * GST_SECOND)

/* Lateness of a job that is not yet a reason to go down: a fraction of the 20 ms that
 * sinks allow by default. */
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
 * @jobs: jobs that have not ended: the engine does them first
 */
typedef struct {
  guint index;
  GstClockTime running_time;
  GstClockTime now;
  GstClockTime deadline;
  guint jobs;
} GstVfiQosAsk;

/**
 * GstVfiQosJob: facts about a computed in-between, for gst_vfi_qos_finish().
 * @deadline: as asked
 * @change: number of the rung change before it
 * @reduced: whether its scale is reduced
 * @first: whether it is the first of its pair, which pays the pair's one-off cost
 * @alone: whether no other of its pair is computed: there the two costs are not told
 *     apart
 * @trial: whether it was computed to measure
 */
typedef struct {
  GstClockTime deadline;
  guint change;
  gboolean reduced;
  gboolean first;
  gboolean alone;
  gboolean trial;
} GstVfiQosJob;

/**
 * GstVfiQosMessage: for gst_message_new_qos() and its setters. The times of the buffer
 * are the caller's.
 * @rung: in force
 * @quality: 1000000 for GST_VFI_RUNG_FULL, 250000 less for each rung, 0 for
 *     GST_VFI_RUNG_NONE
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

/* Whether a cost that is out of date is being measured again. */
typedef enum {
  GST_VFI_TRIAL_NONE,
  GST_VFI_TRIAL_DUE,
  GST_VFI_TRIAL_RUNNING,
} GstVfiTrial;

/**
 * GstVfiQosPair: the pair that is decided on.
 * @start: clock time when the engine is free for it, or NONE
 * @span: running time from its first to its second frame
 * @count: in-betweens
 * @change: number of the rung change before it
 * @submitted: those to be computed so far
 * @in_turn: for HALF with one in-between: whether this pair's is computed
 * @fits_above: it would be on time a rung higher, as far as decided
 */
typedef struct {
  GstClockTime start;
  GstClockTime span;
  guint count;
  guint change;
  guint submitted;
  gboolean in_turn;
  gboolean fits_above;
} GstVfiQosPair;

/**
 * GstVfiQos: set up with gst_vfi_qos_init(); read-only outside qos.c.
 * @config: as set
 * @rung: in force from the next pair on
 * @pair_rung: that of the pair that is decided on
 * @change: counts rung changes, to tell news of this rung from older ones
 * @now: last clock time seen, 0 before
 * @changed_at: time of the last rung change, or of a miss since
 * @raised_at: when a higher rung was taken last, NONE if that has been judged
 * @wait: how long @changed_at must be ago before a higher rung is taken
 * @good_pairs: pairs in a row that would have fitted a rung higher
 * @trial: whether a cost is being tried
 * @costs: as measured
 * @since: running time of the first in-between decided at the rung in force, or NONE
 * @earliest: by a sink's word, an in-between with a running time before this is late
 * @throttle_start: running time up to which a sink has shown frames when it throttled
 * @throttle_stop: running time when it wants the next one, NONE if it does not throttle
 * @jitter: lateness of the last one that was too late
 * @processed: in-betweens computed
 * @dropped: in-betweens not computed for lack of time
 * @reported_change: @change at the last message
 * @reported_at: time of the last message, or NONE
 */
typedef struct {
  GstVfiQosConfig config;
  GstVfiRung rung;
  GstVfiRung pair_rung;
  guint change;
  GstClockTime now;
  GstClockTime changed_at;
  GstClockTime raised_at;
  GstClockTime wait;
  guint good_pairs;
  GstVfiTrial trial;
  GstVfiCosts costs;
  GstVfiQosPair pair;
  GstClockTime since;
  GstClockTime earliest;
  GstClockTime throttle_start;
  GstClockTime throttle_stop;
  GstClockTimeDiff jitter;
  guint64 processed;
  guint64 dropped;
  guint reported_change;
  GstClockTime reported_at;
} GstVfiQos;

/* FULL, no costs known, on-late auto, not live, events count, no reduced scale. */
void gst_vfi_qos_init (GstVfiQos *qos);

/* After a flush or for a new segment: begins at FULL and forgets events, counters and the
 * pair. Keeps the configuration, and costs and wait, which are the machine's and not the
 * stream's: where FULL is too much, this is foreseen and not tried. */
void gst_vfi_qos_reset (GstVfiQos *qos);

/* Takes effect at the next pair. Of rungs that the new ladder lacks, DUPLICATES and NONE
 * become each other and the others FULL. */
void gst_vfi_qos_set_config (GstVfiQos *qos, const GstVfiQosConfig *config);

/* For another model, size or device: forgets costs and wait, and begins at FULL. */
void gst_vfi_qos_forget_costs (GstVfiQos *qos);

/**
 * gst_vfi_qos_begin_pair:
 * @now: clock time or GST_CLOCK_TIME_NONE
 * @jobs: jobs that have not ended
 * @count: in-betweens of the pair
 * @span: running time from its first to its second frame (PTS distance / |rate|)
 *
 * Judges the pair before and fixes the rung of this one.
 *
 * Returns: the rung. From DUPLICATES on the engine need not be given the pair.
 */
GstVfiRung gst_vfi_qos_begin_pair (
    GstVfiQos *qos, GstClockTime now, guint jobs, guint count, GstClockTime span);

/* Whether the pair's in-betweens are made at the reduced scale. */
gboolean gst_vfi_qos_is_reduced (const GstVfiQos *qos);

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
 *     (it failed, say). Of a job that was cancelled because it took too long: how long it
 *     had.
 * @now: clock time when it ended, or GST_CLOCK_TIME_NONE
 *
 * Called once for each computed in-between, in order of submission, unless
 * gst_vfi_qos_reset() comes before.
 */
void gst_vfi_qos_finish (
    GstVfiQos *qos, const GstVfiQosJob *job, GstClockTime cost, GstClockTime now);

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

/**
 * gst_vfi_qos_costs:
 * @in_between: (out): 95th percentile of what an in-between costs at the scale in use, or
 *     GST_CLOCK_TIME_NONE while it is not known
 * @pair: (out): 95th percentile of the one-off cost of a pair, 0 while it is not known
 */
void gst_vfi_qos_costs (
    const GstVfiQos *qos, GstClockTime *in_between, GstClockTime *pair);

G_END_DECLS
