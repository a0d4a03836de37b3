/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps of the stream: the choice of output caps, and what follows from it (pool, session,
 * latency). Streaming thread only; no lock is held. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

GstVfiNegotiation *gst_vfi_negotiation_new (void);

/* Whether @caps are those that everything is ready for. */
gboolean gst_vfi_negotiate_is_done_for (GstVfiStream *stream, const GstCaps *caps);

/* New input caps, after the run under the old ones was closed and nothing is pending. */
GstFlowReturn gst_vfi_negotiate_set_caps (GstVfiStream *stream, GstCaps *caps);

/* The way from input to output caps; zero-initialise. */
typedef struct {
  GstCaps *out; /* owned */
  GstVideoInfo info;
  GstVfiCapsDecision decision;
} GstVfiChoice;

/* Chooses output caps for the input caps, and readies the session. Nothing is pending. */
GstFlowReturn gst_vfi_negotiate_choose (GstVfiStream *stream, GstVfiChoice *choice);

/* Announces the caps of @choice (released), if @ret is OK, and readies the pool. No run
 * is open where @choice is to pass everything through. Returns @ret or what went
 * wrong. */
GstFlowReturn gst_vfi_negotiate_apply (
    GstVfiStream *stream, GstVfiChoice *choice, GstFlowReturn ret);

/* Forgets caps; releases pools and the session. */
void gst_vfi_negotiate_release (GstVfiStream *stream);

G_END_DECLS
