/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a chosen pair of rates asks the element to do, and sentences for users where
 * nothing can be done. */
#include "pure/decide.h"

gboolean
gst_vfi_caps_is_variable (const GstVideoInfo *info)
{
  return (GST_VIDEO_INFO_FLAGS (info) & GST_VIDEO_FLAG_VARIABLE_FPS) != 0 ||
         GST_VIDEO_INFO_FPS_N (info) == 0;
}

gboolean
gst_vfi_caps_can_interpolate (const GstVideoInfo *info, gchar **reason)
{
  gchar *text = NULL;
  if (GST_VIDEO_INFO_IS_INTERLACED (info))
    text = g_strdup_printf ("Video with interlace-mode=%s cannot be interpolated; put "
                            "'deinterlace' before this element",
        gst_video_interlace_mode_to_string (GST_VIDEO_INFO_INTERLACE_MODE (info)));
  else if (GST_VIDEO_INFO_VIEWS (info) > 1 ||
           !gst_vfi_caps_is_single_view (GST_VIDEO_INFO_MULTIVIEW_MODE (info)))
    text =
        g_strdup ("Video with several views in a frame cannot be interpolated; it only "
                  "passes through at its own rate");
  if (reason)
    *reason = text;
  else
    g_free (text);
  return text == NULL;
}

/* @out / @in as an integer of at most GST_VFI_MAX_MULTIPLIER, else 0. */
static guint
integer_ratio (const GstVideoInfo *in, const GstVideoInfo *out)
{
  guint64 dividend =
      (guint64) GST_VIDEO_INFO_FPS_N (out) * (guint64) GST_VIDEO_INFO_FPS_D (in);
  guint64 divisor =
      (guint64) GST_VIDEO_INFO_FPS_D (out) * (guint64) GST_VIDEO_INFO_FPS_N (in);
  if (divisor == 0 || dividend % divisor != 0)
    return 0;
  guint64 ratio = dividend / divisor;
  return ratio <= GST_VFI_MAX_MULTIPLIER ? (guint) ratio : 0;
}

static gboolean
same_rate (const GstVideoInfo *in, const GstVideoInfo *out)
{
  gboolean variable = gst_vfi_caps_is_variable (in);
  if (variable != gst_vfi_caps_is_variable (out))
    return FALSE;
  return variable || integer_ratio (in, out) == 1;
}

static gchar *
explain_pictures (const GstVideoInfo *in, const GstVideoInfo *out)
{
  return g_strdup_printf (
      "Only the frame rate can change: %s %dx%d cannot become %s %dx%d; put "
      "'videoconvertscale' before or after this element",
      GST_VIDEO_INFO_NAME (in), GST_VIDEO_INFO_WIDTH (in), GST_VIDEO_INFO_HEIGHT (in),
      GST_VIDEO_INFO_NAME (out), GST_VIDEO_INFO_WIDTH (out), GST_VIDEO_INFO_HEIGHT (out));
}

/* The input's rate in words. */
static gchar *
rate_text (const GstVideoInfo *info)
{
  if (gst_vfi_caps_is_variable (info))
    return g_strdup ("a variable rate");
  return g_strdup_printf (
      "%d/%d frames a second", GST_VIDEO_INFO_FPS_N (info), GST_VIDEO_INFO_FPS_D (info));
}

static gchar *
explain_rates (const GstVideoInfo *in, const GstVideoInfo *out)
{
  g_autofree gchar *from = rate_text (in), *to = rate_text (out);
  if (gst_vfi_caps_is_variable (out))
    return g_strdup_printf ("%s cannot become variable without `multipliers`; leave the "
                            "output rate open, or ask for a fixed one of as much or more",
        from);
  if (gst_util_fraction_compare (GST_VIDEO_INFO_FPS_N (out), GST_VIDEO_INFO_FPS_D (out),
          GST_VIDEO_INFO_FPS_N (in), GST_VIDEO_INFO_FPS_D (in)) < 0)
    return g_strdup_printf ("%s cannot become %s: this element only raises the rate; use "
                            "'videorate' to lower it, in front of this element",
        from, to);
  return g_strdup_printf (
      "%s cannot become %s: at most %d times the input's rate is possible; put "
      "'videorate' after this element for more",
      from, to, GST_VFI_MAX_MULTIPLIER);
}

