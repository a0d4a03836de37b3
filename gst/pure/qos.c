/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decisions about in-betweens, and what becomes of them. */
#include "pure/qos.h"

#include "pure/climbing.h"
#include "pure/time_math.h"

/* Costs that rise more rise by this, in percent. */
#define MAX_SURGE 10000

/* Setting up. */

void
gst_vfi_qos_init (GstVfiQos *qos)
{
  *qos = (GstVfiQos){.config = {.on_late = GST_VFI_ON_LATE_AUTO, .events = TRUE}};
  qos->config.has[GST_VFI_MAKER_FULL] = TRUE;
  qos->surge = 100;
  gst_vfi_qos_forget_costs (qos);
  gst_vfi_qos_reset (qos);
  qos->reported_change = qos->change;
}

static void
return_to_top (GstVfiQos *qos)
{
  GstVfiRung top = gst_vfi_ladder_top (&qos->config);

  if (qos->rung != top)
    gst_vfi_climb_change_to (qos, top);
}

void
gst_vfi_qos_reset (GstVfiQos *qos)
{
  qos->raised_at = GST_CLOCK_TIME_NONE;
  return_to_top (qos);
  gst_vfi_climb_forget_good_pairs (qos);
  qos->strikes = 0;
  qos->struck_at = 0;
  qos->lagging = 0;
  qos->trial = GST_VFI_TRIAL_NONE;
  qos->last_maker = -1;
  qos->renews = FALSE;
  qos->pair_rung = qos->rung;
  qos->pair = (GstVfiQosPair){
      .number = qos->pair.number,
      .start = GST_CLOCK_TIME_NONE,
      .change = qos->change,
  };
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
  GstVfiRung rung = qos->rung;

  for (guint maker = 0; maker < GST_VFI_N_MAKERS; maker++)
    if (config->has[maker] && !qos->config.has[maker])
      qos->wait = GST_VFI_CLIMB_MIN_WAIT;
  qos->config = *config;
  if (gst_vfi_ladder_has (&qos->config, rung))
    return;
  if (rung >= GST_VFI_RUNG_DUPLICATES &&
      gst_vfi_ladder_of (&qos->config) != GST_VFI_ON_LATE_WAIT)
    rung = rung == GST_VFI_RUNG_NONE ? GST_VFI_RUNG_DUPLICATES : GST_VFI_RUNG_NONE;
  else
    rung = gst_vfi_ladder_top (&qos->config);
  gst_vfi_climb_change_to (qos, rung);
}

void
gst_vfi_qos_forget_costs (GstVfiQos *qos)
{
  gst_vfi_costs_clear (&qos->costs);
  qos->wait = GST_VFI_CLIMB_MIN_WAIT;
  qos->raised_at = GST_CLOCK_TIME_NONE;
  return_to_top (qos);
  qos->trial = GST_VFI_TRIAL_NONE;
  qos->rehearsal = GST_VFI_TRIAL_NONE;
  qos->last_maker = -1;
}

void
gst_vfi_qos_forget_maker (GstVfiQos *qos, GstVfiMaker maker)
{
  qos->costs.of[maker] = (GstVfiMakerCosts){.measured_at = GST_CLOCK_TIME_NONE};
  if (qos->last_maker == (gint) maker)
    qos->last_maker = -1;
}

/* Pairs. */

static void
judge_last_pair (GstVfiQos *qos)
{
  const GstVfiQosPair *pair = &qos->pair;

  if (pair->count == 0)
    return;
  qos->lagging = pair->lags ? qos->lagging + 1 : 0;
  if (pair->submitted > 0 && qos->struck != pair->number && qos->strikes > 0)
    qos->strikes--;
  for (guint rung = 0; rung < GST_VFI_N_RUNGS; rung++) {
    if (pair->fits[rung] && pair->change == qos->change)
      qos->good_pairs[rung]++;
    else
      qos->good_pairs[rung] = 0;
  }
  if (qos->won && qos->good_pairs[gst_vfi_ladder_above (&qos->config, qos->rung)] == 0)
    gst_vfi_climb_fail_rehearsal (qos);
}

