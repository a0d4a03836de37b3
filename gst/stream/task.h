/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The item queue and the src pad's task. Functions whose names end in _locked want
 * stream->lock held, the others want it free. */
#pragma once

#include "pure/kept_events.h"
#include "stream/state.h"

G_BEGIN_DECLS

/* A query's sender waits until the task has answered it. */
typedef struct {
  gboolean done;
  gboolean answer;
} GstVfiReply;

/* Appends a buffer, an event (both taken) or a query with the place of its reply. */
void gst_vfi_task_enqueue_locked (
    GstVfiStream *stream, gpointer object, GstVfiReply *reply);

/* Empties the queue but for what @keep says. */
void gst_vfi_task_clear_queue_locked (GstVfiStream *stream, GstVfiKeep keep);

/* What an event that comes in says about the flow from here on. */
void gst_vfi_task_note_event_locked (GstVfiStream *stream, const GstEvent *event);

/* Whether a flow is one that nobody downstream will recover from. */
gboolean gst_vfi_task_is_error (GstFlowReturn flow);

/* Posts the error that upstream cannot, because it has sent its last buffer. */
void gst_vfi_task_post_flow_error (GstVfiStream *stream, GstFlowReturn flow);

/* Handles @object (as for the queue) in the caller's thread until its outputs have left;
 * @answer is for queries. */
GstFlowReturn gst_vfi_task_run_synchronously (
    GstVfiStream *stream, gpointer object, gboolean *answer);

/* For the streaming thread, in an open stream: forgets what was before it was closed. Sticky
 * events of that time go to the src pad, which takes none before. */
void gst_vfi_task_reset_if_due (GstVfiStream *stream);

/* Starts or resumes the task, unless items are handled synchronously. */
void gst_vfi_task_start (GstVfiStream *stream);

G_END_DECLS
