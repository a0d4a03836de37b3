/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps arithmetic: every structure is answered by itself, so that memory features and all
 * fields other than the rate stay as they are. A rate (fraction, range or list) is mapped
 * element by element. */
#include "pure/caps.h"

#include "pure/rates.h"

#include <string.h>

/* Frames a second to multiply where a variable input must become a constant rate and says
 * nothing about its own. */
#define ASSUMED_RATE 30

/* One caps structure on its way to the other pad. */
typedef struct {
  GstCaps *result;
  const GstStructure *structure;
  GstCapsFeatures *features;
  gboolean to_output;
  const GstVfiCapsOptions *options;
} Mapping;

static guint
preferred_multiplier (const GstVfiCapsOptions *options)
{
  return CLAMP (options->multiplier, 1, GST_VFI_MAX_MULTIPLIER);
}

/* The most outputs that a frame may have where every pair has its own multiplier. */
static guint
largest_multiplier (const GstVfiCapsOptions *options)
{
  return MAX (preferred_multiplier (options),
      MIN (options->largest_of_pairs, GST_VFI_MAX_MULTIPLIER));
}

static gboolean
is_fraction (const GValue *rate)
{
  return rate && GST_VALUE_HOLDS_FRACTION (rate);
}

static gboolean
is_variable (const GValue *rate)
{
  return is_fraction (rate) && gst_value_get_fraction_numerator (rate) == 0;
}

/* The ends of a range, or a fraction twice. */
static gboolean
get_ends (const GValue *rate, const GValue **low, const GValue **high)
{
  if (GST_VALUE_HOLDS_FRACTION_RANGE (rate)) {
    *low = gst_value_get_fraction_range_min (rate);
    *high = gst_value_get_fraction_range_max (rate);
  } else {
    *low = *high = rate;
  }
  return is_fraction (*low) && is_fraction (*high);
}

/* The rate that the multiplier makes of @rate, of both ends of a range. */
static void
append_preferred (const Mapping *mapping, GArray *rates, const GValue *rate)
{
  const GValue *low, *high;
  guint factor = preferred_multiplier (mapping->options);
  gint num, den;
  if (!get_ends (rate, &low, &high))
    return;
  if (low != high)
    gst_vfi_rates_append_mapped (rates, low, factor, high, factor, mapping->to_output);
  else if (gst_vfi_rate_multiply (rate, factor, mapping->to_output, &num, &den))
    gst_vfi_rates_append (rates, num, den, num, den);
}

/* Every rate that the input rate @rate can become. */
static void
append_possible_outputs (const Mapping *mapping, GArray *rates, const GValue *rate)
{
  const GValue *low, *high;
  (void) mapping;
  if (!get_ends (rate, &low, &high))
    return;
  if (is_variable (low))
    gst_vfi_rates_append (rates, 0, 1, G_MAXINT, 1);
  else
    gst_vfi_rates_append_mapped (rates, low, 1, high, GST_VFI_MAX_MULTIPLIER, TRUE);
}

/* Every rate that can become the output rate @rate; a variable one always can. */
static void
append_possible_inputs (const Mapping *mapping, GArray *rates, const GValue *rate)
{
  const GValue *low, *high;
  if (!get_ends (rate, &low, &high))
    return;
  if (is_variable (low) && mapping->options->largest_of_pairs > 0)
    gst_vfi_rates_append (rates, 0, 1, G_MAXINT, 1);
  else
    gst_vfi_rates_append_mapped (rates, low, GST_VFI_MAX_MULTIPLIER, high, 1, FALSE);
}

typedef void (*AppendRates) (const Mapping *mapping, GArray *rates, const GValue *rate);

/* Adds a copy of the structure with @rates; none if there are none. */
static void
add_with_rates (Mapping *mapping, const GArray *rates)
{
  if (rates->len == 0)
    return;
  GValue value = gst_vfi_rates_value (rates);
  GstStructure *copy = gst_structure_copy (mapping->structure);
  gst_structure_remove_field (copy, "max-framerate");
  gst_structure_take_value (copy, "framerate", &value);
  mapping->result = gst_caps_merge_structure_full (
      mapping->result, copy, gst_caps_features_copy (mapping->features));
}

/* Adds a copy of the structure with its rates mapped by @append and, with @or_variable,
 * the variable one. */
