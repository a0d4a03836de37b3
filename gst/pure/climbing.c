/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going down needs a miss that costs explain, or a few; going up needs a row of pairs
 * with time to spare and a wait, which grows as long as going up fails. */
#include "pure/climbing.h"

#include "pure/time_math.h"

/* A clock that shows a time earlier than the last one by more is another clock. */
#define CLOCK_JUMP GST_SECOND

/* A cost measured within this many pairs is up to date, however short the wait. */
#define FRESH_PAIRS 4

/* What is shown is late for this many pairs for one reason. */
#define PAIRS_OF_A_MISS 2

/* Of recent costs so many percent must leave time before a rung is taken: fewer where
 * pictures are missing meanwhile. */
#define MOST 95
#define MANY 85

GstClockTime
gst_vfi_climb_elapsed (const GstVfiQos *qos, GstClockTime since)
{
  return qos->now > since ? qos->now - since : 0;
}

GstVfiLoad
gst_vfi_climb_load (const GstVfiQos *qos)
{
  return (GstVfiLoad){
      .config = &qos->config,
      .costs = &qos->costs,
      .count = qos->pair.count,
      .span = qos->pair.span,
      .in_use = gst_vfi_ladder_maker (&qos->config, qos->rung),
      .surge = qos->surge,
  };
}

guint
gst_vfi_climb_percent (const GstVfiQos *qos)
{
  return qos->rung < GST_VFI_RUNG_HALF ? MOST : MANY;
}

gboolean
gst_vfi_climb_has_time (const GstVfiQos *qos, GstVfiRung rung)
{
  GstVfiLoad load = gst_vfi_climb_load (qos);

  return gst_vfi_choice_has_time (&load, rung, gst_vfi_climb_percent (qos));
}

void
gst_vfi_climb_note_now (GstVfiQos *qos, GstClockTime now)
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

/* Changes of the rung. */

void
gst_vfi_climb_forget_good_pairs (GstVfiQos *qos)
{
  for (guint rung = 0; rung < GST_VFI_N_RUNGS; rung++)
    qos->good_pairs[rung] = 0;
}

void
gst_vfi_climb_change_to (GstVfiQos *qos, GstVfiRung rung)
{
  qos->rung = rung;
  qos->change++;
  qos->changed_at = qos->now;
  gst_vfi_climb_forget_good_pairs (qos);
  qos->strikes = 0;
  qos->lagging = 0;
  qos->won = FALSE;
  qos->trial = GST_VFI_TRIAL_NONE;
  if (qos->rehearsal == GST_VFI_TRIAL_DUE)
    qos->rehearsal = GST_VFI_TRIAL_NONE;
  qos->since = GST_CLOCK_TIME_NONE;
}

/* The wait, halved for each GST_VFI_CLIMB_PROOF that a higher rung has stood. */
static GstClockTime
proven_wait (const GstVfiQos *qos)
{
  GstClockTime proofs;

  if (!GST_CLOCK_TIME_IS_VALID (qos->raised_at))
    return qos->wait;
  proofs = gst_vfi_climb_elapsed (qos, qos->raised_at) / GST_VFI_CLIMB_PROOF;
  return MAX (qos->wait >> MIN (proofs, 63), GST_VFI_CLIMB_MIN_WAIT);
}

static gboolean
loses_pictures (GstVfiRung rung)
{
  return rung >= GST_VFI_RUNG_HALF;
}

/* How long a higher rung has stood decides how long to wait for the next one. */
static void
judge_raise (GstVfiQos *qos, GstVfiRung below)
{
  if (!GST_CLOCK_TIME_IS_VALID (qos->raised_at))
    return;
  if (gst_vfi_climb_elapsed (qos, qos->raised_at) < GST_VFI_CLIMB_PROOF)
    qos->wait =
        MIN (qos->wait * (loses_pictures (below) ? 2 : 4), GST_VFI_CLIMB_MAX_WAIT);
  else
    qos->wait = proven_wait (qos);
  qos->raised_at = GST_CLOCK_TIME_NONE;
}

void
gst_vfi_climb_step_down (GstVfiQos *qos)
{
  GstVfiLoad load = gst_vfi_climb_load (qos);
  GstVfiRung below = gst_vfi_choice_below (&load, qos->rung);

  if (below == qos->rung)
    return;
  /* Most of what is known of its maker is from before whatever has happened. */
  if (gst_vfi_ladder_maker (&qos->config, below) != load.in_use)
    qos->costs.of[load.in_use].measured_at = GST_CLOCK_TIME_NONE;
  judge_raise (qos, below);
  gst_vfi_climb_change_to (qos, below);
}

