/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Property live-timeout: a live source that sends nothing for a frame interval and the
 * timeout is stood in for by copies of its last frame, at the times of the outputs that are
 * missing, until it goes on. Streaming thread only, but for what the clock calls. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/* The reference has just come: waits for the next one, if asked to. */
void gst_vfi_timeout_arm (GstVfiStream *stream);

/* Something else came. */
void gst_vfi_timeout_cancel (GstVfiStream *stream);

/* Appends the copies that are due to the pending list, and waits for the next. */
void gst_vfi_timeout_fill (GstVfiStream *stream);

G_END_DECLS