static void
add_mapped (Mapping *mapping, AppendRates append, gboolean or_variable)
{
  const GValue *rate = gst_structure_get_value (mapping->structure, "framerate");
  g_autoptr (GArray) rates = gst_vfi_rates_new ();
  if (GST_VALUE_HOLDS_LIST (rate)) {
    for (guint i = 0; i < gst_value_list_get_size (rate); i++)
      append (mapping, rates, gst_value_list_get_value (rate, i));
  } else {
    append (mapping, rates, rate);
  }
  if (or_variable)
    gst_vfi_rates_append (rates, 0, 1, 0, 1);
  add_with_rates (mapping, rates);
}

static void
add_same_rate (Mapping *mapping)
{
  mapping->result = gst_caps_merge_structure_full (mapping->result,
      gst_structure_copy (mapping->structure),
      gst_caps_features_copy (mapping->features));
}

/* Adds a copy of the structure of variable rate with the maximal rate @max, or
 * without. */
static void
add_with_max (Mapping *mapping, const GValue *max)
{
  GstStructure *copy = gst_structure_copy (mapping->structure);
  gst_structure_set (copy, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
  if (max)
    gst_structure_set_value (copy, "max-framerate", max);
  else
    gst_structure_remove_field (copy, "max-framerate");
  mapping->result = gst_caps_merge_structure_full (
      mapping->result, copy, gst_caps_features_copy (mapping->features));
}

/* As add_with_max() with @rate times the most outputs a frame. */
static void
add_with_mapped_max (Mapping *mapping, const GValue *rate)
{
  guint factor = largest_multiplier (mapping->options);
  gint num, den;
  if (!gst_vfi_rate_multiply (rate, factor, mapping->to_output, &num, &den)) {
    num = mapping->to_output ? G_MAXINT : 0;
    den = 1;
  }
  GValue max = G_VALUE_INIT;
  g_value_init (&max, GST_TYPE_FRACTION);
  gst_value_set_fraction (&max, num, den);
  add_with_max (mapping, &max);
  g_value_unset (&max);
}

/* A variable rate stays variable; its maximum grows with the frames in between. A maximum
 * that is not chosen yet says nothing about the other side and is left out. */
static void
add_variable (Mapping *mapping)
{
  const GValue *max = gst_structure_get_value (mapping->structure, "max-framerate");
  if (is_fraction (max)) {
    add_with_mapped_max (mapping, max);
    add_with_max (mapping, max);
  } else {
    add_with_max (mapping, NULL);
  }
}

static void
add_outputs (Mapping *mapping, const GValue *rate)
{
  if (is_variable (rate)) {
    add_variable (mapping);
  } else if (mapping->options->largest_of_pairs > 0) {
    if (is_fraction (rate))
      add_with_mapped_max (mapping, rate);
    add_with_max (mapping, NULL);
  }
  if (!is_variable (rate))
    add_mapped (mapping, append_preferred, FALSE);
  add_mapped (mapping, append_possible_outputs, FALSE);
}

static void
add_inputs (Mapping *mapping, const GValue *rate)
{
  if (is_variable (rate))
    add_variable (mapping);
  else
    add_mapped (mapping, append_preferred, FALSE);
  if (!is_variable (rate) || mapping->options->largest_of_pairs > 0)
    add_mapped (mapping, append_possible_inputs, TRUE);
}

static void
add_interpolated (Mapping *mapping)
{
  const GValue *rate = gst_structure_get_value (mapping->structure, "framerate");
  if (!rate)
    add_same_rate (mapping);
  else if (mapping->to_output)
    add_outputs (mapping, rate);
  else
    add_inputs (mapping, rate);
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

GValue
gst_vfi_caps_strings (const char *const *strings, guint n)
{
  GValue list = G_VALUE_INIT;
  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; i < n; i++) {
    GValue string = G_VALUE_INIT;
    g_value_init (&string, G_TYPE_STRING);
    g_value_set_static_string (&string, strings[i]);
    gst_value_list_append_and_take_value (&list, &string);
  }
  return list;
}

/* Of frames in memory as any other ones. */
static GValue
every_interlaced_mode (void)
{
  static const char *const modes[] = {"interleaved", "mixed", "fields"};
  return gst_vfi_caps_strings (modes, G_N_ELEMENTS (modes));
}

static gboolean
is_interlaced (const GstStructure *structure)
{
  const gchar *mode = gst_structure_get_string (structure, "interlace-mode");
  return mode && strcmp (mode, "progressive") != 0;
}

gboolean
gst_vfi_caps_is_single_view (GstVideoMultiviewMode mode)
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
  return mode &&
         !gst_vfi_caps_is_single_view (gst_video_multiview_mode_from_caps_string (mode));
}

