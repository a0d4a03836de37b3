/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slot times come from the slot's number by one 128-bit product each, never from the slot
 * before. */
#include "pure/slots.h"

/* Below this a nanosecond is too large a part of a phase to be called rounding. */
#define ROUNDING_MATTERS_BELOW 1000

static GstClockTime
time_of_slots (const GstVfiSlots *slots, guint64 count)
{
  return gst_util_uint64_scale (count, slots->den * GST_SECOND, slots->num);
}

/* base + offset in the order of play, within what a time can hold. */
static GstClockTime
time_at (const GstVfiSlots *slots, GstClockTime offset)
{
  if (slots->reverse)
    return slots->base - MIN (offset, slots->base);
  return offset >= GST_CLOCK_TIME_NONE - slots->base ? GST_CLOCK_TIME_NONE - 1
                                                     : slots->base + offset;
}

void
gst_vfi_slots_start (GstVfiSlots *slots, GstClockTime pts, gboolean reverse)
{
  slots->reverse = reverse;
  slots->base = pts;
  slots->before = GST_CLOCK_TIME_NONE;
  slots->next = 0;
}

void
gst_vfi_slots_change_rate (GstVfiSlots *slots, guint64 num, guint64 den)
{
  if (slots->next > 0) {
    slots->before = gst_vfi_slots_time (slots, slots->next - 1);
    slots->base = gst_vfi_slots_time (slots, slots->next);
    slots->next = 0;
  }
  slots->num = num;
  slots->den = den;
}

GstClockTime
gst_vfi_slots_time (const GstVfiSlots *slots, guint64 index)
{
  return time_at (slots, time_of_slots (slots, index));
}

GstClockTime
gst_vfi_slots_duration (const GstVfiSlots *slots, guint64 index)
{
  GstClockTime time = gst_vfi_slots_time (slots, index);
  if (!slots->reverse)
    return gst_vfi_slots_time (slots, index + 1) - time;
  if (index > 0)
    return gst_vfi_slots_time (slots, index - 1) - time;
  return GST_CLOCK_TIME_IS_VALID (slots->before) ? slots->before - time
                                                 : time_of_slots (slots, 1);
}

guint64
gst_vfi_slots_until (
    const GstVfiSlots *slots, GstClockTime pts, GstClockTime tolerance, gboolean *snaps)
{
  gboolean before_base = slots->reverse ? pts > slots->base : pts < slots->base;
  GstClockTime offset = pts > slots->base ? pts - slots->base : slots->base - pts;
  GstClockTime nearest_offset = 0, distance = offset;
  guint64 nearest = 0;
  if (!before_base) {
    nearest = gst_util_uint64_scale_round (offset, slots->num, slots->den * GST_SECOND);
    nearest_offset = time_of_slots (slots, nearest);
    distance =
        offset > nearest_offset ? offset - nearest_offset : nearest_offset - offset;
  }
  *snaps = nearest >= slots->next && distance <= tolerance;
  if (!*snaps && !before_base && nearest_offset < offset)
    nearest++;
  return MAX (nearest, slots->next);
}

/* The fraction with the least denominator from a/b to c/d, 0 < a/b < c/d: the whole part
 * where an integer lies between them, else whole part + 1 / (simplest of the remainders'
 * reciprocals). The depth is that of Euclid's algorithm. */
static void
simplest_between (guint64 a, guint64 b, guint64 c, guint64 d, guint64 *num, guint64 *den)
{
  guint64 whole = a / b;
  if (whole * b == a || whole < c / d) {
    *num = whole * b == a ? whole : whole + 1;
    *den = 1;
    return;
  }
  guint64 inner_num, inner_den;
  simplest_between (d, c - whole * d, b, a - whole * b, &inner_num, &inner_den);
  *num = whole * inner_num + inner_den;
  *den = inner_num;
}

void
gst_vfi_slots_phase (GstClockTime part, GstClockTime whole, guint64 *num, guint64 *den)
{
  *num = part;
  *den = whole;
  if (part >= ROUNDING_MATTERS_BELOW && whole - part >= ROUNDING_MATTERS_BELOW)
    simplest_between (part - 1, whole + 1, part + 1, whole - 1, num, den);
}
