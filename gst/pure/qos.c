/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder. Going down needs one miss at the rung in force; going up needs a row of
 * pairs with time to spare and a wait, which grows as long as going up fails. */
#include "pure/qos.h"

#include "pure/time_math.h"

/* A clock that shows a time earlier than the last one by more is another clock. */
#define CLOCK_JUMP GST_SECOND

/* A cost measured within this many pairs is up to date, however short the wait. */
#define FRESH_PAIRS 4

static GstClockTime
time_or_zero (GstClockTime time)
{
  return GST_CLOCK_TIME_IS_VALID (time) ? time : 0;
}

static GstClockTime
elapsed (const GstVfiQos *qos, GstClockTime since)
{
  return qos->now > since ? qos->now - since : 0;
}

/* Changes of the rung. */

static void
change_rung (GstVfiQos *qos, GstVfiRung rung)
{
  qos->rung = rung;
  qos->change++;
  qos->changed_at = qos->now;
  qos->good_pairs = 0;
  qos->trial = GST_VFI_TRIAL_NONE;
  qos->since = GST_CLOCK_TIME_NONE;
}

/* The wait, halved for each GST_VFI_QOS_PROOF that a higher rung has stood. */
static GstClockTime
proven_wait (const GstVfiQos *qos)
{
  GstClockTime proofs;

  if (!GST_CLOCK_TIME_IS_VALID (qos->raised_at))
    return qos->wait;
  proofs = elapsed (qos, qos->raised_at) / GST_VFI_QOS_PROOF;
  return MAX (qos->wait >> MIN (proofs, 63), GST_VFI_QOS_MIN_WAIT);
}

/* How long a higher rung has stood decides how long to wait for the next one. */
static void
judge_raise (GstVfiQos *qos)
{
  if (!GST_CLOCK_TIME_IS_VALID (qos->raised_at))
    return;
  if (elapsed (qos, qos->raised_at) < GST_VFI_QOS_PROOF)
    qos->wait = MIN (qos->wait * 2, GST_VFI_QOS_MAX_WAIT);
  else
    qos->wait = proven_wait (qos);
  qos->raised_at = GST_CLOCK_TIME_NONE;
}

/* A miss at the rung that was in force at @change. */
static void
step_down (GstVfiQos *qos, guint change)
{
  GstVfiRung below = gst_vfi_ladder_below (&qos->config, qos->rung);

  qos->good_pairs = 0;
  if (change != qos->change)
    return;
  qos->changed_at = qos->now;
  if (below == qos->rung)
    return;
  judge_raise (qos);
  change_rung (qos, below);
}

static gboolean
is_stale (const GstVfiQos *qos, gboolean reduced)
{
  GstClockTime fresh = MAX (qos->wait, gst_vfi_time_times (qos->pair.span, FRESH_PAIRS));

  return !GST_CLOCK_TIME_IS_VALID (qos->costs.measured_at[reduced]) ||
         elapsed (qos, qos->costs.measured_at[reduced]) > fresh;
}

static void
step_up_if_due (GstVfiQos *qos)
{
  GstVfiRung above = gst_vfi_ladder_above (&qos->config, qos->rung);

  if (above == qos->rung || qos->good_pairs < GST_VFI_QOS_GOOD_PAIRS ||
      elapsed (qos, qos->changed_at) < proven_wait (qos))
    return;
  qos->wait = proven_wait (qos);
  change_rung (qos, above);
  qos->raised_at = qos->now;
  if (is_stale (qos, gst_vfi_ladder_is_reduced (&qos->config, above)))
    qos->trial = GST_VFI_TRIAL_DUE;
}

/* Another clock makes all times that were remembered meaningless. */
static void
note_now (GstVfiQos *qos, GstClockTime now)
{
  if (!GST_CLOCK_TIME_IS_VALID (now))
    return;
  if (gst_vfi_time_add (now, CLOCK_JUMP) < qos->now) {
    qos->changed_at = now;
    qos->raised_at = GST_CLOCK_TIME_NONE;
    gst_vfi_costs_make_old (&qos->costs);
    qos->reported_at = GST_CLOCK_TIME_NONE;
  }
  qos->now = now;
}

/* Setting up. */

void
gst_vfi_qos_init (GstVfiQos *qos)
{
  *qos = (GstVfiQos){.config = {.on_late = GST_VFI_ON_LATE_AUTO, .events = TRUE}};
  gst_vfi_qos_forget_costs (qos);
  gst_vfi_qos_reset (qos);
  qos->reported_change = qos->change;
}

