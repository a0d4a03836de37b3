/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In-betweens of the pending list as jobs of the engine: they come out of their spans and
 * enter the engine in list order, a few at a time, so that large multipliers and long
 * gaps cost time and not memory. Streaming thread only; no lock is held. */
#pragma once

#include "stream/pending.h"

G_BEGIN_DECLS

/* Gives the engine as many in-betweens as it may have. */
GstFlowReturn gst_vfi_jobs_submit (GstVfiStream *stream);

/* If the head of the list is an in-between, or a span of them, without a job, gives it to
 * the engine, or makes something else of it; waits for memory. */
GstFlowReturn gst_vfi_jobs_submit_head (GstVfiStream *stream);

/* Waits for the picture of @entry, an in-between that was submitted and has left the
 * list. Where there is none @entry has become something else. */
GstFlowReturn gst_vfi_jobs_wait (GstVfiStream *stream, GstVfiEntry *entry);

/* Tells of rounds that the job at the head of the list, if it has one, has done since the
 * last time. */
void gst_vfi_jobs_tell_progress (GstVfiStream *stream);

/* Cancels all jobs, waits until they have ended, and forgets them; what is pending is to
 * be dropped. */
void gst_vfi_jobs_cancel (GstVfiStream *stream);

G_END_DECLS
