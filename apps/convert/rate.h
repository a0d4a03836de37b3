/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frame rates and times as people write them. Pure. */
#pragma once

#include <gst/gst.h>

/* "60", "59.94", "60000/1001": a rate in frames per second. "2x": so many times the
 * input's. */
typedef struct {
    gboolean is_factor;
    int num, den; /* above 0 */
} RateRequest;

/* FALSE and CONVERT_ERROR_USAGE for anything else. Decimals near N·1000/1001 are taken
 * for it. */
gboolean rate_parse(const char *text, RateRequest *rate, GError **error);

/* The whole rate that @fps, measured by times in milliseconds, is likely to mean: 30
 * for 30.3. At least 1. */
int rate_near(double fps);

/* How many times slower: "4", "2.5", "5/2"; 1 to 1000. */
gboolean factor_parse(const char *text, int *num, int *den, GError **error);

/* "90", "1.5", "1:30", "00:01:30.250": seconds, minutes and seconds, or hours too. */
gboolean time_parse(const char *text, GstClockTime *time, GError **error);

/* "0:01:30.250", for messages; "the end" for GST_CLOCK_TIME_NONE. */
gchar *time_text(GstClockTime time);
