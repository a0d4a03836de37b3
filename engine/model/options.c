/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/options.h"

#include <string.h>

#include <vfi/error.h>

/* "ensemble (boolean, default false), …" for error messages. */
static char *list_options(const VfiModelFamily *family)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < family->n_options; i++) {
        const VfiOptionSpec *spec = &family->options[i];
        g_string_append_printf(text, "%s%s (", i == 0 ? "" : ", ", spec->name);
        if (strcmp(spec->type, "s") == 0) {
            g_string_append_printf(text, "%s, default the first)", spec->default_value);
            continue;
        }
        if (strcmp(spec->type, "b") == 0)
            g_string_append(text, "boolean");
        else
            g_string_append_printf(text, "%g to %g", spec->minimum, spec->maximum);
        g_string_append_printf(text, ", default %s)", spec->default_value);
    }
    if (family->n_options == 0)
        g_string_append(text, "none");
    return g_string_free(text, FALSE);
}

static const VfiOptionSpec *find_spec(const VfiModelFamily *family, const char *name)
{
    for (size_t i = 0; i < family->n_options; i++)
        if (strcmp(family->options[i].name, name) == 0)
            return &family->options[i];
    return NULL;
}

/* @value as a number if it is one of the numeric types. */
static bool number_of(GVariant *value, double *number)
{
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_INT32:
        *number = g_variant_get_int32(value);
        return true;
    case G_VARIANT_CLASS_UINT32:
        *number = g_variant_get_uint32(value);
        return true;
    case G_VARIANT_CLASS_INT64:
        *number = (double)g_variant_get_int64(value);
        return true;
    case G_VARIANT_CLASS_UINT64:
        *number = (double)g_variant_get_uint64(value);
        return true;
    case G_VARIANT_CLASS_DOUBLE:
        *number = g_variant_get_double(value);
        return true;
    default:
        return false;
    }
}

static bool is_choice(const VfiOptionSpec *spec, const char *value)
{
    g_auto(GStrv) choices = g_strsplit(spec->default_value, "|", -1);

    return g_strv_contains((const char *const *)choices, value);
}

/* @value in the type and range of @spec as a new floating GVariant, or NULL. Numbers
 * convert between types as long as the value stays the same. */
static GVariant *coerce(const VfiOptionSpec *spec, GVariant *value)
{
    double number;

    if (strcmp(spec->type, "s") == 0)
        return g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) &&
                       is_choice(spec, g_variant_get_string(value, NULL))
                   ? g_variant_new_string(g_variant_get_string(value, NULL))
                   : NULL;
    if (strcmp(spec->type, "b") == 0 &&
        g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return g_variant_new_boolean(g_variant_get_boolean(value));
    if (!number_of(value, &number) ||
        !(number >= spec->minimum && number <= spec->maximum))
        return NULL;
    if (strcmp(spec->type, "u") == 0)
        return number == (double)(guint32)number ? g_variant_new_uint32((guint32)number)
                                                 : NULL;
    return strcmp(spec->type, "d") == 0 ? g_variant_new_double(number) : NULL;
}

static GVariant *default_value(const VfiOptionSpec *spec)
{
    g_auto(GStrv) choices = NULL;

    if (strcmp(spec->type, "s") != 0)
        return g_variant_parse(G_VARIANT_TYPE(spec->type), spec->default_value, NULL,
                               NULL, NULL);
    choices = g_strsplit(spec->default_value, "|", -1);
    return g_variant_ref_sink(g_variant_new_string(choices[0]));
}

static GHashTable *default_options(const VfiModelFamily *family)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                               (GDestroyNotify)g_variant_unref);

    for (size_t i = 0; i < family->n_options; i++) {
        const VfiOptionSpec *spec = &family->options[i];
        GVariant *value = default_value(spec);
        g_hash_table_insert(values, (char *)spec->name, value);
    }
    return values;
}

GHashTable *vfi_options_resolve(const VfiModelFamily *family, GVariant *options,
                                GError **error)
{
    g_autoptr(GHashTable) values = default_options(family);
    GVariantIter iter;
    const char *name;
    GVariant *value;

    if (options == NULL)
        return g_steal_pointer(&values);
    if (!g_variant_is_of_type(options, G_VARIANT_TYPE_VARDICT)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "model options must be a dictionary a{sv}, found %s",
                    g_variant_get_type_string(options));
        return NULL;
    }
    g_variant_iter_init(&iter, options);
    while (g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
        g_autoptr(GVariant) given = value;
        const VfiOptionSpec *spec = find_spec(family, name);
        GVariant *coerced = spec == NULL ? NULL : coerce(spec, given);

        if (coerced == NULL) {
            g_autofree char *valid = list_options(family);
            g_autofree char *printed = g_variant_print(given, FALSE);
            g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                        "model option %s=%s %s; options of %s: %s", name, printed,
                        spec == NULL ? "does not exist"
                                     : "is out of range or of a wrong type",
                        family->name, valid);
            return NULL;
        }
        g_hash_table_insert(values, (char *)spec->name, g_variant_ref_sink(coerced));
    }
    return g_steal_pointer(&values);
}
