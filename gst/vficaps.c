/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps arithmetic: every structure is answered by itself, so that memory features and all
 * fields other than the rate stay as they are. */
#include "vficaps.h"

#include <string.h>

/* One caps structure on its way to the other pad. */
typedef struct {
  GstCaps *result;
  const GstStructure *structure;
  GstCapsFeatures *features;
  gboolean to_output;
  guint multiplier;
} Mapping;

static guint
preferred_multiplier (const GstVfiCapsOptions *options)
{
  return CLAMP (options->multiplier, 1, GST_VFI_MAX_MULTIPLIER);
}

/* rate * factor towards the output, rate / factor towards the input. FALSE on overflow. */
static gboolean
map_fraction (const GValue *rate, guint factor, gboolean to_output, gint *num, gint *den)
{
  gint factor_num = to_output ? (gint) factor : 1;
  gint factor_den = to_output ? 1 : (gint) factor;
  return gst_util_fraction_multiply (gst_value_get_fraction_numerator (rate),
      gst_value_get_fraction_denominator (rate), factor_num, factor_den, num, den);
}

/* Appends the rates of the range @from mapped by all factors @first to @last. The end that
 * grows over what a fraction can hold becomes the largest such rate, the end that falls
 * below it 0; nothing is appended if the other end does not fit either. */
static void
append_range (
    GValue *list, const GValue *from, guint first, guint last, gboolean to_output)
{
  gint low_num, low_den, high_num, high_den;
  guint low_factor = to_output ? first : last;
  guint high_factor = to_output ? last : first;
  if (!map_fraction (gst_value_get_fraction_range_min (from), low_factor, to_output,
          &low_num, &low_den)) {
    if (to_output)
      return;
    low_num = 0;
    low_den = 1;
  }
  if (!map_fraction (gst_value_get_fraction_range_max (from), high_factor, to_output,
          &high_num, &high_den)) {
    if (!to_output)
      return;
    high_num = G_MAXINT;
    high_den = 1;
  }
  if (gst_util_fraction_compare (low_num, low_den, high_num, high_den) >= 0)
    return;
  GValue range = G_VALUE_INIT;
  g_value_init (&range, GST_TYPE_FRACTION_RANGE);
  gst_value_set_fraction_range_full (&range, low_num, low_den, high_num, high_den);
  gst_value_list_append_and_take_value (list, &range);
}

/* Appends @num/@den to the list unless it is there. @seen: set of gint64 keys. */
static void
append_fraction (GValue *list, GHashTable *seen, gint num, gint den)
{
  gint64 key = ((gint64) num << 32) | (gint64) den;
  if (!g_hash_table_add (seen, g_memdup2 (&key, sizeof key)))
    return;
  GValue value = G_VALUE_INIT;
  g_value_init (&value, GST_TYPE_FRACTION);
  gst_value_set_fraction (&value, num, den);
  gst_value_list_append_and_take_value (list, &value);
}

/* Appends @rate (a fraction or a range) mapped by the factors @first to @last. */
static void
append_mapped (GValue *list, GHashTable *seen, const GValue *rate, guint first,
    guint last, gboolean to_output)
{
  if (GST_VALUE_HOLDS_FRACTION_RANGE (rate)) {
    append_range (list, rate, first, last, to_output);
  } else if (GST_VALUE_HOLDS_FRACTION (rate)) {
    gint num, den;
    for (guint factor = first; factor <= last; factor++) {
      if (map_fraction (rate, factor, to_output, &num, &den))
        append_fraction (list, seen, num, den);
    }
  }
}

/* Adds a copy of the structure with rates mapped by the factors @first to @last; none if
 * no rate remains. */
static void
add_mapped (Mapping *mapping, guint first, guint last)
{
  const GValue *rate = gst_structure_get_value (mapping->structure, "framerate");
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  GValue list = G_VALUE_INIT;
  g_value_init (&list, GST_TYPE_LIST);

  if (GST_VALUE_HOLDS_LIST (rate)) {
    guint rates = gst_value_list_get_size (rate);
    guint steps = MAX (1, (last - first + 1) / MAX (1, rates));
    for (guint i = 0; i < rates; i++)
      append_mapped (&list, seen, gst_value_list_get_value (rate, i), first,
          first + steps - 1, mapping->to_output);
  } else {
    append_mapped (&list, seen, rate, first, last, mapping->to_output);
  }

  guint found = gst_value_list_get_size (&list);
  if (found > 0) {
    GstStructure *copy = gst_structure_copy (mapping->structure);
    gst_structure_set_value (
        copy, "framerate", found == 1 ? gst_value_list_get_value (&list, 0) : &list);
    mapping->result = gst_caps_merge_structure_full (
        mapping->result, copy, gst_caps_features_copy (mapping->features));
  }
  g_value_unset (&list);
}

static void
add_same_rate (Mapping *mapping)
{
  mapping->result = gst_caps_merge_structure_full (mapping->result,
      gst_structure_copy (mapping->structure),
      gst_caps_features_copy (mapping->features));
}

