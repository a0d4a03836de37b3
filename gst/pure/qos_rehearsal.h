/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What rehearsals mean for what is shown meanwhile. Only for the files that are qos.h from
 * inside. */
#pragma once

#include "pure/qos.h"

G_BEGIN_DECLS

/**
 * gst_vfi_qos_note_beside_rehearsal:
 * @job: which has ended
 * @cost: how long the engine worked on it
 *
 * Returns: whether a rehearsal has run beside it, so that its cost says nothing about its
 *     maker; it says by how much the rehearsal was held up.
 */
gboolean gst_vfi_qos_note_beside_rehearsal (
    GstVfiQos *qos, const GstVfiQosJob *job, GstClockTime cost);

G_END_DECLS