void
gst_vfi_qos_reset (GstVfiQos *qos)
{
  qos->raised_at = GST_CLOCK_TIME_NONE;
  if (qos->rung != GST_VFI_RUNG_FULL)
    change_rung (qos, GST_VFI_RUNG_FULL);
  qos->good_pairs = 0;
  qos->trial = GST_VFI_TRIAL_NONE;
  qos->pair_rung = GST_VFI_RUNG_FULL;
  qos->pair = (GstVfiQosPair){.start = GST_CLOCK_TIME_NONE, .change = qos->change};
  qos->since = GST_CLOCK_TIME_NONE;
  qos->earliest = 0;
  qos->throttle_start = GST_CLOCK_TIME_NONE;
  qos->throttle_stop = GST_CLOCK_TIME_NONE;
  qos->jitter = 0;
  qos->processed = 0;
  qos->dropped = 0;
}

void
gst_vfi_qos_set_config (GstVfiQos *qos, const GstVfiQosConfig *config)
{
  GstVfiRung rung;

  qos->config = *config;
  rung = qos->rung;
  if (gst_vfi_ladder_has (&qos->config, rung))
    return;
  if (rung >= GST_VFI_RUNG_DUPLICATES &&
      gst_vfi_ladder_of (&qos->config) != GST_VFI_ON_LATE_WAIT)
    rung = rung == GST_VFI_RUNG_NONE ? GST_VFI_RUNG_DUPLICATES : GST_VFI_RUNG_NONE;
  else
    rung = GST_VFI_RUNG_FULL;
  change_rung (qos, rung);
}

void
gst_vfi_qos_forget_costs (GstVfiQos *qos)
{
  gst_vfi_costs_clear (&qos->costs);
  qos->wait = GST_VFI_QOS_MIN_WAIT;
  qos->raised_at = GST_CLOCK_TIME_NONE;
  if (qos->rung != GST_VFI_RUNG_FULL)
    change_rung (qos, GST_VFI_RUNG_FULL);
  qos->trial = GST_VFI_TRIAL_NONE;
}

/* Pairs. */

static void
judge_last_pair (GstVfiQos *qos)
{
  if (qos->pair.count == 0)
    return;
  if (qos->pair.fits_above && qos->pair.change == qos->change)
    qos->good_pairs++;
  else
    qos->good_pairs = 0;
}

/* Whether the work of @rung, by costs that are up to date, fits into the time of a pair,
 * with a tenth to spare. Where HALF computes in every second pair, there is the time of
 * two. */
static gboolean
work_fits (const GstVfiQos *qos, GstVfiRung rung)
{
  const GstVfiQosPair *pair = &qos->pair;
  gboolean reduced = gst_vfi_ladder_is_reduced (&qos->config, rung);
  guint pairs = rung == GST_VFI_RUNG_HALF && pair->count == 1 ? 2 : 1;
  GstClockTime work;

  work = gst_vfi_time_times (
      time_or_zero (gst_vfi_recent_p95 (&qos->costs.in_between[reduced])),
      gst_vfi_ladder_computed_up_to (rung, pair->count, pair->count));
  work = gst_vfi_time_add (work, time_or_zero (gst_vfi_recent_p95 (&qos->costs.pair)));
  return work <= gst_vfi_time_times (pair->span / 10 * 9, pairs);
}

GstVfiRung
gst_vfi_qos_begin_pair (
    GstVfiQos *qos, GstClockTime now, guint jobs, guint count, GstClockTime span)
{
  gboolean in_turn = !qos->pair.in_turn;
  GstVfiRung above;
  GstClockTime ahead;

  note_now (qos, now);
  judge_last_pair (qos);
  qos->pair.span = MIN (span, GST_VFI_RECENT_MAX);
  if (GST_CLOCK_TIME_IS_VALID (now))
    step_up_if_due (qos);

  qos->pair_rung = qos->rung;
  qos->pair = (GstVfiQosPair){
      .start = now,
      .span = qos->pair.span,
      .count = count,
      .change = qos->change,
      .in_turn = in_turn,
  };
  ahead = time_or_zero (
      gst_vfi_recent_mean (&qos->costs.in_between[gst_vfi_qos_is_reduced (qos)]));
  if (GST_CLOCK_TIME_IS_VALID (now))
    qos->pair.start = gst_vfi_time_add (now, gst_vfi_time_times (ahead, jobs));
  above = gst_vfi_ladder_above (&qos->config, qos->pair_rung);
  qos->pair.fits_above =
      is_stale (qos, gst_vfi_ladder_is_reduced (&qos->config, above)) ||
      work_fits (qos, above);
  return qos->pair_rung;
}

gboolean
gst_vfi_qos_is_reduced (const GstVfiQos *qos)
{
  return gst_vfi_ladder_is_reduced (&qos->config, qos->pair_rung);
}

/* In-betweens. */

