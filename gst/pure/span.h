/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outputs that follow each other and are placed one by one as they are needed: there may
 * be more of them between two frames, or after a run's last, than memory holds. A span is
 * a copy of the run as it was when the span was planned, so that the run goes on
 * meanwhile. Finding out how many outputs there are takes no longer for many than for
 * few. Pure functions.
 *
 *   for (from = 1; gst_vfi_span_of_pair (&span, &run, &next, from);
 *       from = span.last + 1) {
 *     gst_vfi_span_take (&span, &run);           unless nothing is shown there
 *     while (gst_vfi_span_next (&span, &slot)): what belongs there, now or later
 *   }
 */
#pragma once

#include "pure/place.h"

G_BEGIN_DECLS

/**
 * GstVfiSpan: read-only outside span.c, but for @stretch_start and @stretch_end.
 * @run: as it was
 * @next: the partner of the run's reference, if the span is of a pair
 * @tail: the tail, if it is of one
 * @is_tail: which of the two
 * @kind: of all its outputs
 * @index: of the output to come
 * @last: index of the last one
 * @n_left: outputs to come
 * @offset: number of the output to come, once taken
 * @discont: whether that is its run's first
 * @stretch_start: time of the first of the two frames that in-betweens are made of; NONE
 *     where these are the pair's
 * @stretch_end: time of the second one
 */
typedef struct {
  GstVfiRun run;
  GstVfiFrameTime next;
  GstVfiTailPlan tail;
  gboolean is_tail;
  GstVfiSlotKind kind;
  guint64 index;
  guint64 last;
  guint64 n_left;
  guint64 offset;
  gboolean discont;
  GstClockTime stretch_start;
  GstClockTime stretch_end;
} GstVfiSpan;

/* The first span of the pair of @run's reference and @next from index @from on (from 1):
 * outputs of one kind that follow the run's last one and lie in the segment. FALSE if
 * there is none. */
gboolean gst_vfi_span_of_pair (
    GstVfiSpan *span, const GstVfiRun *run, const GstVfiFrameTime *next, guint64 from);

/* The copies that @plan says. FALSE if there are none. */
gboolean gst_vfi_span_of_tail (
    GstVfiSpan *span, const GstVfiRun *run, const GstVfiTailPlan *plan);

/* Assigns the span's outputs their places: gst_vfi_run_take () for each of them. Once,
 * before the next output of @run. */
void gst_vfi_span_take (GstVfiSpan *span, GstVfiRun *run);

/* The next output. FALSE if there are no more; then gst_vfi_span_is_over () before. */
gboolean gst_vfi_span_next (GstVfiSpan *span, GstVfiSlot *slot);

gboolean gst_vfi_span_is_over (const GstVfiSpan *span);

G_END_DECLS
