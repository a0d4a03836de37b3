/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of the frames of a view: those that a model sees around an in-between, which
 * come one after the other and are shown to it by their times. Pure functions.
 *
 *   forwards    … earlier …, first, second, … later …      as they come: oldest first
 *   backwards   … earlier …, second, first, … later …      as they come: newest first
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Most frames of a view, as the engine has it. */
#define GST_VFI_MAX_VIEW_FRAMES 8

/**
 * GstVfiViewShape:
 * @before: frames that the model sees before the two around the in-between
 * @after: and after them; with the two, GST_VFI_MAX_VIEW_FRAMES at the most
 * @reverse: whether frames come with falling times
 */
typedef struct {
  guint before;
  guint after;
  gboolean reverse;
} GstVfiViewShape;

/* Frames of a view. */
static inline guint
gst_vfi_view_shape_frames (const GstVfiViewShape *shape)
{
  return shape->before + 2 + shape->after;
}

/* How many of them come before the two, and how many after them. */
static inline guint
gst_vfi_view_shape_earlier (const GstVfiViewShape *shape)
{
  return shape->reverse ? shape->after : shape->before;
}

static inline guint
gst_vfi_view_shape_later (const GstVfiViewShape *shape)
{
  return shape->reverse ? shape->before : shape->after;
}

/**
 * gst_vfi_view_order:
 * @n_earlier: frames that came before the two, as many as the shape has or fewer
 * @n_later: frames that came after the two, likewise
 * @order: (out): for each place of the view, oldest first, the frame that is seen there:
 *     its number among the @n_earlier + 2 + @n_later in the order in which they came
 *
 * Where there is no such frame, the nearest one is there again.
 *
 * Returns: whether one is.
 */
gboolean gst_vfi_view_order (const GstVfiViewShape *shape, guint n_earlier, guint n_later,
    guint order[GST_VFI_MAX_VIEW_FRAMES]);

G_END_DECLS