/* Of video that is not interpolated and passes at its own rate only. */
static gchar *
explain_passing (const GstVideoInfo *in, const GstVideoInfo *out)
{
  g_autofree gchar *from = rate_text (in), *to = rate_text (out);
  return g_strdup_printf ("%s passes through at its own rate: %s cannot become %s; put "
                          "%s'videorate' after this element",
      GST_VIDEO_INFO_IS_INTERLACED (in) ? "Interlaced video"
                                        : "Video with several views in a frame",
      from, to,
      GST_VIDEO_INFO_IS_INTERLACED (in) ? "'deinterlace' in front of this element, or "
                                        : "");
}

/* Whether the output rate is above the input's, which is constant too, and not too
 * far. */
static gboolean
is_in_reach (const GstVideoInfo *in, const GstVideoInfo *out)
{
  guint64 dividend =
      (guint64) GST_VIDEO_INFO_FPS_N (out) * (guint64) GST_VIDEO_INFO_FPS_D (in);
  guint64 divisor =
      (guint64) GST_VIDEO_INFO_FPS_D (out) * (guint64) GST_VIDEO_INFO_FPS_N (in);
  return dividend > divisor && dividend / divisor < GST_VFI_MAX_MULTIPLIER;
}

/* Multiplies by @ratio, where 1 means that nothing is to be done. */
static void
multiply (GstVfiCapsDecision *decision, guint ratio)
{
  decision->multiplier = ratio;
  decision->mode =
      ratio > 1 || decision->per_pair ? GST_VFI_MODE_MULTIPLY : GST_VFI_MODE_PASSTHROUGH;
}

static void
decide_variable (const GstVideoInfo *in, const GstVideoInfo *out,
    const GstVfiCapsOptions *options, GstVfiCapsDecision *decision)
{
  guint preferred = CLAMP (options->multiplier, 1, GST_VFI_MAX_MULTIPLIER);
  decision->variable = TRUE;
  decision->per_pair = options->largest_of_pairs > 0;
  if (decision->per_pair) {
    multiply (decision, preferred);
  } else if (gst_vfi_caps_is_variable (in)) {
    guint ratio = integer_ratio (in, out);
    multiply (decision, ratio > 0 ? ratio : preferred);
  }
}

static void
decide_constant (const GstVideoInfo *in, const GstVideoInfo *out,
    const GstVfiCapsOptions *options, GstVfiCapsDecision *decision)
{
  guint ratio = gst_vfi_caps_is_variable (in) ? 0 : integer_ratio (in, out);
  if (ratio > 0) {
    multiply (decision, ratio);
    if (options->rate_is_fixed && decision->mode == GST_VFI_MODE_MULTIPLY) {
      decision->constant_num = GST_VIDEO_INFO_FPS_N (out);
      decision->constant_den = GST_VIDEO_INFO_FPS_D (out);
    }
  } else if (gst_vfi_caps_is_variable (in) || is_in_reach (in, out)) {
    decision->mode = GST_VFI_MODE_GRID;
    decision->grid_num = GST_VIDEO_INFO_FPS_N (out);
    decision->grid_den = GST_VIDEO_INFO_FPS_D (out);
  }
  decision->multipliers_ignored =
      options->largest_of_pairs > 0 && decision->mode != GST_VFI_MODE_REFUSE;
}

GstVfiMode
gst_vfi_caps_decide (const GstVideoInfo *in, const GstVideoInfo *out,
    const GstVfiCapsOptions *options, GstVfiCapsDecision *decision, gchar **reason)
{
  g_autofree gchar *text = NULL;
  *decision = (GstVfiCapsDecision){
      .mode = GST_VFI_MODE_REFUSE, .multiplier = 1, .grid_den = 1, .constant_den = 1};
  if (GST_VIDEO_INFO_FORMAT (in) != GST_VIDEO_INFO_FORMAT (out) ||
      GST_VIDEO_INFO_WIDTH (in) != GST_VIDEO_INFO_WIDTH (out) ||
      GST_VIDEO_INFO_HEIGHT (in) != GST_VIDEO_INFO_HEIGHT (out)) {
    text = explain_pictures (in, out);
  } else if (!gst_vfi_caps_can_interpolate (in, &text)) {
    gboolean may_pass = options->pass_unsupported || !GST_VIDEO_INFO_IS_INTERLACED (in);
    if (may_pass && same_rate (in, out)) {
      decision->mode = GST_VFI_MODE_PASSTHROUGH;
    } else if (may_pass) {
      g_free (text);
      text = explain_passing (in, out);
    }
  } else {
    if (gst_vfi_caps_is_variable (out))
      decide_variable (in, out, options, decision);
    else
      decide_constant (in, out, options, decision);
    if (decision->mode == GST_VFI_MODE_REFUSE)
      text = explain_rates (in, out);
  }
  if (reason)
    *reason = decision->mode == GST_VFI_MODE_REFUSE ? g_steal_pointer (&text) : NULL;
  return decision->mode;
}

