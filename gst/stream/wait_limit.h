/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long in-betweens of a live pipeline wait for frames that their model sees after
 * them: until work on them has to begin. Then the frame at hand takes the place of those
 * that have not come, for a source that stops, or is late, must not keep back what has
 * come. Wants the task. Streaming thread only, unless a function says otherwise. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

GstVfiWaitLimit *gst_vfi_wait_limit_new (void);

/* Looks whether the head of the list waits, and for how long it may. Before the task
 * does. */
void gst_vfi_wait_limit_watch (GstVfiStream *stream);

/* Whether it has waited for that long. Any thread; the lock is held. */
gboolean gst_vfi_wait_limit_is_reached_locked (const GstVfiStream *stream);

/* Ends the wait if it is still too long. */
GstFlowReturn gst_vfi_wait_limit_end_wait (GstVfiStream *stream);

/* After a flush or a stop. */
void gst_vfi_wait_limit_cancel (GstVfiStream *stream);

G_END_DECLS
