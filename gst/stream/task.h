/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How items get to process.c: through the queue to the src pad's task or, when
 * synchronous, in upstream's thread; and the flow that the two threads agree on.
 * Functions whose names end in _locked want stream->lock held, the others want it
 * free. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

GstVfiTask *gst_vfi_task_new (void);

/* What comes in on the sink pad; the first two take it. The query's answer is
 * returned. */
GstFlowReturn gst_vfi_task_take_buffer (GstVfiStream *stream, GstBuffer *buffer);
GstFlowReturn gst_vfi_task_take_event (GstVfiStream *stream, GstEvent *event);
gboolean gst_vfi_task_answer_query (GstVfiStream *stream, GstQuery *query);

/* Starts or resumes the task, unless items are handled synchronously. */
void gst_vfi_task_start (GstVfiStream *stream);

/* Gets the task out of its function, unless it is the caller. If the stream was opened
 * meanwhile, in another flush, the task goes on. */
void gst_vfi_task_park (GstVfiStream *stream);

/* The stream is closed: nothing is taken any more, and what waits is dropped. */
void gst_vfi_task_close_locked (GstVfiStream *stream);

/* The stream is open again. */
void gst_vfi_task_open_locked (GstVfiStream *stream);

/* The stream stops: nothing waits any more. */
void gst_vfi_task_clear_locked (GstVfiStream *stream);

/* Something changed that may mend the flow error @mended, which else stays. */
void gst_vfi_task_try_again (GstVfiStream *stream, GstFlowReturn mended);

/* For the streaming thread, in an open stream: forgets what was before it was closed.
 * Sticky events of that time go to the src pad, which takes none before. */
void gst_vfi_task_reset_if_due (GstVfiStream *stream);

G_END_DECLS