static gboolean
would_be_late_above (const GstVfiQos *qos, const GstVfiQosAsk *ask)
{
  const GstVfiQosPair *pair = &qos->pair;
  GstVfiRung above = gst_vfi_ladder_above (&qos->config, qos->pair_rung);
  gboolean reduced = gst_vfi_ladder_is_reduced (&qos->config, above);
  GstClockTime end = pair->start;

  if (above == qos->pair_rung || !GST_CLOCK_TIME_IS_VALID (pair->start) ||
      !GST_CLOCK_TIME_IS_VALID (ask->deadline) ||
      !gst_vfi_ladder_computes (above, ask->index, pair->count, TRUE))
    return FALSE;
  if (!is_stale (qos, reduced)) {
    end = gst_vfi_time_add (end, time_or_zero (gst_vfi_recent_p95 (&qos->costs.pair)));
    end = gst_vfi_time_add (
        end, gst_vfi_time_times (
                 time_or_zero (gst_vfi_recent_p95 (&qos->costs.in_between[reduced])),
                 gst_vfi_ladder_computed_up_to (above, ask->index, pair->count)));
  }
  return end > ask->deadline;
}

/* Lateness if it is submitted now, by the mean cost; 0 if it is on time. */
static GstClockTime
foreseen_lateness (const GstVfiQos *qos, const GstVfiQosAsk *ask)
{
  gboolean reduced = gst_vfi_qos_is_reduced (qos);
  GstClockTime end = ask->now;

  if (!GST_CLOCK_TIME_IS_VALID (ask->now) || !GST_CLOCK_TIME_IS_VALID (ask->deadline))
    return 0;
  /* A trial measures the cost, so the cost does not decide about it; but one that is late
   * before it begins is of no use. */
  if (qos->trial != GST_VFI_TRIAL_DUE) {
    end = gst_vfi_time_add (
        end, gst_vfi_time_times (
                 time_or_zero (gst_vfi_recent_mean (&qos->costs.in_between[reduced])),
                 (guint64) ask->jobs + 1));
    if (qos->pair.submitted == 0)
      end = gst_vfi_time_add (end, time_or_zero (gst_vfi_recent_mean (&qos->costs.pair)));
  }
  return end > ask->deadline ? end - ask->deadline : 0;
}

static gboolean
is_throttled (const GstVfiQos *qos, GstClockTime running_time)
{
  return GST_CLOCK_TIME_IS_VALID (qos->throttle_stop) &&
         GST_CLOCK_TIME_IS_VALID (running_time) && running_time > qos->throttle_start &&
         running_time < qos->throttle_stop;
}

static GstVfiDecision
leave_out (GstVfiQos *qos)
{
  qos->dropped++;
  return gst_vfi_ladder_of (&qos->config) == GST_VFI_ON_LATE_SKIP
             ? GST_VFI_DECISION_SKIP
             : GST_VFI_DECISION_DUPLICATE;
}

static GstVfiDecision
compute (GstVfiQos *qos, const GstVfiQosAsk *ask, GstVfiQosJob *job)
{
  GstVfiQosPair *pair = &qos->pair;

  *job = (GstVfiQosJob){
      .deadline = ask->deadline,
      .change = pair->change,
      .reduced = gst_vfi_qos_is_reduced (qos),
      .first = pair->submitted == 0,
      .alone =
          gst_vfi_ladder_computed_up_to (qos->pair_rung, pair->count, pair->count) == 1,
      .trial = qos->trial == GST_VFI_TRIAL_DUE,
  };
  if (job->trial)
    qos->trial = GST_VFI_TRIAL_RUNNING;
  pair->submitted++;
  qos->processed++;
  return GST_VFI_DECISION_COMPUTE;
}

GstVfiDecision
gst_vfi_qos_decide (GstVfiQos *qos, const GstVfiQosAsk *ask, GstVfiQosJob *job)
{
  GstVfiQosPair *pair = &qos->pair;
  GstClockTime late;

  note_now (qos, ask->now);
  if (is_throttled (qos, ask->running_time))
    return GST_VFI_DECISION_SKIP;
  if (gst_vfi_ladder_of (&qos->config) == GST_VFI_ON_LATE_WAIT)
    return compute (qos, ask, job);

  if (!GST_CLOCK_TIME_IS_VALID (qos->since) && pair->change == qos->change)
    qos->since = ask->running_time;
  if (would_be_late_above (qos, ask))
    pair->fits_above = FALSE;
  if (GST_CLOCK_TIME_IS_VALID (ask->running_time) && ask->running_time < qos->earliest) {
    pair->fits_above = FALSE;
    return leave_out (qos);
  }
  if (!gst_vfi_ladder_computes (qos->pair_rung, ask->index, pair->count, pair->in_turn) ||
      qos->trial == GST_VFI_TRIAL_RUNNING)
    return leave_out (qos);
  late = foreseen_lateness (qos, ask);
  if (late == 0)
    return compute (qos, ask, job);
  qos->jitter = (GstClockTimeDiff) MIN (late, G_MAXINT64);
  step_down (qos, pair->change);
  return leave_out (qos);
}

