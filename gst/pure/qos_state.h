/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known about the stream's work, and where it is on the ladder. Set up and used
 * by the functions of qos.h; read-only outside. */
#pragma once

#include <gst/gst.h>

#include "pure/cost.h"
#include "pure/ladder.h"

G_BEGIN_DECLS

/* Whether a cost that is out of date is being measured again. */
typedef enum {
  GST_VFI_TRIAL_NONE,
  GST_VFI_TRIAL_DUE,
  GST_VFI_TRIAL_RUNNING,
} GstVfiTrial;

/**
 * GstVfiQosPair: the pair that is decided on.
 * @number: of the pair, from 1
 * @start: clock time when the engine is free for it, or NONE
 * @span: running time from its first to its second frame
 * @count: in-betweens
 * @change: number of the rung change before it
 * @submitted: those to be computed so far
 * @in_turn: for HALF with one in-between: whether this pair's is computed
 * @arrives: whether its maker did not make what was made before
 * @lags: one was too late before it began
 * @fits: by rungs: it would be on time there, as far as decided
 */
typedef struct {
  guint number;
  GstClockTime start;
  GstClockTime span;
  guint count;
  guint change;
  guint submitted;
  gboolean in_turn;
  gboolean arrives;
  gboolean lags;
  gboolean fits[GST_VFI_N_RUNGS];
} GstVfiQosPair;

/**
 * GstVfiQos: set up with gst_vfi_qos_init().
 * @config: as set
 * @rung: in force from the next pair on
 * @pair_rung: that of the pair that is decided on
 * @change: counts rung changes, to tell news of this rung from older ones
 * @now: last clock time seen, 0 before
 * @changed_at: time of the last rung change, or of a miss since
 * @raised_at: when a higher rung was taken last, NONE if that has been judged
 * @wait: how long @changed_at must be ago before a higher rung is taken
 * @good_pairs: by rungs: pairs in a row that would have fitted there
 * @strikes: misses of a rung that can be kept up, GST_VFI_CLIMB_PARDON each, less one for
 *     each pair in time since
 * @struck: number of the last pair with a miss
 * @struck_at: running time up to which lateness is that of a miss that was counted
 * @lagging: pairs in a row that were too late before they began
 * @trial: whether a cost is being tried in what is shown
 * @rehearsal: whether one is being measured in a rehearsal
 * @rehearsed: the maker that rehearses, or is to
 * @won: the next rung above has passed its rehearsal
 * @rehearsed_at: clock time when it began
 * @rehearsal_limit: how long it may take
 * @rehearsal_delay: what was shown has held it up by this much so far
 * @rehearsal_disturbs: it would make what is shown late
 * @last_maker: of the last in-between, or -1
 * @renews: that maker's costs are out of date
 * @costs: as measured
 * @surge: how much more than expected the job that has ended just now has cost, percent
 * @pair: the pair that is decided on
 * @since: running time of the first in-between decided at the rung in force, or NONE
 * @earliest: by a sink's word, an in-between with a running time before this is late
 * @throttle_start: running time up to which a sink has shown frames when it throttled
 * @throttle_stop: running time when it wants the next one, NONE if it does not throttle
 * @jitter: lateness of the last one that was too late
 * @processed: in-betweens computed
 * @dropped: in-betweens not computed for lack of time
 * @reported_change: @change at the last message
 * @reported_at: time of the last message, or NONE
 */
typedef struct {
  GstVfiQosConfig config;
  GstVfiRung rung;
  GstVfiRung pair_rung;
  guint change;
  GstClockTime now;
  GstClockTime changed_at;
  GstClockTime raised_at;
  GstClockTime wait;
  guint good_pairs[GST_VFI_N_RUNGS];
  guint strikes;
  guint struck;
  GstClockTime struck_at;
  guint lagging;
  GstVfiTrial trial;
  GstVfiTrial rehearsal;
  GstVfiMaker rehearsed;
  gboolean won;
  GstClockTime rehearsed_at;
  GstClockTime rehearsal_limit;
  GstClockTime rehearsal_delay;
  gboolean rehearsal_disturbs;
  gint last_maker;
  gboolean renews;
  GstVfiCosts costs;
  guint surge;
  GstVfiQosPair pair;
  GstClockTime since;
  GstClockTime earliest;
  GstClockTime throttle_start;
  GstClockTime throttle_stop;
  GstClockTimeDiff jitter;
  guint64 processed;
  guint64 dropped;
  guint reported_change;
  GstClockTime reported_at;
} GstVfiQos;

G_END_DECLS
