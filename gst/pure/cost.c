/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Costs of in-betweens and pairs from the costs of jobs. */
#include "pure/cost.h"

void
gst_vfi_costs_clear (GstVfiCosts *costs)
{
  *costs = (GstVfiCosts){0};
  gst_vfi_costs_make_old (costs);
}

void
gst_vfi_costs_make_old (GstVfiCosts *costs)
{
  costs->measured_at[0] = costs->measured_at[1] = GST_CLOCK_TIME_NONE;
}

/* A pair's cost that is not known yet has no share. */
static void
note_both (
    GstVfiCosts *costs, GstVfiRecent *in_between, GstClockTime cost, gboolean replaces)
{
  gboolean known = in_between->n_times > 0 && costs->pair.n_times > 0;
  GstClockTime sum = in_between->mean + costs->pair.mean;
  GstClockTime share = 0;

  if (known && sum != 0)
    share = gst_util_uint64_scale (cost, costs->pair.mean, sum);
  if (replaces) {
    gst_vfi_recent_clear (in_between);
    gst_vfi_recent_clear (&costs->pair);
  }
  if (known)
    gst_vfi_recent_add (&costs->pair, share);
  gst_vfi_recent_add (in_between, cost - share);
}

void
gst_vfi_costs_note (GstVfiCosts *costs, gboolean reduced, GstVfiCostKind kind,
    GstClockTime cost, GstClockTime now)
{
  GstVfiRecent *in_between = &costs->in_between[reduced ? 1 : 0];
  GstClockTime mean = in_between->mean;

  if (!GST_CLOCK_TIME_IS_VALID (cost))
    return;
  cost = MIN (cost, GST_VFI_RECENT_MAX);
  costs->measured_at[reduced ? 1 : 0] = now;
  if (kind == GST_VFI_COST_BOTH || kind == GST_VFI_COST_FRESH)
    note_both (costs, in_between, cost, kind == GST_VFI_COST_FRESH);
  else if (kind == GST_VFI_COST_FIRST && in_between->n_times > 0)
    gst_vfi_recent_add (&costs->pair, cost > mean ? cost - mean : 0);
  else
    gst_vfi_recent_add (in_between, cost);
}