/* News. */

/* The kind that the cost of @job is of. */
static GstVfiCostKind
cost_kind (const GstVfiQosJob *job)
{
  if (job->trial)
    return GST_VFI_COST_FRESH;
  if (job->alone)
    return GST_VFI_COST_BOTH;
  return job->first ? GST_VFI_COST_FIRST : GST_VFI_COST_NEXT;
}

void
gst_vfi_qos_finish (
    GstVfiQos *qos, const GstVfiQosJob *job, GstClockTime cost, GstClockTime now)
{
  GstClockTime late = 0;

  note_now (qos, now);
  gst_vfi_costs_note (&qos->costs, job->reduced, cost_kind (job), cost, qos->now);
  if (job->trial && qos->trial == GST_VFI_TRIAL_RUNNING) {
    qos->trial = GST_VFI_TRIAL_NONE;
    if (!work_fits (qos, qos->rung))
      step_down (qos, job->change);
  }
  if (gst_vfi_ladder_of (&qos->config) == GST_VFI_ON_LATE_WAIT ||
      !GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (job->deadline))
    return;
  if (now > job->deadline)
    late = now - job->deadline;
  if (late == 0)
    return;
  qos->good_pairs = 0;
  qos->jitter = (GstClockTimeDiff) MIN (late, G_MAXINT64);
  if (late > GST_VFI_QOS_TOLERANCE)
    step_down (qos, job->change);
}

void
gst_vfi_qos_note_event (GstVfiQos *qos, GstQOSType type, GstClockTimeDiff diff,
    GstClockTime timestamp, GstClockTime duration)
{
  if (!qos->config.events || !GST_CLOCK_TIME_IS_VALID (timestamp))
    return;
  if (type == GST_QOS_TYPE_THROTTLE) {
    qos->throttle_start = timestamp;
    qos->throttle_stop = gst_vfi_time_add (timestamp, (GstClockTime) MAX (diff, 0));
    return;
  }
  qos->earliest = 0;
  if (diff <= 0 || gst_vfi_ladder_of (&qos->config) == GST_VFI_ON_LATE_WAIT)
    return;
  qos->earliest =
      gst_vfi_time_add (timestamp, gst_vfi_time_times ((GstClockTime) diff, 2));
  qos->earliest = gst_vfi_time_add (qos->earliest, time_or_zero (duration));
  qos->jitter = diff;
  if (GST_CLOCK_TIME_IS_VALID (qos->since) && timestamp >= qos->since)
    step_down (qos, qos->change);
}

/* Reports. */

gboolean
gst_vfi_qos_forwards_events (const GstVfiQos *qos)
{
  return qos->rung >= GST_VFI_RUNG_NONE;
}

gboolean
gst_vfi_qos_take_message (GstVfiQos *qos, GstClockTime now, GstVfiQosMessage *message)
{
  gboolean due = qos->reported_change != qos->change;

  note_now (qos, now);
  if (!due && qos->rung != GST_VFI_RUNG_FULL && GST_CLOCK_TIME_IS_VALID (now))
    due = !GST_CLOCK_TIME_IS_VALID (qos->reported_at) ||
          elapsed (qos, qos->reported_at) >= GST_VFI_QOS_MESSAGE_INTERVAL;
  if (!due)
    return FALSE;
  qos->reported_change = qos->change;
  qos->reported_at = now;
  *message = (GstVfiQosMessage){
      .rung = qos->rung,
      .quality = 250000 * (GST_VFI_RUNG_NONE - (gint) qos->rung),
      .jitter = qos->jitter,
      .processed = qos->processed,
      .dropped = qos->dropped,
  };
  return TRUE;
}

void
gst_vfi_qos_costs (const GstVfiQos *qos, GstClockTime *in_between, GstClockTime *pair)
{
  GstVfiRung rung = qos->trial == GST_VFI_TRIAL_NONE
                        ? qos->rung
                        : gst_vfi_ladder_below (&qos->config, qos->rung);
  gboolean reduced = gst_vfi_ladder_is_reduced (&qos->config, rung);

  *in_between = gst_vfi_recent_p95 (&qos->costs.in_between[reduced]);
  if (!GST_CLOCK_TIME_IS_VALID (*in_between))
    *in_between = gst_vfi_recent_p95 (&qos->costs.in_between[!reduced]);
  *pair = time_or_zero (gst_vfi_recent_p95 (&qos->costs.pair));
}
