/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times change in one direction with the index, so that the ends of a span are found by
 * bisection. Slots without a duration, as there are where slots are less than a
 * nanosecond apart, are no outputs. */
#include "pure/span.h"

#include "pure/stand_in.h"
#include "pure/time_math.h"

/* The slot at @index, and whether it is an output. */
static gboolean
slot_at (const GstVfiSpan *span, guint64 index, GstVfiSlot *slot)
{
  if (span->is_tail)
    return gst_vfi_run_tail_slot (&span->run, &span->tail, (guint) index, slot);
  return gst_vfi_run_pair_slot (&span->run, &span->next, index, slot);
}

/* The stretch of indices that a slot is in; stretches are numbered in their order. Those
 * with VISIBLE are spans. */
#define VISIBLE 4

/* Before, between or after the two frames, in the order of play. */
static guint
place_in_pair (const GstVfiSpan *span, GstClockTime pts)
{
  GstClockTime low = MIN (span->run.pts, span->next.pts);
  GstClockTime high = MAX (span->run.pts, span->next.pts);
  guint place = pts <= low ? 0 : pts < high ? 1 : 2;
  return gst_vfi_run_is_reverse (&span->run) ? 2 - place : place;
}

static guint
stretch_at (const GstVfiSpan *span, guint64 index)
{
  const GstSegment *segment = &span->run.segment;
  gboolean reverse = gst_vfi_run_is_reverse (&span->run);
  GstVfiSlot slot;
  (void) slot_at (span, index, &slot);
  GstClockTime pts = slot.pts;
  if (span->is_tail && pts >= span->tail.end)
    return 2 * VISIBLE;
  gboolean below = GST_CLOCK_TIME_IS_VALID (segment->start) && pts < segment->start;
  gboolean above = GST_CLOCK_TIME_IS_VALID (segment->stop) && pts >= segment->stop;
  if (GST_CLOCK_TIME_IS_VALID (span->run.last_out)) {
    below = below || (!reverse && pts <= span->run.last_out);
    above = above || (reverse && pts >= span->run.last_out);
  }
  if (gst_vfi_run_is_taken (&span->run, pts))
    return reverse ? 2 * VISIBLE : 0;
  if (reverse ? above : below)
    return 0;
  if (reverse ? below : above)
    return 2 * VISIBLE;
  return VISIBLE + (span->is_tail ? 0 : place_in_pair (span, pts));
}

/* The first index from @from to @end that is in @stretch or after it, or @end. */
static guint64
first_at_least (const GstVfiSpan *span, guint stretch, guint64 from, guint64 end)
{
  while (from < end) {
    guint64 middle = from + (end - from) / 2;
    if (stretch_at (span, middle) >= stretch)
      end = middle;
    else
      from = middle + 1;
  }
  return from;
}

/* Slots that have a duration. Where slots are a nanosecond apart or more all have one;
 * where they are closer those that have one have a nanosecond. */
static guint64
count_outputs (const GstVfiSpan *span)
{
  guint64 n_slots = span->last - span->index + 1;
  GstVfiSlot first, last;
  (void) slot_at (span, span->index, &first);
  (void) slot_at (span, span->last, &last);
  if (gst_vfi_run_is_reverse (&span->run))
    return MIN (n_slots, gst_vfi_time_add (first.pts, first.duration) - last.pts);
  return MIN (n_slots, gst_vfi_time_add (last.pts, last.duration) - first.pts);
}

/* Finds the span from @from on among the indices below @end. */
static gboolean
find (GstVfiSpan *span, guint64 from, guint64 end)
{
  while ((from = first_at_least (span, VISIBLE, from, end)) < end) {
    GstVfiSlot slot;
    guint stretch = stretch_at (span, from);
    if (stretch >= 2 * VISIBLE)
      return FALSE;
    (void) slot_at (span, from, &slot);
    span->kind = slot.kind;
    span->index = from;
    from = first_at_least (span, stretch + 1, from, end);
    span->last = from - 1;
    span->n_left = count_outputs (span);
    if (span->n_left > 0)
      return TRUE;
  }
  return FALSE;
}

gboolean
gst_vfi_span_of_pair (
    GstVfiSpan *span, const GstVfiRun *run, const GstVfiFrameTime *next, guint64 from)
{
  *span = (GstVfiSpan){.run = *run,
      .next = *next,
      .stretch_start = GST_CLOCK_TIME_NONE,
      .stretch_end = GST_CLOCK_TIME_NONE};
  return find (span, from, gst_vfi_run_pair_slots (run, next));
}

gboolean
gst_vfi_span_of_tail (GstVfiSpan *span, const GstVfiRun *run, const GstVfiTailPlan *plan)
{
  *span = (GstVfiSpan){.run = *run,
      .tail = *plan,
      .is_tail = TRUE,
      .stretch_start = GST_CLOCK_TIME_NONE,
      .stretch_end = GST_CLOCK_TIME_NONE};
  return find (span, 1, (guint64) plan->copies + 1);
}

void
gst_vfi_span_take (GstVfiSpan *span, GstVfiRun *run)
{
  guint64 index = span->last;
  GstVfiSlot slot;
  while (!slot_at (span, index, &slot) && index > span->index)
    index--;
  span->offset = run->outputs;
  span->discont = !GST_CLOCK_TIME_IS_VALID (run->last_out);
  run->outputs += span->n_left - 1;
  gst_vfi_run_take (run, &slot);
}

gboolean
gst_vfi_span_is_over (const GstVfiSpan *span)
{
  return span->index > span->last;
}

static void
skip_what_is_none (GstVfiSpan *span)
{
  GstVfiSlot slot;
  while (!gst_vfi_span_is_over (span) && !slot_at (span, span->index, &slot))
    span->index++;
}

gboolean
gst_vfi_span_next (GstVfiSpan *span, GstVfiSlot *slot)
{
  skip_what_is_none (span);
  if (gst_vfi_span_is_over (span))
    return FALSE;
  (void) slot_at (span, span->index++, slot);
  slot->offset = span->offset++;
  slot->discont = span->discont;
  span->discont = FALSE;
  if (span->n_left > 0)
    span->n_left--;
  if (GST_CLOCK_TIME_IS_VALID (span->stretch_start)) {
    slot->phase_num = slot->pts - span->stretch_start;
    slot->phase_den = span->stretch_end - span->stretch_start;
  }
  skip_what_is_none (span);
  return TRUE;
}
