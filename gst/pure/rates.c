/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rates as ranges that are put together while caps are mapped; fractions only, so that
 * 59.94 stays what it is. */
#include "pure/rates.h"

/* Rates from one to another, or one rate. */
typedef struct {
  gint low_num;
  gint low_den;
  gint high_num;
  gint high_den;
} RateRange;

GArray *
gst_vfi_rates_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (RateRange));
}

gboolean
gst_vfi_rate_multiply (
    const GValue *rate, guint factor, gboolean up, gint *num, gint *den)
{
  gint factor_num = up ? (gint) factor : 1;
  gint factor_den = up ? 1 : (gint) factor;
  return gst_util_fraction_multiply (gst_value_get_fraction_numerator (rate),
      gst_value_get_fraction_denominator (rate), factor_num, factor_den, num, den);
}

static gboolean
is_at_most (gint a_num, gint a_den, gint b_num, gint b_den)
{
  return gst_util_fraction_compare (a_num, a_den, b_num, b_den) <= 0;
}

static gboolean
overlap (const RateRange *a, const RateRange *b)
{
  return is_at_most (a->low_num, a->low_den, b->high_num, b->high_den) &&
         is_at_most (b->low_num, b->low_den, a->high_num, a->high_den);
}

/* Makes @range reach over @other too. */
static void
extend (RateRange *range, const RateRange *other)
{
  if (is_at_most (other->low_num, other->low_den, range->low_num, range->low_den)) {
    range->low_num = other->low_num;
    range->low_den = other->low_den;
  }
  if (is_at_most (range->high_num, range->high_den, other->high_num, other->high_den)) {
    range->high_num = other->high_num;
    range->high_den = other->high_den;
  }
}

void
gst_vfi_rates_append (
    GArray *rates, gint low_num, gint low_den, gint high_num, gint high_den)
{
  RateRange range = {low_num, low_den, high_num, high_den};
  RateRange *last =
      rates->len > 0 ? &g_array_index (rates, RateRange, rates->len - 1) : NULL;
  if (!is_at_most (low_num, low_den, high_num, high_den))
    return;
  if (last && overlap (last, &range))
    extend (last, &range);
  else
    g_array_append_val (rates, range);
}

void
gst_vfi_rates_append_mapped (GArray *rates, const GValue *low, guint low_factor,
    const GValue *high, guint high_factor, gboolean up)
{
  gint low_num, low_den, high_num, high_den;
  if (!gst_vfi_rate_multiply (low, low_factor, up, &low_num, &low_den)) {
    if (up)
      return;
    low_num = 0;
    low_den = 1;
  }
  if (!gst_vfi_rate_multiply (high, high_factor, up, &high_num, &high_den)) {
    if (!up)
      return;
    high_num = G_MAXINT;
    high_den = 1;
  }
  gst_vfi_rates_append (rates, low_num, low_den, high_num, high_den);
}

static GValue
rate_value (const RateRange *range)
{
  GValue value = G_VALUE_INIT;
  if (is_at_most (range->high_num, range->high_den, range->low_num, range->low_den)) {
    g_value_init (&value, GST_TYPE_FRACTION);
    gst_value_set_fraction (&value, range->low_num, range->low_den);
  } else {
    g_value_init (&value, GST_TYPE_FRACTION_RANGE);
    gst_value_set_fraction_range_full (
        &value, range->low_num, range->low_den, range->high_num, range->high_den);
  }
  return value;
}

GValue
gst_vfi_rates_value (const GArray *rates)
{
  GValue list = G_VALUE_INIT;
  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; i < rates->len; i++) {
    GValue value = rate_value (&g_array_index (rates, RateRange, i));
    if (rates->len == 1) {
      g_value_unset (&list);
      return value;
    }
    gst_value_list_append_and_take_value (&list, &value);
  }
  return list;
}
