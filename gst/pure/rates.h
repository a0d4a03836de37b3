/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of frame rates: fractions and ranges of them, as caps have them. Pure
 * functions. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* An empty set, to be freed with g_array_unref(). */
GArray *gst_vfi_rates_new (void);

/* rate * factor or, with @up FALSE, rate / factor. FALSE on overflow. */
gboolean gst_vfi_rate_multiply (
    const GValue *rate, guint factor, gboolean up, gint *num, gint *den);

/* Adds the rates from low to high, one rate where they are equal, none where low is above
 * high. Grows the entry added last instead where both overlap. */
void gst_vfi_rates_append (
    GArray *rates, gint low_num, gint low_den, gint high_num, gint high_den);

/* Adds @low multiplied by @low_factor up to @high multiplied by @high_factor, or divided
 * with @up FALSE. The end that grows over what a fraction can hold becomes the largest
 * such rate, the end that falls below it 0; nothing is added if the other end does not
 * fit. */
void gst_vfi_rates_append_mapped (GArray *rates, const GValue *low, guint low_factor,
    const GValue *high, guint high_factor, gboolean up);

/* The set, not empty, as a fraction, a range or a list of them. */
GValue gst_vfi_rates_value (const GArray *rates);

G_END_DECLS
