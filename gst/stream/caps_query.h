/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queries about caps, and about durations and positions in frames. Any thread; no lock is
 * held. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/* What properties say about caps. */
GstVfiCapsOptions gst_vfi_query_caps_options (GstVfiStream *stream);

/* Answers a query on @pad that is not serialized. */
gboolean gst_vfi_query_answer (GstVfiStream *stream, GstPad *pad, GstQuery *query);

G_END_DECLS
