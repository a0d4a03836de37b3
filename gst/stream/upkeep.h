/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the ladder of deadlines.h wants besides decisions: lower rungs that are built
 * ahead, where there is a ladder, and rehearsals of makers whose costs are not known.
 * Streaming thread only; no lock is held. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

GstVfiUpkeep *gst_vfi_upkeep_new (void);

/* Between two frames: what is built for lower rungs follows what is wanted, and what has
 * been built meanwhile is taken over. */
void gst_vfi_upkeep_rungs (GstVfiStream *stream);

/* A session that can look at the stream's frames and make pictures of them: the stream's
 * own one or, before that is there, that of a lower rung; NULL if there is none. */
VfiSession *gst_vfi_upkeep_session (const GstVfiStream *stream);

/* @session failed, as @error says. Returns whether it was that of a lower rung, which is
 * left out from now on. */
gboolean gst_vfi_upkeep_lower_failed (
    GstVfiStream *stream, const VfiSession *session, const GError *error);

/* Before a pair is begun: what has been rehearsed meanwhile becomes known. */
void gst_vfi_upkeep_before_pair (GstVfiStream *stream);

/* After an in-between was decided on: a rehearsal that is in its way ends. */
void gst_vfi_upkeep_after_decision (GstVfiStream *stream);

/* What was to be shown of a pair has been made: there may be time for a rehearsal. */
void gst_vfi_upkeep_after_pair (GstVfiStream *stream);

G_END_DECLS
