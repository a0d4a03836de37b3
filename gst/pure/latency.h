/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's share in the latency of a live pipeline: what it answers to LATENCY
 * queries, when it asks for a new one, and the deadline that follows for an output. Pure
 * functions: no element, no lock, no clock of their own. Times are nanoseconds.
 *
 * A frame leaves as soon as it has come and its in-betweens have left. With a frame
 * interval of D, N outputs a frame, a cost of t for an in-between and of p once a pair,
 * in-between j is late by D(1 - j/N) + p + jt, most for the first or for the last one:
 *
 *   multiply   max (D(N-1)/N + p + t, D/N + p + (N-1)t)
 *   grid       D + p + t               (an output may be wanted right after a frame)
 *
 * Where up to H repeats are held and replaced, the next picture may be S = (1 + H)D away,
 * with up to M = (1 + H)N - 1 in-betweens before it. And where the model sees A frames
 * after the two, every pair waits for A more pictures:
 *
 *   multiply   AS + max (S - D/N + p + t, D/N + p + Mt)
 *   grid       AS + S + p + t
 *
 * Only the wait grows with A, not the work: one pair is finished for each that comes. It
 * is the frames after in time, for live playback is always forward; backwards the model's
 * frames before are waited for, and no latency is asked for.
 *
 * Once p + (N-1)t reaches D, p + Mt reaches S, or t the output interval of a grid, no
 * latency is enough: the backlog grows until fewer in-betweens are made (qos.h). With
 * fewer, the work for a pair lasts S at most, so that the answer takes S for p + t and
 * p + Mt there. It is never more than (A + 2)S without slack.
 *
 *   when caps, multiplier, mode, budget or model change, and once a second or so:
 *     GstVfiLatencyInput input = {... .frame = NONE for caps without a rate ...};
 *     if (input.frame == NONE) input.frame = gst_vfi_recent_p95 (&gaps_between_frames);
 *     gst_vfi_qos_costs (&qos, &input.cost, &input.pair_cost);
 *     gst_vfi_latency_own (&input, &own);
 *     if (gst_vfi_latency_must_post (reported, own, configured))
 *       reported = own; post a LATENCY message
 *   LATENCY query, answered by upstream:
 *     gst_vfi_latency_answer (live, reported, queued frames * frame, &min, &max);
 *     total = min, remembered
 *   LATENCY event:  pipeline_latency = its value
 *   an output:      gst_vfi_latency_deadline (base_time, its running time,
 *                       pipeline_latency, live ? total : NONE)
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The frame interval taken for an unknown rate, for latency only: 25 frames a second. */
#define GST_VFI_LATENCY_ASSUMED_FRAME (GST_SECOND / 25)

/* Measured costs are rounded up to this ... */
#define GST_VFI_LATENCY_STEP (1 * GST_MSECOND)

/* ... and this is added for scheduling. Buffers arrived at a sink up to 0.7 to 1.9 ms
 * later than the formula says in 95 % of all cases; a step and this leave a few
 * milliseconds more. */
#define GST_VFI_LATENCY_SLACK (4 * GST_MSECOND)

/**
 * GstVfiLatencyInput:
 * @grid: whether outputs are on a grid of their own instead of N a frame
 * @multiplier: N; 1 or 0 without @grid makes nothing in between
 * @frame: D, or GST_CLOCK_TIME_NONE or 0 if it is unknown
 * @out_frame: with @grid: the output interval
 * @cost: t as measured (95th percentile), or GST_CLOCK_TIME_NONE; until it is known it is
 *     taken as one output interval, which makes D of the first formula
 * @pair_cost: p as measured, or GST_CLOCK_TIME_NONE for none
 * @budget: property latency-budget: what an in-between may take, with p and all slack;
 *     replaces both costs. 0: use what was measured
 * @held_frames: H, repeated frames that are held back (duplicate-max where they are
 *     replaced)
 * @frames_after: A, frames that the model sees after the two around an in-between
 */
typedef struct {
  gboolean grid;
  guint multiplier;
  GstClockTime frame;
  GstClockTime out_frame;
  GstClockTime cost;
  GstClockTime pair_cost;
  GstClockTime budget;
  guint held_frames;
  guint frames_after;
} GstVfiLatencyInput;

/**
 * gst_vfi_latency_own:
 * @own: (out): the latency that the element adds, 0 if it makes nothing in between
 *
 * Returns: FALSE if the element cannot keep up at this cost, whatever the latency; @own
 *     is then the value for as much work as it can do. (Grid slots that fall on an
 *     original cost nothing, but count here.)
 */
gboolean gst_vfi_latency_own (const GstVfiLatencyInput *input, GstClockTime *own);

/**
 * gst_vfi_latency_answer:
 * @live: what upstream answered; if FALSE the rest is left as it is
 * @own: the element's latency
 * @queue: how much time the element's queue holds when it is full
 * @min: (inout): the minimum latency
 * @max: (inout): the maximum latency, grows by @own and @queue; NONE (no limit) stays
 */
void gst_vfi_latency_answer (gboolean live, GstClockTime own, GstClockTime queue,
    GstClockTime *min, GstClockTime *max);

/**
 * gst_vfi_latency_must_post:
 * @reported: the element's latency in the last answer
 * @own: the element's latency now
 * @configured: whether settings or caps changed, not only measurements
 *
 * Returns: whether to post a LATENCY message. Measurements must ask for less by more than
 *     20 %, or for more by more than that or the slack, which is then used up.
 */
gboolean gst_vfi_latency_must_post (
    GstClockTime reported, GstClockTime own, gboolean configured);

/**
 * gst_vfi_latency_deadline:
 * @base_time: the element's base time
 * @running_time: of the output
 * @pipeline_latency: value of the last LATENCY event
 * @total: the minimum latency in the last answer, or GST_CLOCK_TIME_NONE
 *
 * The pipeline's latency is for all its elements: what is beyond @total belongs to
 * downstream (a sink's processing-deadline, say) and is not used up here.
 *
 * Returns: the clock time at which the output should leave the element, or
 *     GST_CLOCK_TIME_NONE (no deadline) if a time but @total is unknown.
 */
GstClockTime gst_vfi_latency_deadline (GstClockTime base_time, GstClockTime running_time,
    GstClockTime pipeline_latency, GstClockTime total);

G_END_DECLS
