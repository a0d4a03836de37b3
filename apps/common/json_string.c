/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/json_string.h"

#include <glib.h>

char *json_string(const char *text)
{
    GString *json = g_string_new("\"");

    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_c(json, '\\');
        if ((guchar)*c < 0x20)
            g_string_append_printf(json, "\\u%04x", (guint)(guchar)*c);
        else
            g_string_append_c(json, *c);
    }
    g_string_append_c(json, '"');
    return g_string_free(json, FALSE);
}
