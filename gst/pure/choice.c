/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pure/choice.h"

#include "pure/time_math.h"

/* Work of this part of the time is little. */
#define LITTLE 4

static GstClockTime
work_of (const GstVfiLoad *load, GstVfiRung rung, const GstVfiWork *work, guint index)
{
  guint n = gst_vfi_ladder_computed_up_to (rung, index, load->count);

  return gst_vfi_time_add (work->pair, gst_vfi_time_times (work->in_between, n));
}

static guint
pairs_of (const GstVfiLoad *load, GstVfiRung rung)
{
  return rung == GST_VFI_RUNG_HALF && load->count == 1 ? 2 : 1;
}

static gboolean
computes_nothing (GstVfiRung rung)
{
  return rung >= GST_VFI_RUNG_DUPLICATES;
}

gboolean
gst_vfi_choice_is_kept_up (const GstVfiLoad *load, GstVfiRung rung)
{
  GstVfiMaker maker = gst_vfi_ladder_maker (load->config, rung);
  GstVfiWork work;
  GstClockTime time;

  if (computes_nothing (rung))
    return TRUE;
  gst_vfi_costs_expect (load->costs, maker, &work);
  time = work_of (load, rung, &work, load->count);
  /* What is taken from another one's costs has risen with them. */
  if (maker != load->in_use && load->costs->of[maker].in_between.n_times > 0)
    time = gst_util_uint64_scale (time, load->surge, 100);
  return time <= gst_vfi_time_times (load->span, pairs_of (load, rung));
}

gboolean
gst_vfi_choice_takes_little (const GstVfiLoad *load, GstVfiRung rung)
{
  GstVfiMaker maker = gst_vfi_ladder_maker (load->config, rung);
  GstVfiWork work;

  return !computes_nothing (rung) && gst_vfi_costs_usual (load->costs, maker, &work) &&
         work_of (load, rung, &work, load->count) <=
             gst_vfi_time_times (load->span / LITTLE, pairs_of (load, rung)) &&
         gst_vfi_choice_is_kept_up (load, rung);
}

gboolean
gst_vfi_choice_has_time (const GstVfiLoad *load, GstVfiRung rung, guint percent)
{
  return gst_vfi_choice_time_to (load, rung, percent, load->count) <=
         gst_vfi_time_times (load->span / 10 * 9, pairs_of (load, rung));
}

GstClockTime
gst_vfi_choice_time_to (
    const GstVfiLoad *load, GstVfiRung rung, guint percent, guint index)
{
  GstVfiWork work;

  if (computes_nothing (rung))
    return 0;
  gst_vfi_costs_allow (
      load->costs, gst_vfi_ladder_maker (load->config, rung), percent, &work);
  return work_of (load, rung, &work, index);
}

/* By what a pair's in-betweens cost in the mean; one that is not known is taken for
 * cheaper. HALF is. */
static gboolean
is_cheaper (const GstVfiLoad *load, GstVfiRung rung, GstVfiRung than)
{
  GstVfiWork work, other;

  if (rung >= GST_VFI_RUNG_HALF ||
      !gst_vfi_costs_expect (
          load->costs, gst_vfi_ladder_maker (load->config, rung), &work) ||
      !gst_vfi_costs_expect (
          load->costs, gst_vfi_ladder_maker (load->config, than), &other))
    return TRUE;
  return work_of (load, rung, &work, load->count) <
         work_of (load, than, &other, load->count);
}

GstVfiRung
gst_vfi_choice_below (const GstVfiLoad *load, GstVfiRung rung)
{
  GstVfiRung below = gst_vfi_ladder_below (load->config, rung);
  GstVfiRung next = gst_vfi_ladder_below (load->config, below);

  while (next != below &&
         !(is_cheaper (load, below, rung) && gst_vfi_choice_is_kept_up (load, below))) {
    below = next;
    next = gst_vfi_ladder_below (load->config, below);
  }
  return below;
}
