/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Doing without interpolation: pass-through where properties ask for it, and what
 * on-error asks for when the engine fails. Streaming thread only. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/* Whether buffers should pass through: the input is larger or faster than the bypass-*
 * properties allow, or the engine failed and on-error=passthrough. */
gboolean gst_vfi_fallback_wants_bypass (
    const GstVfiStream *stream, const GstVfiSettings *settings);

/**
 * gst_vfi_fallback_engine_failed:
 * @error: what the engine said, not VFI_ERROR_CANCELLED
 * @what: what failed, for the debug text
 *
 * Posts the error, or where on-error allows it a warning for the first failure since caps
 * or properties changed. With on-error=passthrough caps are chosen again at the next
 * frame.
 *
 * Returns: whether the stream goes on, with a copy in place of the picture that the
 *     engine should make.
 */
gboolean gst_vfi_fallback_engine_failed (
    GstVfiStream *stream, const GError *error, const char *what);

/* New caps or properties: the engine gets another try. */
void gst_vfi_fallback_forget (GstVfiStream *stream);

G_END_DECLS
