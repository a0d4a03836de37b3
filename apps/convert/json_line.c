/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/json_line.h"

#include <math.h>

#include "common/json_string.h"

/* File names may be any bytes; JSON is UTF-8. */
static void append_string(GString *line, const char *text)
{
    g_autofree gchar *valid = g_utf8_make_valid(text, -1);
    g_autofree gchar *quoted = json_string(valid);
    g_string_append(line, quoted);
}

static void append_name(GString *line, const char *name)
{
    g_string_append_printf(line, ", \"%s\": ", name);
}

GString *json_begin(const char *type)
{
    GString *line = g_string_new("{\"type\": ");
    append_string(line, type);
    return line;
}

void json_text(GString *line, const char *name, const char *value)
{
    if (value == NULL)
        return;
    append_name(line, name);
    append_string(line, value);
}

void json_number(GString *line, const char *name, double value)
{
    if (!isfinite(value))
        return;
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    append_name(line, name);
    g_string_append(line, g_ascii_formatd(text, sizeof text, "%.6g", value));
}

void json_count(GString *line, const char *name, guint64 value)
{
    append_name(line, name);
    g_string_append_printf(line, "%" G_GUINT64_FORMAT, value);
}

gchar *json_end(GString *line)
{
    g_string_append(line, "}\n");
    return g_string_free(line, FALSE);
}
