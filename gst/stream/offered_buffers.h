/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many buffers upstream is to have: those that are in the element at a time, besides
 * those that downstream keeps. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/* Answers an ALLOCATION @query from upstream; in pass-through downstream does. Streaming
 * thread. */
gboolean gst_vfi_offer_buffers (GstVfiStream *stream, GstQuery *query);

G_END_DECLS
