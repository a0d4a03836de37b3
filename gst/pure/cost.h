/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cost of an in-between, and the one-off cost of a pair (preparing its frames,
 * features that all its in-betweens share), of each maker. An engine does one job after
 * the other, and the first job of a pair pays both; here they are told apart as far as
 * that can be done. Pure functions on a plain struct.
 *
 *   gst_vfi_costs_clear (&costs);
 *   gst_vfi_costs_note (&costs, maker, kind, cost, now);              a job ended
 *   gst_vfi_costs_expect (&costs, maker, &work)                       what to expect
 *   gst_vfi_costs_allow (&costs, maker, percent, &work)               what to allow for
 */
#pragma once

#include <gst/gst.h>

#include "pure/ladder.h"
#include "pure/recent.h"

G_BEGIN_DECLS

/**
 * GstVfiCostKind: the parts of a job's cost.
 * @GST_VFI_COST_NEXT: an in-between
 * @GST_VFI_COST_FIRST: the pair's and an in-between's, where others of the pair follow:
 *     the part above the mean of an in-between is the pair's
 * @GST_VFI_COST_BOTH: both, in a pair without others: shared as the means are
 * @GST_VFI_COST_FRESH: the same, after conditions may have changed: replaces the costs
 *     known of the maker
 * @GST_VFI_COST_ARRIVAL: both, with what is otherwise there already: results of the frame
 *     before, warm caches. Says something only where nothing else is known, and until
 *     something is
 */
typedef enum {
  GST_VFI_COST_NEXT,
  GST_VFI_COST_FIRST,
  GST_VFI_COST_BOTH,
  GST_VFI_COST_FRESH,
  GST_VFI_COST_ARRIVAL,
} GstVfiCostKind;

/**
 * GstVfiMakerCosts:
 * @in_between: of an in-between
 * @pair: of a pair, paid once
 * @measured_at: when these were measured last, or GST_CLOCK_TIME_NONE
 * @provisional: all that is known is the cost of an arrival
 */
typedef struct {
  GstVfiRecent in_between;
  GstVfiRecent pair;
  GstClockTime measured_at;
  gboolean provisional;
} GstVfiMakerCosts;

/* Cleared with gst_vfi_costs_clear(). Read-only outside cost.c. */
typedef struct {
  GstVfiMakerCosts of[GST_VFI_N_MAKERS];
} GstVfiCosts;

/* What an in-between costs, and what a pair costs besides. */
typedef struct {
  GstClockTime in_between;
  GstClockTime pair;
} GstVfiWork;

/* Forgets everything. */
void gst_vfi_costs_clear (GstVfiCosts *costs);

/* Keeps the costs, but as if measured in unknown times. */
void gst_vfi_costs_make_old (GstVfiCosts *costs);

/**
 * gst_vfi_costs_note:
 * @cost: how long the engine worked on a job of @maker; GST_CLOCK_TIME_NONE is ignored
 * @now: when it ended
 */
void gst_vfi_costs_note (GstVfiCosts *costs, GstVfiMaker maker, GstVfiCostKind kind,
    GstClockTime cost, GstClockTime now);

/**
 * gst_vfi_costs_expect:
 * @work: (out): by the weighted means; what is not known is 0
 *
 * Returns: whether anything is known. An arrival is expected to cost twice what comes
 *     after it. Of REDUCED, while it has made nothing, FULL's costs tell: at half the
 *     flow scale a quarter to a half of the work is left, taken for a half of what is
 *     known.
 */
gboolean gst_vfi_costs_expect (
    const GstVfiCosts *costs, GstVfiMaker maker, GstVfiWork *work);

/* The same by what @percent of the recent ones did not exceed. */
gboolean gst_vfi_costs_allow (
    const GstVfiCosts *costs, GstVfiMaker maker, guint percent, GstVfiWork *work);

/* The same by what was usual of late (recent.h), where more is known of @maker itself
 * than an arrival. */
gboolean gst_vfi_costs_usual (
    const GstVfiCosts *costs, GstVfiMaker maker, GstVfiWork *work);

G_END_DECLS