/* @caps' structure @index without rates. */
static GstCaps *
picture_caps (const GstCaps *caps, guint index)
{
  GstCaps *picture = gst_caps_copy_nth (caps, index);
  gst_structure_remove_fields (
      gst_caps_get_structure (picture, 0), "framerate", "max-framerate", NULL);
  return picture;
}

/* Why no rate of @structure can be had; NULL if it has none. */
static gchar *
explain_structure (const GstVideoInfo *in, const GstStructure *structure,
    const GstVfiCapsOptions *options)
{
  gint num = GST_VIDEO_INFO_FPS_N (in), den = GST_VIDEO_INFO_FPS_D (in);
  g_autoptr (GstStructure) copy = gst_structure_copy (structure);
  GstVfiCapsDecision decision;
  GstVideoInfo out = *in;
  gchar *reason = NULL;
  if (!gst_structure_has_field (copy, "framerate"))
    return NULL;
  gst_structure_fixate_field_nearest_fraction (copy, "framerate", num, den);
  if (!gst_structure_get_fraction (copy, "framerate", &out.fps_n, &out.fps_d))
    return NULL;
  out.flags = out.fps_n == 0 ? GST_VIDEO_FLAG_VARIABLE_FPS : GST_VIDEO_FLAG_NONE;
  gst_vfi_caps_decide (in, &out, options, &decision, &reason);
  return reason;
}

gchar *
gst_vfi_caps_explain (const GstVideoInfo *in, const GstCaps *in_caps,
    const GstCaps *downstream, const GstVfiCapsOptions *options)
{
  g_autoptr (GstCaps) picture = picture_caps (in_caps, 0);
  for (guint i = 0; !gst_caps_is_any (downstream) && i < gst_caps_get_size (downstream);
       i++) {
    g_autoptr (GstCaps) wanted = picture_caps (downstream, i);
    gchar *reason = NULL;
    if (gst_caps_can_intersect (picture, wanted))
      reason = explain_structure (in, gst_caps_get_structure (downstream, i), options);
    if (reason)
      return reason;
  }
  g_autofree gchar *text = gst_caps_to_string (downstream);
  return g_strdup_printf ("%s %dx%d cannot become what is taken after this element, "
                          "where only the frame rate can change; put 'videoconvertscale' "
                          "after it (taken is: %s)",
      GST_VIDEO_INFO_NAME (in), GST_VIDEO_INFO_WIDTH (in), GST_VIDEO_INFO_HEIGHT (in),
      text);
}

gboolean
gst_vfi_caps_convert_frames (const GstVideoInfo *in, const GstVideoInfo *out,
    const GstVfiCapsDecision *decision, gboolean to_output, gint64 *frames)
{
  guint64 num = 1, den = 1;
  switch (decision->mode) {
    case GST_VFI_MODE_REFUSE:
      return FALSE;
    case GST_VFI_MODE_PASSTHROUGH:
      break;
    case GST_VFI_MODE_MULTIPLY:
      if (decision->per_pair)
        return FALSE;
      num = decision->multiplier;
      break;
    case GST_VFI_MODE_GRID:
      if (gst_vfi_caps_is_variable (in))
        return FALSE;
      num = (guint64) GST_VIDEO_INFO_FPS_N (out) * (guint64) GST_VIDEO_INFO_FPS_D (in);
      den = (guint64) GST_VIDEO_INFO_FPS_D (out) * (guint64) GST_VIDEO_INFO_FPS_N (in);
      break;
  }
  if (*frames < 0)
    return TRUE;
  guint64 count = (guint64) *frames;
  count = to_output ? gst_util_uint64_scale_ceil (count, num, den)
                    : gst_util_uint64_scale (count, den, num);
  *frames = (gint64) MIN (count, (guint64) G_MAXINT64);
  return TRUE;
}