gboolean
gst_vfi_climb_is_innocent (const GstVfiQos *qos, GstVfiRung rung)
{
  GstVfiLoad load = gst_vfi_climb_load (qos);

  return gst_vfi_ladder_of (&qos->config) == GST_VFI_ON_LATE_DUPLICATE &&
         gst_vfi_choice_takes_little (&load, rung);
}

void
gst_vfi_climb_miss (GstVfiQos *qos, guint change, guint pair)
{
  GstVfiLoad load = gst_vfi_climb_load (qos);
  guint bearable = GST_VFI_CLIMB_PARDON;

  gst_vfi_climb_forget_good_pairs (qos);
  if (change != qos->change)
    return;
  qos->changed_at = qos->now;
  if (loses_pictures (gst_vfi_choice_below (&load, qos->rung)))
    bearable = 3 * GST_VFI_CLIMB_PARDON;
  else if (!gst_vfi_choice_is_kept_up (&load, qos->rung))
    bearable = 0;
  if (pair - qos->struck > PAIRS_OF_A_MISS || qos->strikes == 0) {
    qos->strikes += GST_VFI_CLIMB_PARDON;
    qos->struck = pair;
  }
  if (qos->strikes > bearable)
    gst_vfi_climb_step_down (qos);
}

void
gst_vfi_climb_miss_by_others (GstVfiQos *qos, guint change, guint pair)
{
  if (qos->rung == GST_VFI_RUNG_DUPLICATES || gst_vfi_climb_is_innocent (qos, qos->rung))
    gst_vfi_climb_forget_good_pairs (qos);
  else
    gst_vfi_climb_miss (qos, change, pair);
}

void
gst_vfi_climb_note_lateness (GstVfiQos *qos, GstClockTime running_time, GstClockTime late)
{
  qos->jitter = (GstClockTimeDiff) MIN (late, G_MAXINT64);
  if (GST_CLOCK_TIME_IS_VALID (running_time))
    qos->struck_at = gst_vfi_time_add (
        running_time, gst_vfi_time_times (qos->pair.span, PAIRS_OF_A_MISS));
}

gboolean
gst_vfi_climb_is_stale (const GstVfiQos *qos, GstVfiMaker maker)
{
  const GstVfiMakerCosts *costs = &qos->costs.of[maker];
  GstClockTime fresh = MAX (qos->wait, gst_vfi_time_times (qos->pair.span, FRESH_PAIRS));

  return !GST_CLOCK_TIME_IS_VALID (costs->measured_at) || costs->provisional ||
         gst_vfi_climb_elapsed (qos, costs->measured_at) > fresh;
}

void
gst_vfi_climb_fail_rehearsal (GstVfiQos *qos)
{
  qos->wait = MAX (qos->wait, MIN (qos->wait * 2, GST_VFI_CLIMB_MAX_REHEARSAL_WAIT));
  qos->changed_at = qos->now;
  qos->won = FALSE;
}

static void
raise_to (GstVfiQos *qos, GstVfiRung rung)
{
  qos->wait = proven_wait (qos);
  gst_vfi_climb_change_to (qos, rung);
  qos->raised_at = qos->now;
}

/* A cost that is not known has to be measured before @rung, the next above @best, is
 * taken. */
static void
measure (GstVfiQos *qos, GstVfiRung rung, GstVfiRung best)
{
  if (qos->config.rehearses) {
    if (qos->rehearsal == GST_VFI_TRIAL_NONE)
      qos->rehearsal = GST_VFI_TRIAL_DUE;
    qos->rehearsed = gst_vfi_ladder_maker (&qos->config, rung);
    return;
  }
  raise_to (qos, best == qos->rung ? rung : best);
  if (qos->rung == rung)
    qos->trial = GST_VFI_TRIAL_DUE;
}

void
gst_vfi_climb_step_up_if_due (GstVfiQos *qos)
{
  GstVfiRung best = qos->rung, rung = gst_vfi_ladder_above (&qos->config, best);

  if (gst_vfi_climb_elapsed (qos, qos->changed_at) < proven_wait (qos) ||
      qos->rehearsal == GST_VFI_TRIAL_RUNNING)
    return;
  while (rung != best && qos->good_pairs[rung] >= GST_VFI_CLIMB_GOOD_PAIRS) {
    if (gst_vfi_climb_is_stale (qos, gst_vfi_ladder_maker (&qos->config, rung))) {
      measure (qos, rung, best);
      return;
    }
    if (!gst_vfi_climb_has_time (qos, rung))
      break;
    best = rung;
    rung = gst_vfi_ladder_above (&qos->config, best);
  }
  if (best != qos->rung)
    raise_to (qos, best);
}
