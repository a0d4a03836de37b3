/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Latency from frame intervals and costs; sums saturate below GST_CLOCK_TIME_NONE. */
#include "pure/latency.h"

#include "pure/time_math.h"

static GstClockTime
round_up (GstClockTime time)
{
  GstClockTime over = time % GST_VFI_LATENCY_STEP;

  return over == 0 ? time : gst_vfi_time_add (time, GST_VFI_LATENCY_STEP - over);
}

/* What the formulas work with: D, S, D/N or the grid's interval, t and p. */
typedef struct {
  GstClockTime frame;
  GstClockTime stretch;
  GstClockTime out_frame;
  GstClockTime cost;
  GstClockTime pair_cost;
  GstClockTime slack;
} Terms;

static guint64
frames_in_stretch (const GstVfiLatencyInput *input)
{
  return (guint64) input->held_frames + 1;
}

static Terms
resolve (const GstVfiLatencyInput *input)
{
  gboolean has_frame = GST_CLOCK_TIME_IS_VALID (input->frame) && input->frame != 0;
  Terms terms = {.frame = has_frame ? input->frame : GST_VFI_LATENCY_ASSUMED_FRAME};

  terms.stretch = gst_vfi_time_times (terms.frame, frames_in_stretch (input));
  terms.out_frame =
      input->grid ? MIN (input->out_frame, terms.frame) : terms.frame / input->multiplier;
  if (input->budget != 0) {
    terms.cost = input->budget;
    return terms;
  }
  terms.slack = GST_VFI_LATENCY_SLACK;
  if (GST_CLOCK_TIME_IS_VALID (input->pair_cost))
    terms.pair_cost = round_up (input->pair_cost);
  if (GST_CLOCK_TIME_IS_VALID (input->cost))
    terms.cost = round_up (input->cost);
  else
    terms.cost = terms.out_frame;
  return terms;
}

/* For a pair and that many of its in-betweens. */
static GstClockTime
work (const Terms *terms, guint64 n_in_betweens)
{
  return gst_vfi_time_add (
      terms->pair_cost, gst_vfi_time_times (terms->cost, n_in_betweens));
}

static gboolean
multiply_latency (const Terms *terms, const GstVfiLatencyInput *input, GstClockTime *own)
{
  GstClockTime all_work = work (terms, input->multiplier * frames_in_stretch (input) - 1);
  GstClockTime first = gst_vfi_time_add (
      terms->stretch - terms->out_frame, MIN (work (terms, 1), terms->stretch));
  GstClockTime last = gst_vfi_time_add (terms->out_frame, MIN (all_work, terms->stretch));

  if (terms->frame % input->multiplier != 0)
    last = gst_vfi_time_add (last, 1);

  *own = MAX (first, last);
  return work (terms, input->multiplier - 1) < terms->frame && all_work < terms->stretch;
}

static gboolean
grid_latency (const Terms *terms, GstClockTime *own)
{
  GstClockTime free_time =
      terms->frame > terms->pair_cost ? terms->frame - terms->pair_cost : 0;

  *own = gst_vfi_time_add (terms->stretch, MIN (work (terms, 1), terms->stretch));
  /* The cost must fit an output's share of the time that the pair leaves free. Equal is
   * not too much: an unknown cost is taken as a whole output interval. */
  return terms->cost <= gst_util_uint64_scale (terms->out_frame, free_time, terms->frame);
}

gboolean
gst_vfi_latency_own (const GstVfiLatencyInput *input, GstClockTime *own)
{
  gboolean keeps_up;
  Terms terms;

  *own = 0;
  if (!input->grid && input->multiplier <= 1)
    return TRUE;
  terms = resolve (input);
  keeps_up =
      input->grid ? grid_latency (&terms, own) : multiply_latency (&terms, input, own);
  *own = gst_vfi_time_add (*own, gst_vfi_time_times (terms.stretch, input->frames_after));
  *own = gst_vfi_time_add (*own, terms.slack);
  return keeps_up;
}

void
gst_vfi_latency_answer (gboolean live, GstClockTime own, GstClockTime queue,
    GstClockTime *min, GstClockTime *max)
{
  if (!live)
    return;
  *min = gst_vfi_time_add (*min, own);
  if (GST_CLOCK_TIME_IS_VALID (*max))
    *max = gst_vfi_time_add (*max, gst_vfi_time_add (own, queue));
}

gboolean
gst_vfi_latency_must_post (GstClockTime reported, GstClockTime own, gboolean configured)
{
  GstClockTime change = gst_vfi_time_distance (own, reported);

  if (configured)
    return change != 0;
  return change >
         (own > reported ? MIN (reported / 5, GST_VFI_LATENCY_SLACK) : reported / 5);
}

GstClockTime
gst_vfi_latency_deadline (GstClockTime base_time, GstClockTime running_time,
    GstClockTime pipeline_latency, GstClockTime total)
{
  if (!GST_CLOCK_TIME_IS_VALID (base_time) || !GST_CLOCK_TIME_IS_VALID (running_time) ||
      !GST_CLOCK_TIME_IS_VALID (pipeline_latency))
    return GST_CLOCK_TIME_NONE;
  /* NONE is the greatest time. */
  return gst_vfi_time_add (
      gst_vfi_time_add (base_time, running_time), MIN (pipeline_latency, total));
}