/* Adds a copy of the structure with the maximal rate @max, or without one. */
static void
add_with_max (Mapping *mapping, const GValue *max)
{
  GstStructure *copy = gst_structure_copy (mapping->structure);
  if (max)
    gst_structure_set_value (copy, "max-framerate", max);
  else
    gst_structure_remove_field (copy, "max-framerate");
  mapping->result = gst_caps_merge_structure_full (
      mapping->result, copy, gst_caps_features_copy (mapping->features));
}

/* A variable rate stays variable; its maximum grows with the frames in between. A maximum
 * that is not chosen yet says nothing about the other side and is left out. */
static void
add_variable (Mapping *mapping)
{
  const GValue *max = gst_structure_get_value (mapping->structure, "max-framerate");
  if (!max || !GST_VALUE_HOLDS_FRACTION (max)) {
    add_with_max (mapping, NULL);
    return;
  }
  gint num, den;
  if (!map_fraction (max, mapping->multiplier, mapping->to_output, &num, &den)) {
    num = mapping->to_output ? G_MAXINT : 0;
    den = 1;
  }
  GValue mapped = G_VALUE_INIT;
  g_value_init (&mapped, GST_TYPE_FRACTION);
  gst_value_set_fraction (&mapped, num, den);
  add_with_max (mapping, &mapped);
  add_with_max (mapping, max);
  g_value_unset (&mapped);
}

static void
add_interpolated (Mapping *mapping)
{
  const GValue *rate = gst_structure_get_value (mapping->structure, "framerate");
  if (!rate) {
    add_same_rate (mapping);
  } else if (GST_VALUE_HOLDS_FRACTION (rate) &&
             gst_value_get_fraction_numerator (rate) == 0) {
    add_variable (mapping);
  } else {
    add_mapped (mapping, mapping->multiplier, mapping->multiplier);
    add_mapped (mapping, 1, GST_VFI_MAX_MULTIPLIER);
  }
}

/* Moves the modes other than progressive from @structure into @rest (a list value), which
 * stays unset where there are none. FALSE if no progressive mode is left. */
static gboolean
split_interlaced (GstStructure *structure, GValue *rest)
{
  const GValue *mode = gst_structure_get_value (structure, "interlace-mode");
  if (!mode)
    return TRUE;
  GValue progressive = G_VALUE_INIT;
  g_value_init (&progressive, G_TYPE_STRING);
  g_value_set_static_string (&progressive, "progressive");
  gboolean possible = gst_value_intersect (NULL, mode, &progressive);
  if (!gst_value_subtract (rest, mode, &progressive))
    *rest = (GValue) G_VALUE_INIT;
  if (possible)
    gst_structure_set_value (structure, "interlace-mode", &progressive);
  g_value_unset (&progressive);
  return possible;
}

static gboolean
is_interlaced (const GstStructure *structure)
{
  const gchar *mode = gst_structure_get_string (structure, "interlace-mode");
  return mode && strcmp (mode, "progressive") != 0;
}

static gboolean
is_single_view (GstVideoMultiviewMode mode)
{
  return mode == GST_VIDEO_MULTIVIEW_MODE_NONE || mode == GST_VIDEO_MULTIVIEW_MODE_MONO ||
         mode == GST_VIDEO_MULTIVIEW_MODE_LEFT || mode == GST_VIDEO_MULTIVIEW_MODE_RIGHT;
}

/* Whether a structure allows only pictures with several views in a frame. */
static gboolean
has_packed_views (const GstStructure *structure)
{
  gint views;
  if (gst_structure_get_int (structure, "views", &views) && views > 1)
    return TRUE;
  const gchar *mode = gst_structure_get_string (structure, "multiview-mode");
  return mode && !is_single_view (gst_video_multiview_mode_from_caps_string (mode));
}

static void
add_structure (Mapping *mapping, const GstStructure *structure, gboolean pass_unsupported)
{
  g_autoptr (GstStructure) copy = gst_structure_copy (structure);
  GValue interlaced = G_VALUE_INIT;
  mapping->structure = copy;
  if (split_interlaced (copy, &interlaced)) {
    /* Tell upstream, where it has the choice, that fields are not wanted. */
    if (!mapping->to_output && !pass_unsupported)
      gst_structure_set (copy, "interlace-mode", G_TYPE_STRING, "progressive", NULL);
    if (has_packed_views (copy))
      add_same_rate (mapping);
    else
      add_interpolated (mapping);
  }
  if (G_IS_VALUE (&interlaced)) {
    if (pass_unsupported) {
      gst_structure_set_value (copy, "interlace-mode", &interlaced);
      add_same_rate (mapping);
    }
    g_value_unset (&interlaced);
  }
}

GstCaps *
gst_vfi_caps_transform (GstPadDirection direction, const GstCaps *caps, GstCaps *filter,
    const GstVfiCapsOptions *options)
{
  if (gst_caps_is_any (caps))
    return filter ? gst_caps_ref (filter) : gst_caps_new_any ();
  Mapping mapping = {
      .result = gst_caps_new_empty (),
      .to_output = direction == GST_PAD_SINK,
      .multiplier = preferred_multiplier (options),
  };
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    mapping.features = gst_caps_get_features (caps, i);
    add_structure (&mapping, gst_caps_get_structure (caps, i), options->pass_unsupported);
  }
  if (filter) {
    GstCaps *limited =
        gst_caps_intersect_full (filter, mapping.result, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (mapping.result);
    return limited;
  }
  return mapping.result;
}

