/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps of the stream: queries, the choice of output caps, and what follows from it (pool,
 * session, latency). */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/* Answers CAPS and ACCEPT_CAPS queries on both pads. */
gboolean gst_vfi_negotiate_query (GstVfiStream *stream, GstPad *pad, GstQuery *query);

/* New input caps: ends the run under the old ones, then negotiates. */
GstFlowReturn gst_vfi_negotiate_set_caps (GstVfiStream *stream, GstCaps *caps);

/* Chooses output caps for the input caps, and readies pools and the session. Nothing is
 * pending. @next_pts is that of the frame to come, where a run may have to end. */
GstFlowReturn gst_vfi_negotiate (GstVfiStream *stream, GstClockTime next_pts);

/* Forgets caps; releases pools and the session. */
void gst_vfi_negotiate_release (GstVfiStream *stream);

G_END_DECLS
