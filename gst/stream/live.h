/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element in a pipeline with a clock: whether the pipeline is live, what time it is,
 * and the latencies that were answered and received. own_latency.c computes the element's
 * own latency, deadlines.c holds in-betweens to their times. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/**
 * GstVfiLive: guarded by the stream's lock.
 * @live: what upstream said last
 * @own_latency: the latency that the element adds, as in its answers to LATENCY queries
 * @frame: the frame interval, assumed if unknown
 * @out_frame: the output interval
 * @total: the minimum latency of the last answer in a live pipeline, or NONE
 * @pipeline_latency: value of the last LATENCY event, or NONE
 */
struct _GstVfiLive {
  gboolean live;
  GstClockTime own_latency;
  GstClockTime frame;
  GstClockTime out_frame;
  GstClockTime total;
  GstClockTime pipeline_latency;
};

GstVfiLive *gst_vfi_live_new (void);

/* The stream stops: latencies were those of this pipeline. */
void gst_vfi_live_forget_locked (GstVfiStream *stream);

/* Clock time while PLAYING, else GST_CLOCK_TIME_NONE; and the base time, @base_time may
 * be NULL. */
GstClockTime gst_vfi_live_now (GstVfiStream *stream, GstClockTime *base_time);

/* Running time of @pts, or NONE where @segment, of video that passes through, is not in
 * TIME format. */
GstClockTime gst_vfi_live_running_time (const GstSegment *segment, GstClockTime pts);

/* Asks upstream whether it is live. */
gboolean gst_vfi_live_ask_upstream (GstVfiStream *stream);

/* A LATENCY event from downstream. */
void gst_vfi_live_note_latency (GstVfiStream *stream, GstEvent *event);

G_END_DECLS
