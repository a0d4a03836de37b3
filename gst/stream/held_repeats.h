/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Repeated frames (drawings shown for several frames, frames that a live source sends again)
 * replaced by interpolated ones: repeats are held back until a new picture comes, which says
 * where the motion leads. Streaming thread only. */
#pragma once

#include <gst/gst.h>

#include "pure/run.h"
#include "stream/picture.h"

G_BEGIN_DECLS

/* stream.h has a GstVfiRepeats in it. */
typedef struct _GstVfiStream GstVfiStream;

/**
 * GstVfiRepeatStep: what a frame does to the repeats before it.
 * @GST_VFI_REPEAT_PASS: nothing is held, and the frame goes its way
 * @GST_VFI_REPEAT_HOLD: it is one, and held back
 * @GST_VFI_REPEAT_REPLACE: a new picture takes the place of those that are held
 * @GST_VFI_REPEAT_RELEASE: one too many: they go out unchanged, as will this one
 */
typedef enum {
  GST_VFI_REPEAT_PASS,
  GST_VFI_REPEAT_HOLD,
  GST_VFI_REPEAT_REPLACE,
  GST_VFI_REPEAT_RELEASE,
} GstVfiRepeatStep;

/**
 * GstVfiRepeats: zeroed is empty.
 * @items: outputs and events from the reference on, in order
 * @n_held: frames among them
 * @too_long: the repeats are more than may be held; all pass until a new picture comes
 * @start: PTS of the reference
 */
typedef struct {
  GQueue items;
  guint n_held;
  gboolean too_long;
  GstClockTime start;
} GstVfiRepeats;

/* Whether a frame that @repeats the one before is held, of which at most @most may be; keeps
 * count. Pure. */
GstVfiRepeatStep gst_vfi_repeats_step (
    GstVfiRepeats *repeats, gboolean repeats_it, guint most);

/* Judges @next, which follows the reference in its run, and does what that means for the
 * repeats before it. Returns FALSE in *@goes_on if @next was taken and is held; otherwise
 * the outputs between the reference and it are planned. */
GstFlowReturn gst_vfi_repeats_plan (GstVfiStream *stream, GstVfiFrame *next,
    const GstVfiFrameTime *time, gboolean *goes_on);

/* Lets out what is held, unchanged; the last of it becomes the reference. */
void gst_vfi_repeats_release (GstVfiStream *stream);

/* Appends @event (taken) behind all that came before it. */
void gst_vfi_repeats_add_event (GstVfiStream *stream, GstEvent *event);

/* Drops what is held but sticky events that outlive a flush. */
void gst_vfi_repeats_clear (GstVfiStream *stream);

G_END_DECLS
