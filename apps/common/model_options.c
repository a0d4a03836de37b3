/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/model_options.h"

#include <string.h>

#include <vfi/error.h>

/* A boolean or a number if it looks like one. */
static GVariant *parse_value(const char *text)
{
    char *end;
    double number = g_ascii_strtod(text, &end);
    guint64 whole;

    if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &whole, NULL))
        return g_variant_new_uint64(whole);

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return g_variant_new_boolean(text[0] == 't');
    return text[0] != '\0' && *end == '\0' ? g_variant_new_double(number)
                                           : g_variant_new_string(text);
}

GVariant *model_options_parse(const char *text, GError **error)
{
    g_auto(GStrv) assignments = g_strsplit(text, ",", -1);
    g_autoptr(GVariantBuilder) builder = g_variant_builder_new(G_VARIANT_TYPE_VARDICT);

    for (size_t i = 0; assignments[i] != NULL; i++) {
        char *equals = strchr(assignments[i], '=');

        if (equals == NULL || equals == assignments[i]) {
            g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                        "options \"%s\": expected NAME=VALUE, separated by commas", text);
            return NULL;
        }
        *equals = '\0';
        g_variant_builder_add(builder, "{sv}", assignments[i], parse_value(equals + 1));
    }
    return g_variant_builder_end(builder);
}