GstCaps *
gst_vfi_caps_fixate (
    const GstCaps *in, GstCaps *candidates, const GstVfiCapsOptions *options)
{
  const GstStructure *from = gst_caps_get_structure (in, 0);
  candidates = gst_caps_make_writable (gst_caps_truncate (candidates));
  GstStructure *to = gst_caps_get_structure (candidates, 0);
  const GValue *rate = gst_structure_get_value (from, "framerate");
  gint num = 0, den = 1;
  gboolean multiply = rate && !has_packed_views (from) && !is_interlaced (from);
  if (rate && !map_fraction (rate, multiply ? preferred_multiplier (options) : 1, TRUE,
                  &num, &den)) {
    num = gst_value_get_fraction_numerator (rate);
    den = gst_value_get_fraction_denominator (rate);
  }
  if (gst_structure_has_field (to, "framerate"))
    gst_structure_fixate_field_nearest_fraction (to, "framerate", num, den);
  return gst_caps_fixate (candidates);
}

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
           !is_single_view (GST_VIDEO_INFO_MULTIVIEW_MODE (info)))
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
      "'videoconvertscale' before or behind this element",
      GST_VIDEO_INFO_NAME (in), GST_VIDEO_INFO_WIDTH (in), GST_VIDEO_INFO_HEIGHT (in),
      GST_VIDEO_INFO_NAME (out), GST_VIDEO_INFO_WIDTH (out), GST_VIDEO_INFO_HEIGHT (out));
}

static gchar *
explain_rates (const GstVideoInfo *in, const GstVideoInfo *out)
{
  if (gst_vfi_caps_is_variable (in))
    return g_strdup_printf (
        "Input with a variable frame rate cannot become %d/%d frames a second; put "
        "'videorate' and caps with a fixed frame rate before this element, or leave the "
        "output rate open",
        GST_VIDEO_INFO_FPS_N (out), GST_VIDEO_INFO_FPS_D (out));

  gint num = GST_VIDEO_INFO_FPS_N (in), den = GST_VIDEO_INFO_FPS_D (in);
  g_autoptr (GString) text = g_string_new (NULL);
  if (gst_vfi_caps_is_variable (out))
    g_string_printf (text, "A rate of %d/%d cannot become variable", num, den);
  else
    g_string_printf (text, "A rate of %d/%d cannot become %d/%d", num, den,
        GST_VIDEO_INFO_FPS_N (out), GST_VIDEO_INFO_FPS_D (out));
  g_string_append_printf (text,
      ": only integer multiples up to %d times the input rate are possible, such as",
      GST_VFI_MAX_MULTIPLIER);
  gint multiple_num, multiple_den;
  for (gint factor = 1; factor <= 4; factor++) {
    if (gst_util_fraction_multiply (num, den, factor, 1, &multiple_num, &multiple_den))
      g_string_append_printf (
          text, "%s %d/%d", factor == 1 ? "" : ",", multiple_num, multiple_den);
  }
  return g_strdup (text->str);
}

/* Outputs an input frame, 0 if the rates do not fit together. */
static guint
ratio_of_rates (const GstVideoInfo *in, const GstVideoInfo *out, guint preferred)
{
  gboolean variable = gst_vfi_caps_is_variable (in);
  if (variable != gst_vfi_caps_is_variable (out))
    return 0;
  guint ratio = integer_ratio (in, out);
  return variable && ratio == 0 ? preferred : ratio;
}

GstVfiMode
gst_vfi_caps_decide (const GstVideoInfo *in, const GstVideoInfo *out,
    const GstVfiCapsOptions *options, guint *multiplier, gchar **reason)
{
  g_autofree gchar *text = NULL;
  *multiplier = 1;
  if (reason)
    *reason = NULL;
  if (GST_VIDEO_INFO_FORMAT (in) != GST_VIDEO_INFO_FORMAT (out) ||
      GST_VIDEO_INFO_WIDTH (in) != GST_VIDEO_INFO_WIDTH (out) ||
      GST_VIDEO_INFO_HEIGHT (in) != GST_VIDEO_INFO_HEIGHT (out)) {
    text = explain_pictures (in, out);
  } else if (!gst_vfi_caps_can_interpolate (in, &text)) {
    gboolean may_pass = options->pass_unsupported || !GST_VIDEO_INFO_IS_INTERLACED (in);
    if (may_pass && same_rate (in, out))
      return GST_VFI_MODE_PASSTHROUGH;
  } else {
    *multiplier = ratio_of_rates (in, out, preferred_multiplier (options));
    if (*multiplier > 1)
      return GST_VFI_MODE_MULTIPLY;
    if (*multiplier == 1)
      return GST_VFI_MODE_PASSTHROUGH;
    *multiplier = 1;
    text = explain_rates (in, out);
  }
  if (reason)
    *reason = g_steal_pointer (&text);
  return GST_VFI_MODE_REFUSE;
}
