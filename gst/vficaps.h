/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps arithmetic of the element: which output rates an input rate can become, which input
 * rates an output rate can come from, and what a chosen pair of rates asks the element to
 * do. Pure functions: no element, no lock, no state.
 *
 * An answer to a caps query lists only what is also accepted later. The output rate is an
 * integer multiple of the input rate (1 to GST_VFI_MAX_MULTIPLIER), so a fixed input rate
 * is answered by the list of its multiples and not by a range. Rates between two multiples
 * need the output grid; with it the list becomes the range [f, f * cap]. */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

/* The largest ratio of output rate to input rate. */
#define GST_VFI_MAX_MULTIPLIER 1000

/**
 * GstVfiCapsOptions:
 * @multiplier: the preferred ratio of output rate to input rate, 1 to
 *     GST_VFI_MAX_MULTIPLIER; values outside are clamped
 * @pass_unsupported: whether video that cannot be interpolated (interlaced, several views
 *     in a frame) passes through at its own rate instead of being left out
 */
typedef struct {
  guint multiplier;
  gboolean pass_unsupported;
} GstVfiCapsOptions;

/**
 * GstVfiMode:
 * @GST_VFI_MODE_REFUSE: the two caps cannot be connected
 * @GST_VFI_MODE_PASSTHROUGH: buffers go through as they are
 * @GST_VFI_MODE_MULTIPLY: every pair of frames gets multiplier - 1 frames in between
 */
typedef enum {
  GST_VFI_MODE_REFUSE,
  GST_VFI_MODE_PASSTHROUGH,
  GST_VFI_MODE_MULTIPLY,
} GstVfiMode;

/**
 * gst_vfi_caps_transform:
 * @direction: the pad that @caps belong to: GST_PAD_SINK asks for the output caps of the
 *     input @caps, GST_PAD_SRC for the input caps of the output @caps
 * @caps: caps with fractions, ranges or lists of them, 0/1 (variable) or no rate at all
 * @filter: (nullable): the caps the answer is limited to; their order wins
 *
 * For every structure the answer has one with the preferred rate (rate * multiplier, or
 * rate / multiplier towards the input), then one with every possible rate, each with the
 * structure's own features and otherwise verbatim fields. A rate that does not fit into a
 * fraction is left out. Lists are mapped element by element (a list of n rates gets the
 * first cap / n multiples of each, so that lists stay short); a range becomes the range
 * from its lowest to its highest possible rate, because no rate is chosen yet. Interlaced
 * structures are left out or, with @pass_unsupported, kept at their rate.
 *
 * Returns: (transfer full): the caps of the other pad, possibly empty.
 */
GstCaps *gst_vfi_caps_transform (GstPadDirection direction, const GstCaps *caps,
    GstCaps *filter, const GstVfiCapsOptions *options);

/**
 * gst_vfi_caps_fixate:
 * @in: fixed input caps
 * @candidates: (transfer full): not empty; what @in can become and downstream accepts
 *
 * Fixates the first structure of @candidates, its rate nearest to input rate * multiplier.
 * A variable input (rate 0/1 or no rate) stays variable where @candidates allow it.
 *
 * Returns: (transfer full): fixed output caps.
 */
GstCaps *gst_vfi_caps_fixate (
    const GstCaps *in, GstCaps *candidates, const GstVfiCapsOptions *options);

/**
 * gst_vfi_caps_decide:
 * @in: the input format
 * @out: the output format
 * @multiplier: (out): the ratio of the rates: at least 2 with GST_VFI_MODE_MULTIPLY, else 1
 * @reason: (out) (optional) (transfer full): with GST_VFI_MODE_REFUSE a sentence for the
 *     user that names both formats and what is possible instead, otherwise NULL
 *
 * With a variable input and a variable output the ratio is that of the maximal rates where
 * both have one and it is an integer, otherwise the preferred multiplier.
 */
GstVfiMode gst_vfi_caps_decide (const GstVideoInfo *in, const GstVideoInfo *out,
    const GstVfiCapsOptions *options, guint *multiplier, gchar **reason);

/**
 * gst_vfi_caps_is_variable:
 *
 * Whether frames come at a variable or unknown rate. Not the same as a rate of 0 in @info:
 * with max-framerate in the caps, GstVideoInfo holds the maximal rate instead.
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

G_END_DECLS
