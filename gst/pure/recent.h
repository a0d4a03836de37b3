/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bounded memory of recent times (costs, gaps between frames) with what a forecast
 * needs: a mean that follows quickly and a high percentile that follows slowly. Integers
 * only.
 *
 *   gst_vfi_recent_clear (&recent);
 *   gst_vfi_recent_add (&recent, time);              whenever one was measured
 *   expected = gst_vfi_recent_mean (&recent);        NONE while nothing was added
 *   almost_always_enough = gst_vfi_recent_p95 (&recent);
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* With 32 values one outlier does not move the 95th percentile. */
#define GST_VFI_RECENT_SIZE 32

/* Of these four have to change before what is usual does. */
#define GST_VFI_RECENT_FEW 7

/* Longer times count as this, so that sums of a few thousand do not overflow. */
#define GST_VFI_RECENT_MAX (3600 * GST_SECOND)

/**
 * GstVfiRecent: all zero is empty. Read-only outside recent.c.
 * @times: ring of the last times
 * @n_times: how many of @times are set
 * @next: where the next one goes
 * @mean: exponentially weighted mean, each new time with a weight of 1/4
 */
typedef struct {
  GstClockTime times[GST_VFI_RECENT_SIZE];
  guint n_times;
  guint next;
  GstClockTime mean;
} GstVfiRecent;

void gst_vfi_recent_clear (GstVfiRecent *recent);

/* GST_CLOCK_TIME_NONE is ignored. */
void gst_vfi_recent_add (GstVfiRecent *recent, GstClockTime time);

/* The weighted mean, or GST_CLOCK_TIME_NONE. */
GstClockTime gst_vfi_recent_mean (const GstVfiRecent *recent);

/* The least time that @percent, 1 to 100, of the last GST_VFI_RECENT_SIZE do not exceed,
 * or GST_CLOCK_TIME_NONE. */
GstClockTime gst_vfi_recent_percentile (const GstVfiRecent *recent, guint percent);

/* The same of 95 %. */
GstClockTime gst_vfi_recent_p95 (const GstVfiRecent *recent);

/* What is usual of late: the median of the last GST_VFI_RECENT_FEW, or of those that
 * there are, which outliers do not move; GST_CLOCK_TIME_NONE while nothing was added. */
GstClockTime gst_vfi_recent_usual (const GstVfiRecent *recent);

G_END_DECLS
