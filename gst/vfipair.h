/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outputs between two frames. Streaming thread only. */
#pragma once

#include "vfistream.h"

G_BEGIN_DECLS

/* Appends to the pending list what lies between the reference and @next, whose verdict is
 * NEXT. */
GstFlowReturn gst_vfi_pair_plan (
    GstVfiStream *stream, GstVfiFrame *next, const GstVfiFrameTime *time);

G_END_DECLS
