/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens models: options from GstStructure to GVariant, failures to element errors. */
#include "element/open_model.h"

static GVariant *
value_to_variant (const GValue *value)
{
  switch (G_VALUE_TYPE (value)) {
    case G_TYPE_BOOLEAN:
      return g_variant_new_boolean (g_value_get_boolean (value));
    case G_TYPE_UINT:
      return g_variant_new_uint32 (g_value_get_uint (value));
    case G_TYPE_INT:
      /* launch lines make every plain number an int */
      return g_variant_new_int32 (g_value_get_int (value));
    case G_TYPE_UINT64:
      return g_variant_new_uint64 (g_value_get_uint64 (value));
    case G_TYPE_INT64:
      return g_variant_new_int64 (g_value_get_int64 (value));
    case G_TYPE_FLOAT:
      return g_variant_new_double (g_value_get_float (value));
    case G_TYPE_DOUBLE:
      return g_variant_new_double (g_value_get_double (value));
    case G_TYPE_STRING:
      return g_variant_new_string (
          g_value_get_string (value) != NULL ? g_value_get_string (value) : "");
    default:
      return NULL;
  }
}

/* a{sv} of @options; NULL, with the name of the field, if the engine has no options of a
 * field's type. */
static GVariant *
options_to_variant (const GstStructure *options, const char **bad_field)
{
  g_autoptr (GVariantBuilder) builder = g_variant_builder_new (G_VARIANT_TYPE_VARDICT);
  gint n_fields = gst_structure_n_fields (options);

  *bad_field = NULL;
  for (gint i = 0; i < n_fields; i++) {
    const char *name = gst_structure_nth_field_name (options, (guint) i);
    GVariant *variant = value_to_variant (gst_structure_get_value (options, name));
    if (variant == NULL) {
      *bad_field = name;
      return NULL;
    }
    g_variant_builder_add (builder, "{sv}", name, variant);
  }
  return g_variant_builder_end (builder);
}

static void
post_model_error (GstElement *element, const GError *error)
{
  if (g_error_matches (error, VFI_ERROR, VFI_ERROR_NOT_FOUND))
    GST_ELEMENT_ERROR (element, RESOURCE, NOT_FOUND, ("%s", error->message), (NULL));
  else if (g_error_matches (error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT))
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
  else if (g_error_matches (error, VFI_ERROR, VFI_ERROR_NO_MEMORY))
    GST_ELEMENT_ERROR (element, RESOURCE, NO_SPACE_LEFT, ("%s", error->message), (NULL));
  else
    GST_ELEMENT_ERROR (element, RESOURCE, OPEN_READ, ("%s", error->message), (NULL));
}

/* gst-launch-1.0 shows nothing but the details of such messages. */
static void
post_note (GstElement *element, const char *note)
{
  GST_ELEMENT_INFO (element, LIBRARY, SETTINGS, ("%s.", note), ("%s.", note));
}

VfiModel *
gst_vfi_model_load (GstElement *element, const char *name, const GstStructure *options,
    const VfiModelCacheConfig *config)
{
  g_autoptr (GError) error = NULL;
  GVariant *variant = NULL;
  const char *bad_field = NULL;
  VfiModel *model;

  if (options != NULL) {
    variant = options_to_variant (options, &bad_field);
    if (variant == NULL) {
      GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
          ("model-options: \"%s\" must be a boolean, a number or a string, found %s.",
              bad_field, g_type_name (gst_structure_get_field_type (options, bad_field))),
          (NULL));
      return NULL;
    }
  }
  model = vfi_model_cache_open (name, variant, config, &error);
  if (model == NULL)
    post_model_error (element, error);
  else if (vfi_model_info (model)->note != NULL)
    post_note (element, vfi_model_info (model)->note);
  return model;
}
