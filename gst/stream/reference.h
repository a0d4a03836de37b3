/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reference, the frame that the next one is the partner of, and how the pair that it
 * begins is treated. Streaming thread only, unless a function says otherwise. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/* Gets what skip-pairs, only-pairs and multipliers say, NULL where they are empty. FALSE with
 * an error posted if they are wrong. @pairs may be NULL. Any thread; takes the lock. */
gboolean gst_vfi_reference_check_pairs (GstVfiStream *stream, GstVfiPairs **pairs);

/* Makes the frame of @time, which is not dropped, the run's reference. */
void gst_vfi_reference_accept (GstVfiStream *stream, const GstVfiFrameTime *time);

G_END_DECLS
