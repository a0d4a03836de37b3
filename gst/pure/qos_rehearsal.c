/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rehearsals: what a maker would cost that is not in use. */
#include "pure/qos.h"

#include "pure/climbing.h"
#include "pure/time_math.h"

static gboolean
is_unknown (const GstVfiQos *qos, GstVfiMaker maker)
{
  return qos->config.has[maker] && qos->costs.of[maker].in_between.n_times == 0;
}

/* The lowest rung that @maker makes pictures at, and that is above the one in force. */
static GstVfiRung
rung_to_win (const GstVfiQos *qos, GstVfiMaker maker)
{
  if (qos->rung > GST_VFI_RUNG_HALF &&
      gst_vfi_ladder_maker (&qos->config, GST_VFI_RUNG_HALF) == maker)
    return GST_VFI_RUNG_HALF;
  return (GstVfiRung) maker;
}

gboolean
gst_vfi_qos_wants_rehearsal (GstVfiQos *qos, GstClockTime now, GstVfiMaker *maker)
{
  gboolean halves;

  gst_vfi_climb_note_now (qos, now);
  if (!qos->config.rehearses || qos->rehearsal == GST_VFI_TRIAL_RUNNING)
    return FALSE;
  /* Of the built-in model no other cost tells anything. */
  if (qos->rehearsal == GST_VFI_TRIAL_NONE && is_unknown (qos, GST_VFI_MAKER_FLOW))
    qos->rehearsed = GST_VFI_MAKER_FLOW;
  else if (qos->rehearsal == GST_VFI_TRIAL_NONE)
    return FALSE;
  qos->rehearsal = GST_VFI_TRIAL_RUNNING;
  halves = qos->pair.count == 1 && rung_to_win (qos, qos->rehearsed) == GST_VFI_RUNG_HALF;
  qos->rehearsed_at = qos->now;
  qos->rehearsal_limit = gst_vfi_time_times (qos->pair.span, halves ? 2 : 1);
  qos->rehearsal_delay = 0;
  qos->rehearsal_disturbs = FALSE;
  *maker = qos->rehearsed;
  return TRUE;
}

gboolean
gst_vfi_qos_rehearsal_must_end (GstVfiQos *qos, GstClockTime now, GstClockTime *cost)
{
  GstClockTime past;

  gst_vfi_climb_note_now (qos, now);
  past = gst_vfi_climb_elapsed (qos, qos->rehearsed_at);
  *cost = past >= qos->rehearsal_limit ? past : GST_CLOCK_TIME_NONE;
  return qos->rehearsal == GST_VFI_TRIAL_RUNNING &&
         (qos->rehearsal_disturbs || past >= qos->rehearsal_limit);
}

void
gst_vfi_qos_rehearsed (
    GstVfiQos *qos, GstVfiMaker maker, GstClockTime cost, GstClockTime now)
{
  GstVfiRung rung = rung_to_win (qos, maker);

  gst_vfi_climb_note_now (qos, now);
  qos->rehearsal = GST_VFI_TRIAL_NONE;
  if (GST_CLOCK_TIME_IS_VALID (cost))
    cost -= MIN (qos->rehearsal_delay, cost / 2);
  gst_vfi_costs_note (&qos->costs, maker, GST_VFI_COST_FRESH, cost, qos->now);
  if (rung >= qos->rung)
    return;
  if (GST_CLOCK_TIME_IS_VALID (cost) && gst_vfi_climb_has_time (qos, rung)) {
    /* One pair more than this one has to be judged by what is known now. */
    for (GstVfiRung higher = rung; higher < qos->rung; higher++)
      qos->good_pairs[higher] =
          MIN (qos->good_pairs[higher], GST_VFI_CLIMB_GOOD_PAIRS - 2);
    qos->won = rung == gst_vfi_ladder_above (&qos->config, qos->rung);
  } else if (rung == gst_vfi_ladder_above (&qos->config, qos->rung)) {
    gst_vfi_climb_fail_rehearsal (qos);
  }
}