/* When the engine is free for the pair. */
static GstClockTime
start_of (const GstVfiQos *qos, GstClockTime now, const guint jobs[GST_VFI_N_MAKERS])
{
  if (!GST_CLOCK_TIME_IS_VALID (now))
    return GST_CLOCK_TIME_NONE;
  for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++) {
    GstVfiWork work;
    if (jobs[maker] > 0 && gst_vfi_costs_expect (&qos->costs, maker, &work))
      now = gst_vfi_time_add (now, gst_vfi_time_times (work.in_between, jobs[maker]));
  }
  return now;
}

GstVfiRung
gst_vfi_qos_begin_pair (GstVfiQos *qos, GstClockTime now,
    const guint jobs[GST_VFI_N_MAKERS], guint count, GstClockTime span)
{
  gboolean in_turn = !qos->pair.in_turn;

  gst_vfi_climb_note_now (qos, now);
  judge_last_pair (qos);
  qos->pair.span = MIN (span, GST_VFI_RECENT_MAX);
  qos->pair.count = count;
  if (GST_CLOCK_TIME_IS_VALID (now))
    gst_vfi_climb_step_up_if_due (qos);

  qos->pair_rung = qos->rung;
  qos->pair = (GstVfiQosPair){
      .number = qos->pair.number + 1,
      .start = start_of (qos, now, jobs),
      .span = qos->pair.span,
      .count = count,
      .change = qos->change,
      .in_turn = in_turn,
      .arrives = (gint) gst_vfi_ladder_maker (&qos->config, qos->rung) != qos->last_maker,
  };
  for (GstVfiRung rung = GST_VFI_RUNG_FULL; rung < qos->rung; rung++)
    qos->pair.fits[rung] =
        gst_vfi_ladder_has (&qos->config, rung) &&
        (gst_vfi_climb_is_stale (qos, gst_vfi_ladder_maker (&qos->config, rung)) ||
            gst_vfi_climb_has_time (qos, rung));
  return qos->pair_rung;
}

/* In-betweens. */

/* Whether the rung above the pair's that is asked about would have the in-between late,
 * by recent costs, if they are up to date. */
static gboolean
would_be_late_at (const GstVfiQos *qos, const GstVfiQosAsk *ask, GstVfiRung rung)
{
  const GstVfiQosPair *pair = &qos->pair;
  GstVfiLoad load = gst_vfi_climb_load (qos);
  GstClockTime end = pair->start;

  if (!GST_CLOCK_TIME_IS_VALID (pair->start) || !GST_CLOCK_TIME_IS_VALID (ask->deadline))
    return FALSE;
  if (!gst_vfi_ladder_computes (rung, ask->index, pair->count, TRUE))
    return FALSE;
  if (!gst_vfi_climb_is_stale (qos, gst_vfi_ladder_maker (&qos->config, rung)))
    end = gst_vfi_time_add (end,
        gst_vfi_choice_time_to (&load, rung, gst_vfi_climb_percent (qos), ask->index));
  return end > ask->deadline;
}

static void
judge_higher_rungs (GstVfiQos *qos, const GstVfiQosAsk *ask)
{
  gboolean refused =
      GST_CLOCK_TIME_IS_VALID (ask->running_time) && ask->running_time < qos->earliest;

  for (GstVfiRung rung = GST_VFI_RUNG_FULL; rung < qos->pair_rung; rung++)
    if (qos->pair.fits[rung] && (refused || would_be_late_at (qos, ask, rung)))
      qos->pair.fits[rung] = FALSE;
}

