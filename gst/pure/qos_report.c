/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What others are told about the ladder. */
#include "pure/qos.h"

#include "pure/climbing.h"

/* A maker that was short enough so long ago may be taken soon; costs are looked at once a
 * second. */
#define IN_SIGHT (2 * GST_SECOND)

/* Of fewer costs the greatest says little. */
#define MANY_COSTS 20

gboolean
gst_vfi_qos_forwards_events (const GstVfiQos *qos)
{
  return qos->rung >= GST_VFI_RUNG_NONE;
}

gboolean
gst_vfi_qos_take_message (GstVfiQos *qos, GstClockTime now, GstVfiQosMessage *message)
{
  gboolean due = qos->reported_change != qos->change;

  gst_vfi_climb_note_now (qos, now);
  if (!due && qos->rung != GST_VFI_RUNG_FULL && GST_CLOCK_TIME_IS_VALID (now))
    due = !GST_CLOCK_TIME_IS_VALID (qos->reported_at) ||
          gst_vfi_climb_elapsed (qos, qos->reported_at) >= GST_VFI_QOS_MESSAGE_INTERVAL;
  if (!due)
    return FALSE;
  qos->reported_change = qos->change;
  qos->reported_at = now;
  *message = (GstVfiQosMessage){
      .rung = qos->rung,
      .quality = gst_vfi_rung_quality (qos->rung),
      .jitter = qos->jitter,
      .processed = qos->processed,
      .dropped = qos->dropped,
  };
  return TRUE;
}

GstVfiMaker
gst_vfi_qos_maker (const GstVfiQos *qos)
{
  GstVfiRung rung = qos->trial == GST_VFI_TRIAL_NONE
                        ? qos->rung
                        : gst_vfi_ladder_below (&qos->config, qos->rung);

  return gst_vfi_ladder_maker (&qos->config, rung);
}

static guint
take_costs (
    const GstVfiQos *qos, GstVfiMaker maker, GstClockTime *in_between, GstClockTime *pair)
{
  GstVfiWork work;

  *in_between = GST_CLOCK_TIME_NONE;
  *pair = 0;
  if (!gst_vfi_costs_allow (&qos->costs, maker, 95, &work))
    return 0;
  *in_between = work.in_between;
  *pair = work.pair;
  return qos->costs.of[maker].in_between.n_times;
}

void
gst_vfi_qos_costs (const GstVfiQos *qos, GstClockTime *in_between, GstClockTime *pair)
{
  if (take_costs (qos, gst_vfi_qos_maker (qos), in_between, pair) == 0)
    take_costs (qos, GST_VFI_MAKER_FULL, in_between, pair);
}

/* Whether the costs of @maker are known and short enough for it to be taken, as far as it
 * is not in use. */
static gboolean
is_in_sight (const GstVfiQos *qos, GstVfiMaker maker)
{
  const GstVfiMakerCosts *costs = &qos->costs.of[maker];

  return qos->config.has[maker] && GST_CLOCK_TIME_IS_VALID (costs->measured_at) &&
         !costs->provisional &&
         gst_vfi_climb_elapsed (qos, costs->measured_at) <= MAX (qos->wait, IN_SIGHT) &&
         gst_vfi_climb_has_time (qos, (GstVfiRung) maker);
}

/* Of a few costs one may be anything, unless it is all that is known. */
static void
take_latency_costs (const GstVfiQos *qos, GstVfiMaker maker, GstVfiQosLatency *latency)
{
  const GstVfiMakerCosts *costs = &qos->costs.of[maker];
  GstVfiWork work;

  latency->n_measured = take_costs (qos, maker, &latency->in_between, &latency->pair);
  if (latency->n_measured == 0 || latency->n_measured >= MANY_COSTS || costs->provisional)
    return;
  gst_vfi_costs_expect (&qos->costs, maker, &work);
  latency->in_between = work.in_between;
  latency->pair = work.pair;
}

GstVfiQosLatency
gst_vfi_qos_latency (const GstVfiQos *qos)
{
  GstVfiMaker in_use = gst_vfi_qos_maker (qos), maker = GST_VFI_MAKER_FULL;
  GstVfiQosLatency latency = {.may_shrink = in_use == GST_VFI_MAKER_FULL};

  while (maker < in_use && !is_in_sight (qos, maker))
    maker++;
  take_latency_costs (qos, maker, &latency);
  if (latency.n_measured == 0)
    take_costs (qos, GST_VFI_MAKER_FULL, &latency.in_between, &latency.pair);
  latency.is_urgent = latency.n_measured > 0 &&
                      (qos->rung != GST_VFI_RUNG_FULL || qos->strikes > 0) &&
                      (maker < in_use || gst_vfi_climb_has_time (qos, qos->rung));
  return latency;
}
