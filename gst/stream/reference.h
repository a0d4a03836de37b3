/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reference, the frame that the next one is the partner of, and how the pair that it
 * begins is treated. Streaming thread only, unless a function says otherwise. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

GstVfiReference *gst_vfi_reference_new (void);
void gst_vfi_reference_free (GstVfiReference *reference);

/* Whether skip-pairs, only-pairs and multipliers are right; posts an error if not. Any
 * thread; takes the lock. */
gboolean gst_vfi_reference_check_pairs (GstVfiStream *stream);

/* Takes over what they say now, for the pairs to come. FALSE as above. */
gboolean gst_vfi_reference_take_pairs (GstVfiStream *stream);

/* Makes the frame of @time, which is not dropped, the run's reference. */
void gst_vfi_reference_accept (GstVfiStream *stream, const GstVfiFrameTime *time);

G_END_DECLS
