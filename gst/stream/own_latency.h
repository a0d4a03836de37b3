/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The latency that the element adds: from frame intervals and costs, answered to LATENCY
 * queries and posted when it changes. The arithmetic is in latency.c. Streaming thread
 * only, unless a function says otherwise; no lock is held. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/* Measured costs and frame intervals are looked at once in this time. */
#define GST_VFI_OWN_LATENCY_INTERVAL (1 * GST_SECOND)

/* Costs are known from this many on: the first are those of cold caches. */
#define GST_VFI_OWN_LATENCY_MIN_COSTS 20

GstVfiOwnLatency *gst_vfi_own_latency_new (void);

/* After a flush or a stop. */
void gst_vfi_own_latency_reset (GstVfiStream *stream);

/* Other sessions are to be built: forgets costs. */
void gst_vfi_own_latency_forget_costs (GstVfiStream *stream);

/* Caps, mode or multiplier were chosen: the latency follows. */
void gst_vfi_own_latency_configure (GstVfiStream *stream);

/* A frame to interpolate has come; before it is planned for. */
void gst_vfi_own_latency_note_frame (GstVfiStream *stream, GstClockTime pts);

/* Answers a LATENCY query on the src pad. Any thread. */
gboolean gst_vfi_own_latency_answer (GstVfiStream *stream, GstQuery *query);

G_END_DECLS
