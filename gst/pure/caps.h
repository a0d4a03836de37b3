/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps arithmetic of the element: which output rates an input rate can become and which
 * input rates an output rate can come from. Pure functions: no element, no lock, no
 * state.
 *
 * An answer to a caps query lists only what gst_vfi_caps_decide() (decide.h) accepts
 * later: an input rate f can become every rate from f to f * GST_VFI_MAX_MULTIPLIER, a
 * variable one stays variable or becomes any rate. */
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
 * @largest_of_pairs: the largest of the multipliers that pairs have of their own
 *     (gst_vfi_pairs_largest_multiplier()), 0 without such a list; with one, a variable
 *     output rate is possible for every input, and preferred
 * @rate_is_fixed: whether downstream leaves no choice of the output rate; for
 *     gst_vfi_caps_decide()
 */
typedef struct {
  guint multiplier;
  gboolean pass_unsupported;
  guint largest_of_pairs;
  gboolean rate_is_fixed;
} GstVfiCapsOptions;

/**
 * gst_vfi_caps_transform:
 * @direction: the pad that @caps belong to: GST_PAD_SINK asks for the output caps of the
 *     input @caps, GST_PAD_SRC for the input caps of the output @caps
 * @caps: caps with fractions, ranges or lists of them, 0/1 (variable) or no rate at all
 * @filter: (nullable): the caps the answer is limited to; their order wins
 *
 * For every structure the answer has, in this order: the variable rate where that is
 * preferred, with a maximal rate where the input's is known; the preferred rate (rate *
 * multiplier, or rate / multiplier towards the input); every possible rate. Each has the
 * structure's own features and otherwise verbatim fields. A rate that does not fit into a
 * fraction is left out. Ranges and lists are mapped element by element. Interlaced
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
 * Fixates the first structure of @candidates, its rate nearest to input rate *
 * multiplier. A variable input (rate 0/1 or no rate) stays variable where @candidates
 * allow it; where not, its maximal rate counts, or 30/1.
 *
 * Returns: (transfer full): fixed output caps.
 */
GstCaps *gst_vfi_caps_fixate (
    const GstCaps *in, GstCaps *candidates, const GstVfiCapsOptions *options);

/* Whether @caps, which downstream accepts, name single rates only, as fractions or lists
 * of them, and no ranges. */
gboolean gst_vfi_caps_rate_is_fixed (const GstCaps *caps);

/* Whether a frame is one picture of one view. */
gboolean gst_vfi_caps_is_single_view (GstVideoMultiviewMode mode);

/* A list of the @n @strings, which are not copied, as the value of a field of caps. */
GValue gst_vfi_caps_strings (const char *const *strings, guint n);

G_END_DECLS
