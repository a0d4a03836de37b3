/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The grid of a constant output rate: where its slots lie, which slot a frame snaps to,
 * and how far between two frames a slot is. Slots are numbered in the order of play, so
 * that time falls with the number when the stream plays backwards. Pure functions. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstVfiSlots:
 * @num: numerator of the output rate, 0 when there is no grid
 * @den: denominator of it
 * @reverse: whether slots follow each other backwards in time
 * @base: time of slot 0
 * @before: time of the output before slot 0, which lasts until there (forwards) or begins
 *     where slot 0 ends (backwards); GST_CLOCK_TIME_NONE if slot 0 is the first
 * @next: the first slot that is free
 */
typedef struct {
  guint64 num;
  guint64 den;
  gboolean reverse;
  GstClockTime base;
  GstClockTime before;
  guint64 next;
} GstVfiSlots;

/* Begins at @pts, which slot 0 takes. The rate stays. */
void gst_vfi_slots_start (GstVfiSlots *slots, GstClockTime pts, gboolean reverse);

/* Another rate from the first free slot on, which keeps its time. */
void gst_vfi_slots_change_rate (GstVfiSlots *slots, guint64 num, guint64 den);

/* Time of slot @index: base + (backwards: -) index * den / num seconds, in 128 bits. */
GstClockTime gst_vfi_slots_time (const GstVfiSlots *slots, guint64 index);

/* How long slot @index lasts: up to the slot that follows in time. */
GstClockTime gst_vfi_slots_duration (const GstVfiSlots *slots, guint64 index);

/**
 * gst_vfi_slots_until:
 * @pts: time of a frame
 * @tolerance: how far from its slot a frame may be
 * @snaps: (out): whether a free slot is @pts, give or take @tolerance; the nearest counts
 *
 * Returns: the number of the slot that the frame snaps to or, if it does not, of the
 *     first free one that is not before @pts in the order of play.
 */
guint64 gst_vfi_slots_until (
    const GstVfiSlots *slots, GstClockTime pts, GstClockTime tolerance, gboolean *snaps);

/**
 * gst_vfi_slots_phase:
 * @part: 0 to @whole
 * @whole: greater than 0
 * @num: (out): numerator of the phase
 * @den: (out): denominator of it
 *
 * @part / @whole, or a simpler fraction that the rounding of both to nanoseconds cannot
 * tell from it: 2/5 and not 16666666/41666666.
 */
void gst_vfi_slots_phase (
    GstClockTime part, GstClockTime whole, guint64 *num, guint64 *den);

G_END_DECLS
