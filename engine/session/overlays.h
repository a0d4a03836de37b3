/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies still over a video: the caller marks it, or it is found beside the motion of
 * a picture; when the picture has been made, it is put back. */
#pragma once

#include "session/session_internal.h"

/* ---- building ---------------------------------------------------------------------- */

/* What of it the session is to do, as far as family and device can. */
void vfi_session_want_overlays(VfiSession *session, const VfiSessionConfig *config);

/* Its part of session->need. */
void vfi_session_measure_overlays(VfiSession *session);

/* Nothing will be looked for: there is no room. Counts again. */
bool vfi_session_drop_finder(VfiSession *session, GError **error);

bool vfi_session_allocate_overlays(VfiSession *session, GError **error);
void vfi_session_take_mask(VfiSession *session, const uint8_t *mask);

/* ---- running, worker thread only --------------------------------------------------- */

/* Before a picture is made: forgets what the last one's motion was. */
void vfi_session_begin_overlays(VfiSession *session);

/* The motion that it is made by, rows [begin, end) of a field or all. */
void vfi_session_note_field(VfiSession *session, const VfiFlowField *field, int begin,
                            int end);
void vfi_session_note_motion(VfiSession *session, const VfiMotion *motion);

/* When it has been made in @out, at @t between the two of @frames: puts back what is to
 * be kept, and says in session->overlays.is_kept whether there was anything. */
bool vfi_session_keep_overlays(VfiSession *session, VfiJob *job, const VfiFrame *frames,
                               double t, const VfiFrame *out, GError **error);