/* Lateness if it is submitted now, by the mean cost; 0 if it is on time. */
static GstClockTime
foreseen_lateness (
    const GstVfiQos *qos, const GstVfiQosAsk *ask, GstClockTime disturbance)
{
  GstVfiMaker maker = gst_vfi_ladder_maker (&qos->config, qos->pair_rung);
  GstClockTime end = ask->now;
  GstVfiWork work;

  if (!GST_CLOCK_TIME_IS_VALID (ask->now) || !GST_CLOCK_TIME_IS_VALID (ask->deadline))
    return 0;
  /* A trial measures the cost, so the cost does not decide about it; but one that is late
   * before it begins is of no use. */
  if (qos->trial != GST_VFI_TRIAL_DUE) {
    if (gst_vfi_climb_is_innocent (qos, qos->pair_rung))
      gst_vfi_costs_usual (&qos->costs, maker, &work);
    else
      gst_vfi_costs_expect (&qos->costs, maker, &work);
    end = gst_vfi_time_add (start_of (qos, end, ask->jobs), work.in_between);
    end = gst_vfi_time_add (end, disturbance);
    if (qos->pair.submitted == 0)
      end = gst_vfi_time_add (end, work.pair);
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
leave_out_late (GstVfiQos *qos, const GstVfiQosAsk *ask, GstClockTime late)
{
  GstVfiQosPair *pair = &qos->pair;
  gboolean lags = ask->now >= ask->deadline;

  gst_vfi_climb_note_lateness (qos, ask->running_time, late);
  pair->lags = pair->lags || lags;
  if (lags && qos->lagging < GST_VFI_CLIMB_GOOD_PAIRS)
    gst_vfi_climb_forget_good_pairs (qos);
  else if (lags)
    gst_vfi_climb_miss_by_others (qos, pair->change, pair->number);
  else
    gst_vfi_climb_miss (qos, pair->change, pair->number);
  return leave_out (qos);
}

/* Whether a rehearsal would make the in-between late, whose work takes up to twice as
 * long meanwhile. */
static void
judge_rehearsal (GstVfiQos *qos, const GstVfiQosAsk *ask)
{
  GstVfiMaker maker = gst_vfi_ladder_maker (&qos->config, qos->pair_rung);
  GstVfiWork work;

  if (qos->rehearsal != GST_VFI_TRIAL_RUNNING)
    return;
  gst_vfi_costs_allow (&qos->costs, maker, 95, &work);
  if (foreseen_lateness (qos, ask, gst_vfi_time_add (work.in_between, work.pair)) >
      GST_VFI_QOS_TOLERANCE)
    qos->rehearsal_disturbs = TRUE;
}

static GstVfiDecision
compute (GstVfiQos *qos, const GstVfiQosAsk *ask, GstVfiQosJob *job)
{
  GstVfiQosPair *pair = &qos->pair;

  *job = (GstVfiQosJob){
      .rung = qos->pair_rung,
      .maker = gst_vfi_ladder_maker (&qos->config, qos->pair_rung),
      .deadline = ask->deadline,
      .running_time = ask->running_time,
      .change = pair->change,
      .pair = pair->number,
      .first = pair->submitted == 0,
      .alone =
          gst_vfi_ladder_computed_up_to (qos->pair_rung, pair->count, pair->count) == 1,
      .arrives = pair->arrives,
      .trial = qos->trial == GST_VFI_TRIAL_DUE,
  };
  if (job->trial)
    qos->trial = GST_VFI_TRIAL_RUNNING;
  if (job->arrives && job->first)
    qos->renews = gst_vfi_climb_is_stale (qos, job->maker);
  qos->last_maker = (gint) job->maker;
  pair->submitted++;
  qos->processed++;
  return GST_VFI_DECISION_COMPUTE;
}

GstVfiDecision
gst_vfi_qos_decide (GstVfiQos *qos, const GstVfiQosAsk *ask, GstVfiQosJob *job)
{
  GstVfiQosPair *pair = &qos->pair;
  GstClockTime late;

  gst_vfi_climb_note_now (qos, ask->now);
  if (is_throttled (qos, ask->running_time))
    return GST_VFI_DECISION_SKIP;
  if (gst_vfi_ladder_of (&qos->config) == GST_VFI_ON_LATE_WAIT)
    return compute (qos, ask, job);

  if (!GST_CLOCK_TIME_IS_VALID (qos->since) && pair->change == qos->change)
    qos->since = ask->running_time;
  judge_higher_rungs (qos, ask);
  if ((GST_CLOCK_TIME_IS_VALID (ask->running_time) &&
          ask->running_time < qos->earliest) ||
      !gst_vfi_ladder_computes (qos->pair_rung, ask->index, pair->count, pair->in_turn) ||
      qos->trial == GST_VFI_TRIAL_RUNNING)
    return leave_out (qos);
  late = foreseen_lateness (qos, ask, 0);
  if (late > 0)
    return leave_out_late (qos, ask, late);
  judge_rehearsal (qos, ask);
  return compute (qos, ask, job);
}

/* News. */

/* The kind that the cost of @job is of. */
static GstVfiCostKind
cost_kind (GstVfiQos *qos, const GstVfiQosJob *job)
{
  if (job->trial)
    return GST_VFI_COST_FRESH;
  if (job->arrives && job->first)
    return GST_VFI_COST_ARRIVAL;
  if (qos->renews && (gint) job->maker == qos->last_maker && job->first) {
    qos->renews = FALSE;
    return GST_VFI_COST_FRESH;
  }
  if (job->alone)
    return GST_VFI_COST_BOTH;
  return job->first ? GST_VFI_COST_FIRST : GST_VFI_COST_NEXT;
}

/* What a job costs by the means that are known; 0 where they say nothing about it. */
static GstClockTime
expected_cost (const GstVfiQos *qos, const GstVfiQosJob *job)
{
  GstVfiWork work;

  if (job->arrives || !gst_vfi_costs_expect (&qos->costs, job->maker, &work))
    return 0;
  return gst_vfi_time_add (work.in_between, job->first ? work.pair : 0);
}

/* How much more than expected a job has cost, in percent of that. */
static guint
surge_of (const GstVfiQos *qos, const GstVfiQosJob *job, GstClockTime cost)
{
  GstClockTime expected = expected_cost (qos, job);

  if (!GST_CLOCK_TIME_IS_VALID (cost) || cost <= expected || expected == 0)
    return 100;
  return (guint) MIN (gst_util_uint64_scale (cost, 100, expected), MAX_SURGE);
}

/* A job and a rehearsal share the machine: what the job takes longer than by itself it
 * has waited for the rehearsal, which has waited for the job as long. Where they were not
 * in each other's way, nobody has. FALSE if the cost is the job's own. */
static gboolean
note_beside_rehearsal (GstVfiQos *qos, const GstVfiQosJob *job, GstClockTime cost)
{
  GstClockTime alone = expected_cost (qos, job);

  if (qos->rehearsal != GST_VFI_TRIAL_RUNNING || job->maker == qos->rehearsed ||
      job->trial || alone == 0 || !GST_CLOCK_TIME_IS_VALID (cost))
    return FALSE;
  if (cost > alone)
    qos->rehearsal_delay =
        gst_vfi_time_add (qos->rehearsal_delay, MIN (cost - alone, cost / 2));
  return TRUE;
}

void
gst_vfi_qos_finish (
    GstVfiQos *qos, const GstVfiQosJob *job, GstClockTime cost, GstClockTime now)
{
  GstClockTime late = 0;

  gst_vfi_climb_note_now (qos, now);
  qos->surge = surge_of (qos, job, cost);
  if (!note_beside_rehearsal (qos, job, cost))
    gst_vfi_costs_note (&qos->costs, job->maker, cost_kind (qos, job), cost, qos->now);
  if (job->trial && qos->trial == GST_VFI_TRIAL_RUNNING) {
    qos->trial = GST_VFI_TRIAL_NONE;
    if (!gst_vfi_climb_has_time (qos, qos->rung) && job->change == qos->change)
      gst_vfi_climb_step_down (qos);
  }
  if (gst_vfi_ladder_of (&qos->config) == GST_VFI_ON_LATE_WAIT ||
      !GST_CLOCK_TIME_IS_VALID (now) || !GST_CLOCK_TIME_IS_VALID (job->deadline))
    return;
  if (now > job->deadline)
    late = now - job->deadline;
  if (late == 0) {
    qos->surge = 100;
    return;
  }
  gst_vfi_climb_forget_good_pairs (qos);
  gst_vfi_climb_note_lateness (qos, job->running_time, late);
  if (late > GST_VFI_QOS_TOLERANCE && !job->arrives)
    gst_vfi_climb_miss_by_others (qos, job->change, job->pair);
  qos->surge = 100;
}

/* A sink that is to catch up with @late gets nothing for twice that time. */
static GstClockTime
late_until (GstClockTime timestamp, GstClockTime late, GstClockTime duration)
{
  GstClockTime until = gst_vfi_time_add (timestamp, gst_vfi_time_times (late, 2));

  return GST_CLOCK_TIME_IS_VALID (duration) ? gst_vfi_time_add (until, duration) : until;
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
  if (!gst_vfi_climb_is_innocent (qos, qos->rung))
    qos->earliest = late_until (timestamp, (GstClockTime) diff, duration);
  qos->jitter = diff;
  if (!GST_CLOCK_TIME_IS_VALID (qos->since) || timestamp < qos->since ||
      timestamp < qos->struck_at)
    return;
  gst_vfi_climb_note_lateness (qos, timestamp, (GstClockTime) diff);
  gst_vfi_climb_miss_by_others (qos, qos->change, qos->pair.number);
}
