/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a GAP event of the input means for a run, and what remains of the event once
 * outputs are known. Pure functions. */
#pragma once

#include "pure/run.h"

G_BEGIN_DECLS

/* Whether no partner of the reference can come after a GAP event of the input, because
 * the event reaches farther than two frames of a pair may be apart. An event without a
 * duration says that time has come to @start. */
gboolean gst_vfi_run_gap_ends (
    const GstVfiRun *run, GstClockTime start, GstClockTime duration);

/* When a run that such an event ends is over, for gst_vfi_run_plan_tail (). */
GstClockTime gst_vfi_run_gap_closes_at (const GstVfiRun *run, GstClockTime start);

/**
 * gst_vfi_run_clip_gap:
 * @next: (nullable): the partner of the reference, not accepted yet, or NULL before the
 *     run is closed
 * @from: nothing before this remains
 * @until: without @next: nor from here on; GST_CLOCK_TIME_NONE for no limit
 * @start: (inout): start of a GAP event of the input
 * @duration: (inout): its duration, GST_CLOCK_TIME_NONE or 0 if it has none
 *
 * Takes away the time in which something is shown.
 *
 * Returns: FALSE if nothing remains.
 */
gboolean gst_vfi_run_clip_gap (const GstVfiRun *run, const GstVfiFrameTime *next,
    GstClockTime from, GstClockTime until, GstClockTime *start, GstClockTime *duration);

G_END_DECLS
