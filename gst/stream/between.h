/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outputs between two frames. Streaming thread only. */
#pragma once

#include "stream/state.h"
#include "stream/view.h"

G_BEGIN_DECLS

/* Opens the view of the reference, whose PTS is @pts, and @next, which follows it in its
 * run, forwards; *@view is NULL where no picture is to be made of them: a cut, identical
 * frames, different crops, no engine. */
GstFlowReturn gst_vfi_between_open (
    GstVfiStream *stream, GstClockTime pts, GstVfiFrame *next, GstVfiView **view);

/* Appends the outputs between the reference and @next, whose verdict is NEXT, to the
 * pending list. */
GstFlowReturn gst_vfi_between_plan (
    GstVfiStream *stream, GstVfiFrame *next, const GstVfiFrameTime *time);

G_END_DECLS