static void
add_structure (Mapping *mapping, const GstStructure *structure)
{
  gboolean pass_unsupported = mapping->options->pass_unsupported;
  g_autoptr (GstStructure) copy = gst_structure_copy (structure);
  GValue interlaced = G_VALUE_INIT;
  mapping->structure = copy;
  if (split_interlaced (copy, &interlaced)) {
    /* Tell upstream, where it has the choice, that fields are not wanted, or at their own
     * rate only. */
    if (!mapping->to_output && pass_unsupported &&
        !gst_structure_has_field (copy, "interlace-mode"))
      interlaced = every_interlaced_mode ();
    if (!mapping->to_output)
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
      .options = options,
  };
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    mapping.features = gst_caps_get_features (caps, i);
    add_structure (&mapping, gst_caps_get_structure (caps, i));
  }
  if (filter) {
    GstCaps *limited =
        gst_caps_intersect_full (filter, mapping.result, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (mapping.result);
    return limited;
  }
  return mapping.result;
}

static gboolean
is_single_rate (const GValue *rate)
{
  if (rate == NULL)
    return FALSE;
  if (!GST_VALUE_HOLDS_LIST (rate))
    return GST_VALUE_HOLDS_FRACTION (rate);
  for (guint i = 0; i < gst_value_list_get_size (rate); i++) {
    if (!GST_VALUE_HOLDS_FRACTION (gst_value_list_get_value (rate, i)))
      return FALSE;
  }
  return TRUE;
}

gboolean
gst_vfi_caps_rate_is_fixed (const GstCaps *caps)
{
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *structure = gst_caps_get_structure (caps, i);
    if (!is_single_rate (gst_structure_get_value (structure, "framerate")))
      return FALSE;
  }
  return gst_caps_get_size (caps) > 0;
}

/* Whether @rate allows a variable one. */
static gboolean
may_be_variable (const GValue *rate)
{
  GValue variable = G_VALUE_INIT;
  g_value_init (&variable, GST_TYPE_FRACTION);
  gst_value_set_fraction (&variable, 0, 1);
  gboolean possible = gst_value_intersect (NULL, rate, &variable);
  g_value_unset (&variable);
  return possible;
}

/* The output rate that is wanted of the input @from where @possible are allowed. */
static void
wanted_rate (const GstStructure *from, const GValue *possible,
    const GstVfiCapsOptions *options, gint *num, gint *den)
{
  gboolean interpolated = !has_packed_views (from) && !is_interlaced (from);
  gint factor = interpolated ? (gint) preferred_multiplier (options) : 1;
  gboolean constant =
      gst_structure_get_fraction (from, "framerate", num, den) && *num > 0;
  gboolean per_pair = interpolated && options->largest_of_pairs > 0;
  if ((!constant || per_pair) && may_be_variable (possible)) {
    *num = 0;
    *den = 1;
    return;
  }
  if (!constant && !gst_structure_get_fraction (from, "max-framerate", num, den)) {
    *num = ASSUMED_RATE;
    *den = 1;
  }
  gint in_num = *num, in_den = *den;
  if (!gst_util_fraction_multiply (in_num, in_den, factor, 1, num, den)) {
    *num = in_num;
    *den = in_den;
  }
}

GstCaps *
gst_vfi_caps_fixate (
    const GstCaps *in, GstCaps *candidates, const GstVfiCapsOptions *options)
{
  candidates = gst_caps_make_writable (gst_caps_truncate (candidates));
  GstStructure *to = gst_caps_get_structure (candidates, 0);
  const GValue *possible = gst_structure_get_value (to, "framerate");
  if (possible) {
    gint num, den;
    wanted_rate (gst_caps_get_structure (in, 0), possible, options, &num, &den);
    gst_structure_fixate_field_nearest_fraction (to, "framerate", num, den);
  }
  return gst_caps_fixate (candidates);
}
