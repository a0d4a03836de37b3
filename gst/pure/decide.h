/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the caps on both pads together ask the element to do. Pure functions. */
#pragma once

#include "pure/caps.h"

G_BEGIN_DECLS

/**
 * GstVfiMode:
 * @GST_VFI_MODE_REFUSE: the two caps cannot be connected
 * @GST_VFI_MODE_PASSTHROUGH: buffers go through as they are
 * @GST_VFI_MODE_MULTIPLY: every pair of frames gets multiplier - 1 frames in between
 * @GST_VFI_MODE_GRID: outputs are on the grid of the output rate
 */
typedef enum {
  GST_VFI_MODE_REFUSE,
  GST_VFI_MODE_PASSTHROUGH,
  GST_VFI_MODE_MULTIPLY,
  GST_VFI_MODE_GRID,
} GstVfiMode;

/**
 * GstVfiCapsDecision:
 * @mode: what to do
 * @multiplier: for gst_vfi_run_set_multiplier(): with GST_VFI_MODE_MULTIPLY the ratio of
 *     the rates or, at a variable output rate, the preferred one (at least 2, but 1 with
 *     @per_pair); otherwise 1
 * @grid_num: for gst_vfi_run_set_grid(): with GST_VFI_MODE_GRID the output rate, else 0
 * @grid_den: denominator of it
 * @constant_num: for gst_vfi_run_set_constant(): with GST_VFI_MODE_MULTIPLY the output
 *     rate where downstream insists on it, else 0
 * @constant_den: denominator of it
 * @variable: whether the output rate is variable, for gst_vfi_pairs_plan()
 * @per_pair: whether pairs have their own multipliers, and @multiplier is for the others
 * @multipliers_ignored: whether there are such multipliers and the output rate, which is
 *     fixed, leaves them no room: something to warn about once
 */
typedef struct {
  GstVfiMode mode;
  guint multiplier;
  gint grid_num;
  gint grid_den;
  gint constant_num;
  gint constant_den;
  gboolean variable;
  gboolean per_pair;
  gboolean multipliers_ignored;
} GstVfiCapsDecision;

/**
 * gst_vfi_caps_decide:
 * @in: the input format
 * @out: the output format
 * @decision: (out): what to do
 * @reason: (out) (optional) (transfer full): with GST_VFI_MODE_REFUSE a sentence for the
 *     user that names both formats and what is possible instead, otherwise NULL
 *
 * An output rate that is an integer multiple of the input rate keeps the input's times
 * (MULTIPLY; where downstream insists on the rate, as long as these are constant), any
 * other needs a grid. With a variable input and a variable output the ratio is that of
 * the maximal rates where both have one and it is an integer, otherwise the preferred
 * multiplier.
 *
 * Returns: decision->mode.
 */
GstVfiMode gst_vfi_caps_decide (const GstVideoInfo *in, const GstVideoInfo *out,
    const GstVfiCapsOptions *options, GstVfiCapsDecision *decision, gchar **reason);

/**
 * gst_vfi_caps_convert_frames:
 * @decision: made from @in and @out
 * @to_output: from frames of the input to frames of the output, otherwise back
 * @frames: (inout): a duration or position in GST_FORMAT_DEFAULT; a negative (unknown)
 *     one stays
 *
 * A part of an output frame counts as one, a part of an input frame does not.
 *
 * Returns: FALSE if the ratio is not constant; @frames is as before then.
 */
gboolean gst_vfi_caps_convert_frames (const GstVideoInfo *in, const GstVideoInfo *out,
    const GstVfiCapsDecision *decision, gboolean to_output, gint64 *frames);

/**
 * gst_vfi_caps_is_variable:
 *
 * Whether frames come at a variable or unknown rate. Not the same as a rate of 0 in
 * @info: with max-framerate in the caps, GstVideoInfo holds the maximal rate instead.
 */
gboolean gst_vfi_caps_is_variable (const GstVideoInfo *info);

/**
 * gst_vfi_caps_can_interpolate:
 * @reason: (out) (optional) (transfer full): if not, a sentence that says why and what to
 *     put before the element
 *
 * Whether frames of this kind can be interpolated: progressive and one view a frame.
 */
gboolean gst_vfi_caps_can_interpolate (const GstVideoInfo *info, gchar **reason);

/**
 * gst_vfi_caps_explain:
 * @in: the input, which gst_vfi_caps_can_interpolate() or which passes
 * @in_caps: the same as fixed caps
 * @downstream: all that is taken after the element; nothing of it can be made of @in
 *
 * Returns: (transfer full): a sentence for users that says why, and what to put where.
 */
gchar *gst_vfi_caps_explain (const GstVideoInfo *in, const GstCaps *in_caps,
    const GstCaps *downstream, const GstVfiCapsOptions *options);

G_END_DECLS
