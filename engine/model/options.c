/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/options.h"

#include <string.h>

#include <vfi/error.h>

/* The range of a number as errors name it: 2^64 - 1 is not a double. */
static char *range_of(const VfiOptionSpec *spec)
{
    return spec->maximum >= 0x1p64
               ? g_strdup_printf("%g to 2^64 - 1", spec->minimum)
               : g_strdup_printf("%.12g to %.12g", spec->minimum, spec->maximum);
}

/* "ensemble (boolean, default false), …" for error messages. */
static char *list_options(const VfiModelFamily *family)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < family->n_options; i++) {
        const VfiOptionSpec *spec = &family->options[i];
        g_autofree char *range = range_of(spec);
        g_string_append_printf(text, "%s%s (", i == 0 ? "" : ", ", spec->name);
        if (strcmp(spec->type, "s") == 0)
            g_string_append_printf(text, "%s, default the first)", spec->default_value);
        else
            g_string_append_printf(text, "%s, default %s)",
                                   strcmp(spec->type, "b") == 0 ? "boolean" : range,
                                   spec->default_value);
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

/* The same as a whole number of 64 bits, if it is exactly one. Doubles are believed up to
 * 2^53: beyond that they may have been another number when they were written. */
static bool whole_number_of(GVariant *value, uint64_t *number)
{
    double as_double;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64)) {
        *number = g_variant_get_uint64(value);
        return true;
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_INT64)) {
        *number = (uint64_t)g_variant_get_int64(value);
        return g_variant_get_int64(value) >= 0;
    }
    if (!number_of(value, &as_double) || !(as_double >= 0.0 && as_double <= 0x1p53))
        return false;
    *number = (uint64_t)as_double;
    return as_double == (double)*number;
}

static bool is_choice(const VfiOptionSpec *spec, const char *value)
{
    g_auto(GStrv) choices = g_strsplit(spec->default_value, "|", -1);

    return g_strv_contains((const char *const *)choices, value);
}

/* @value in the type of @spec as a new floating GVariant, or NULL. Numbers convert
 * between types as long as the value stays the same. */
static GVariant *coerce(const VfiOptionSpec *spec, GVariant *value)
{
    uint64_t whole;
    double number;

    switch (spec->type[0]) {
    case 's':
        return g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) &&
                       is_choice(spec, g_variant_get_string(value, NULL))
                   ? g_variant_new_string(g_variant_get_string(value, NULL))
                   : NULL;
    case 'b':
        return g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)
                   ? g_variant_new_boolean(g_variant_get_boolean(value))
                   : NULL;
    case 'u':
        return whole_number_of(value, &whole) && whole <= UINT32_MAX
                   ? g_variant_new_uint32((guint32)whole)
                   : NULL;
    case 't':
        return whole_number_of(value, &whole) ? g_variant_new_uint64(whole) : NULL;
    default:
        return number_of(value, &number) ? g_variant_new_double(number) : NULL;
    }
}

/* What would have been a value of @spec; g_free(). */
static char *expectation(const VfiOptionSpec *spec)
{
    g_autofree char *range = range_of(spec);

    switch (spec->type[0]) {
    case 's':
        return g_strdup_printf("one of %s", spec->default_value);
    case 'b':
        return g_strdup("true or false");
    case 'd':
        return g_strdup_printf("a number from %s", range);
    default:
        return g_strdup_printf("a whole number from %s", range);
    }
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

static void fail(const VfiModelFamily *family, const VfiOptionSpec *spec,
                 const char *name, GVariant *given, GError **error)
{
    g_autofree char *valid = list_options(family);
    g_autofree char *printed = g_variant_print(given, FALSE);
    g_autofree char *expected = spec == NULL ? NULL : expectation(spec);
    double number;

    if (spec == NULL)
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "model option %s=%s does not exist; options of %s: %s", name, printed,
                    family->name, valid);
    else
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "model option %s=%s %s: expected %s; options of %s: %s", name,
                    printed,
                    strchr("sb", spec->type[0]) == NULL && number_of(given, &number)
                        ? "is out of range"
                        : "is of a wrong type or none of its values",
                    expected, family->name, valid);
}

/* Puts the values of @options over those in @values. */
static bool take_values(const VfiModelFamily *family, GVariant *options,
                        GHashTable *values, GError **error)
{
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_iter_init(&iter, options);
    while (g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
        g_autoptr(GVariant) given = value;
        const VfiOptionSpec *spec = find_spec(family, name);
        GVariant *coerced = spec == NULL ? NULL : coerce(spec, given);

        if (coerced == NULL) {
            fail(family, spec, name, given, error);
            return false;
        }
        g_hash_table_insert(values, (char *)spec->name, g_variant_ref_sink(coerced));
    }
    return true;
}

static bool check_ranges(const VfiModelFamily *family, GHashTable *values, GError **error)
{
    for (size_t i = 0; i < family->n_options; i++) {
        const VfiOptionSpec *spec = &family->options[i];
        GVariant *value = g_hash_table_lookup(values, spec->name);
        double number;

        if (number_of(value, &number) &&
            !(number >= spec->minimum && number <= spec->maximum)) {
            fail(family, spec, spec->name, value, error);
            return false;
        }
    }
    return true;
}

GHashTable *vfi_options_resolve(const VfiModelFamily *family, int variant,
                                GVariant *options, GError **error)
{
    g_autoptr(GHashTable) values = default_options(family);
    const VfiModelSetup setup = {.variant = variant, .options = values};

    if (options == NULL)
        return g_steal_pointer(&values);
    if (!g_variant_is_of_type(options, G_VARIANT_TYPE_VARDICT)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "model options must be a dictionary a{sv}, found %s",
                    g_variant_get_type_string(options));
        return NULL;
    }
    if (!take_values(family, options, values, error) ||
        (family->check != NULL && !family->check(&setup, error)) ||
        !check_ranges(family, values, error))
        return NULL;
    return g_steal_pointer(&values);
}
