/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Property live-timeout: copies of the last frame stand in for a live source that sends
 * nothing for a frame interval and the timeout, at the times of the outputs that are
 * missing, until it goes on. Streaming thread only, unless a function says otherwise. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

GstVfiTimeout *gst_vfi_timeout_new (void);

/* The reference has just come: waits for the next one, if asked to. */
void gst_vfi_timeout_arm (GstVfiStream *stream);

/* Something has come: does not wait any more. */
void gst_vfi_timeout_cancel (GstVfiStream *stream);

/* Whether copies are due. Any thread; the lock is held. */
gboolean gst_vfi_timeout_is_due_locked (const GstVfiStream *stream);

/* Appends the copies that are due to the pending list, and waits for the next. What waits
 * for the frames that do not come is made without them. */
GstFlowReturn gst_vfi_timeout_fill (GstVfiStream *stream);

G_END_DECLS
