/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports about the stream: the `stats` structure, a message and a log line every so many
 * pairs, a message for each round of a sampler, and the error that there is no memory for
 * a picture. No lock is held. */
#pragma once

#include "pure/progress.h"
#include "stream/state.h"

G_BEGIN_DECLS

GstVfiReport *gst_vfi_report_new (void);

/* The `stats` structure as of now. @model may be NULL. Any thread. */
GstStructure *gst_vfi_report_stats (GstVfiStream *stream, VfiModel *model);

/* The counters as of now. Any thread. */
GstVfiCounters gst_vfi_report_counters (GstVfiStream *stream);

/* Sets all counters to zero, those of the session too. Any thread. */
void gst_vfi_report_reset_stats (GstVfiStream *stream);

/* A pair has gone out. Streaming thread. */
void gst_vfi_report_pair (GstVfiStream *stream);

/* How far the picture at @pts is. Streaming thread. */
void gst_vfi_report_progress (
    GstVfiStream *stream, GstClockTime pts, const GstVfiProgress *progress);

/* Pairs are counted from here on. */
void gst_vfi_report_start (GstVfiStream *stream);

/* Posts the error that memory for a picture cannot be had or used. Streaming thread. */
void gst_vfi_report_no_memory (GstVfiStream *stream);

G_END_DECLS
