/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rung costs allow: whether the work of one can be kept up, whether it leaves time
 * to spare, and which one to go down to. Pure functions; qos.h says when they are
 * asked. */
#pragma once

#include <gst/gst.h>

#include "pure/cost.h"
#include "pure/ladder.h"

G_BEGIN_DECLS

/**
 * GstVfiLoad: what there is to do, and what is known about it.
 * @config: which ladder
 * @costs: of its makers
 * @count: in-betweens of a pair
 * @span: running time from its first to its second frame
 * @in_use: the maker whose costs are up to date
 * @surge: how much more it costs all of a sudden, in percent of what it cost before:
 *     others will, too
 */
typedef struct {
  const GstVfiQosConfig *config;
  const GstVfiCosts *costs;
  guint count;
  GstClockTime span;
  GstVfiMaker in_use;
  guint surge;
} GstVfiLoad;

/* Whether the mean work of @rung fits into the time of its pairs, so that no backlog
 * grows; where no cost is known it may. Where HALF computes in every second pair, there
 * is the time of two. */
gboolean gst_vfi_choice_is_kept_up (const GstVfiLoad *load, GstVfiRung rung);

/* Whether the usual work of @rung, which can be kept up, is so little of the time of its
 * pairs that doing less of it would gain nothing. */
gboolean gst_vfi_choice_takes_little (const GstVfiLoad *load, GstVfiRung rung);

/* Whether the work of @rung that @percent of recent ones did not exceed does, with a
 * tenth of the time to spare. */
gboolean gst_vfi_choice_has_time (const GstVfiLoad *load, GstVfiRung rung, guint percent);

/* How long the first @index in-betweens of a pair take at @rung, by @percent of recent
 * costs. */
GstClockTime gst_vfi_choice_time_to (
    const GstVfiLoad *load, GstVfiRung rung, guint percent, guint index);

/* The rung to go down to from @rung: the next one that is cheaper and can be kept up, or
 * the last one; @rung itself at the ladder's end. */
GstVfiRung gst_vfi_choice_below (const GstVfiLoad *load, GstVfiRung rung);

G_END_DECLS
