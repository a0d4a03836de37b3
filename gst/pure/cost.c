/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Costs of in-betweens and pairs from the costs of jobs. */
#include "pure/cost.h"

/* How @percent that takes the mean instead is written. */
#define MEAN 0

void
gst_vfi_costs_clear (GstVfiCosts *costs)
{
  *costs = (GstVfiCosts){0};
  gst_vfi_costs_make_old (costs);
}

void
gst_vfi_costs_make_old (GstVfiCosts *costs)
{
  for (guint maker = 0; maker < GST_VFI_N_MAKERS; maker++)
    costs->of[maker].measured_at = GST_CLOCK_TIME_NONE;
}

/* A pair's cost that is not known yet has no share. */
static void
note_both (GstVfiMakerCosts *of, GstClockTime cost, gboolean replaces)
{
  gboolean known = of->in_between.n_times > 0 && of->pair.n_times > 0;
  GstClockTime sum = of->in_between.mean + of->pair.mean;
  GstClockTime share = 0;

  if (known && sum != 0)
    share = gst_util_uint64_scale (cost, of->pair.mean, sum);
  if (replaces) {
    gst_vfi_recent_clear (&of->in_between);
    gst_vfi_recent_clear (&of->pair);
  }
  if (known)
    gst_vfi_recent_add (&of->pair, share);
  gst_vfi_recent_add (&of->in_between, cost - share);
}

static void
note_arrival (GstVfiMakerCosts *of, GstClockTime cost, GstClockTime now)
{
  if (of->in_between.n_times > 0)
    return;
  gst_vfi_recent_add (&of->in_between, cost);
  of->provisional = TRUE;
  of->measured_at = now;
}

void
gst_vfi_costs_note (GstVfiCosts *costs, GstVfiMaker maker, GstVfiCostKind kind,
    GstClockTime cost, GstClockTime now)
{
  GstVfiMakerCosts *of = &costs->of[maker];

  if (!GST_CLOCK_TIME_IS_VALID (cost))
    return;
  cost = MIN (cost, GST_VFI_RECENT_MAX);
  if (kind == GST_VFI_COST_ARRIVAL) {
    note_arrival (of, cost, now);
    return;
  }
  if (of->provisional)
    gst_vfi_recent_clear (&of->in_between);
  of->provisional = FALSE;
  of->measured_at = now;
  if (kind == GST_VFI_COST_BOTH || kind == GST_VFI_COST_FRESH)
    note_both (of, cost, kind == GST_VFI_COST_FRESH);
  else if (kind == GST_VFI_COST_FIRST && of->in_between.n_times > 0)
    gst_vfi_recent_add (
        &of->pair, cost > of->in_between.mean ? cost - of->in_between.mean : 0);
  else
    gst_vfi_recent_add (&of->in_between, cost);
}

static GstClockTime
estimate (const GstVfiRecent *recent, guint percent)
{
  if (recent->n_times == 0)
    return 0;
  return percent == MEAN ? gst_vfi_recent_mean (recent)
                         : gst_vfi_recent_percentile (recent, percent);
}

static gboolean
estimate_work (
    const GstVfiCosts *costs, GstVfiMaker maker, guint percent, GstVfiWork *work)
{
  const GstVfiMakerCosts *of = &costs->of[maker];
  gboolean known = of->in_between.n_times > 0;
  guint divisor = of->provisional && percent == MEAN ? 2 : 1;

  if (!known && maker == GST_VFI_MAKER_REDUCED) {
    of = &costs->of[GST_VFI_MAKER_FULL];
    known = of->in_between.n_times > 0;
    divisor = 2;
  }
  *work = (GstVfiWork){
      .in_between = estimate (&of->in_between, percent) / divisor,
      .pair = estimate (&of->pair, percent) / divisor,
  };
  return known;
}

gboolean
gst_vfi_costs_expect (const GstVfiCosts *costs, GstVfiMaker maker, GstVfiWork *work)
{
  return estimate_work (costs, maker, MEAN, work);
}

gboolean
gst_vfi_costs_allow (
    const GstVfiCosts *costs, GstVfiMaker maker, guint percent, GstVfiWork *work)
{
  return estimate_work (costs, maker, percent, work);
}

gboolean
gst_vfi_costs_usual (const GstVfiCosts *costs, GstVfiMaker maker, GstVfiWork *work)
{
  const GstVfiMakerCosts *of = &costs->of[maker];
  gboolean known = of->in_between.n_times > 0 && !of->provisional;

  *work = (GstVfiWork){0};
  if (known)
    work->in_between = gst_vfi_recent_usual (&of->in_between);
  if (known && of->pair.n_times > 0)
    work->pair = gst_vfi_recent_usual (&of->pair);
  return known;
}
