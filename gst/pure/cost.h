/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cost of an in-between, and the one-off cost of a pair (preparing its frames,
 * features that all its in-betweens share). The engine does one job after the other, and
 * the first job of a pair pays both; here they are told apart as far as that can be done.
 * Pure functions on a plain struct.
 *
 *   gst_vfi_costs_clear (&costs);
 *   gst_vfi_costs_note (&costs, reduced, kind, cost, now);            a job ended
 *   gst_vfi_recent_mean (&costs.in_between[reduced])                  what to expect
 *   gst_vfi_recent_p95 (&costs.in_between[reduced])                   what to allow for
 */
#pragma once

#include <gst/gst.h>

#include "pure/recent.h"

G_BEGIN_DECLS

/**
 * GstVfiCostKind: the parts of a job's cost.
 * @GST_VFI_COST_NEXT: an in-between
 * @GST_VFI_COST_FIRST: the pair's and an in-between's, where others of the pair follow:
 *     the part above the mean of an in-between is the pair's
 * @GST_VFI_COST_BOTH: both, in a pair without others: shared as the means are
 * @GST_VFI_COST_FRESH: the same, after conditions may have changed: replaces the costs
 *     known at this scale
 */
typedef enum {
  GST_VFI_COST_NEXT,
  GST_VFI_COST_FIRST,
  GST_VFI_COST_BOTH,
  GST_VFI_COST_FRESH,
} GstVfiCostKind;

/**
 * GstVfiCosts: cleared with gst_vfi_costs_clear(). Read-only outside cost.c.
 * @in_between: of an in-between, [0] at the full flow scale, [1] at the reduced one
 * @measured_at: when these were measured last, or GST_CLOCK_TIME_NONE
 * @pair: of a pair, paid once
 */
typedef struct {
  GstVfiRecent in_between[2];
  GstClockTime measured_at[2];
  GstVfiRecent pair;
} GstVfiCosts;

/* Forgets everything. */
void gst_vfi_costs_clear (GstVfiCosts *costs);

/* Keeps the costs, but as if measured in unknown times. */
void gst_vfi_costs_make_old (GstVfiCosts *costs);

/**
 * gst_vfi_costs_note:
 * @reduced: whether the job's flow scale was reduced
 * @cost: how long the engine worked on the job; GST_CLOCK_TIME_NONE is ignored
 * @now: when it ended
 */
void gst_vfi_costs_note (GstVfiCosts *costs, gboolean reduced, GstVfiCostKind kind,
    GstClockTime cost, GstClockTime now);

G_END_DECLS
