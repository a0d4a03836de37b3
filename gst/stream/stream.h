/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stream through the element: pads and life.
 *
 * Items (buffers, serialized events and queries) are handled by one function, called by
 * the src pad's task or, when synchronous, straight from the sink pad's functions.
 * Handling an item appends its outputs to a pending list: in-betweens are jobs of the
 * engine there, and outputs leave in the list's order when they are done. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/* Makes the stream of @element and adds its pads, from the class's templates. @settings
 * stay the element's; from here on the stream's lock guards them. */
GstVfiStream *gst_vfi_stream_new (GstElement *element, GstVfiSettings *settings);
void gst_vfi_stream_free (GstVfiStream *stream);

/* READY→PAUSED, before pads are activated; takes a reference on @model. */
void gst_vfi_stream_start (GstVfiStream *stream, VfiModel *model);

/* Makes every call into the stream return soon, until that reason is gone. Does not
 * wait. */
void gst_vfi_stream_close (GstVfiStream *stream, GstVfiClosed reason);

/* Somebody offers a context to the element. */
void gst_vfi_stream_set_context (GstVfiStream *stream, GstContext *context);

/* PAUSED→READY, after pads were deactivated: releases everything. */
void gst_vfi_stream_stop (GstVfiStream *stream);

G_END_DECLS
