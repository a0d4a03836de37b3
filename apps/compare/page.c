/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/page.h"

#include <string.h>

#include <gio/gio.h>

#include "page_files.h"
#include "compare/place.h"
#include "compare/report.h"

gboolean page_check(const char *path, GError **error)
{
    /* How page.html.in begins. */
    return place_check(path, "<!DOCTYPE html>\n<!-- vfi-compare -->\n", "page", error);
}

/* Appends @text with what HTML wants escaped. */
static void append_escaped(GString *page, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    g_string_append(page, escaped);
}

/* Nothing ends a script element but "</script", and JSON may have \u003c for "<". */
static void append_data(GString *page, const Comparison *comparison)
{
    g_autofree char *json = report_json(comparison);

    for (const char *c = json; *c != '\0'; c++) {
        if (*c == '<')
            g_string_append(page, "\\u003c");
        else
            g_string_append_c(page, *c);
    }
}

static void append_picture(GString *page, guint shown, const char *which, GBytes *png)
{
    size_t n;
    const guint8 *data = g_bytes_get_data(png, &n);
    g_autofree char *text = g_base64_encode(data, n);

    g_string_append_printf(
        page, "<img id=\"picture-%u-%s\" alt=\"\" src=\"data:image/png;base64,", shown,
        which);
    g_string_append(page, text);
    g_string_append(page, "\">\n");
}

static void append_pictures(GString *page, const Comparison *comparison)
{
    for (guint i = 0; i < comparison->shown->len; i++) {
        const Shown *shown = comparison->shown->pdata[i];

        append_picture(page, i, "first", shown->first);
        append_picture(page, i, "truth", shown->truth);
        append_picture(page, i, "last", shown->last);
        for (guint k = 0; k < shown->made->len; k++) {
            g_autofree char *which = g_strdup_printf("%u", k);

            if (shown->made->pdata[k] != NULL)
                append_picture(page, i, which, shown->made->pdata[k]);
        }
    }
}

static void append_file(GString *page, const char *name)
{
    g_autofree char *path = g_strconcat("/compare/", name, NULL);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(page_files_get_resource(), path,
                                                     G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

    g_string_append_len(page, g_bytes_get_data(bytes, NULL),
                        (gssize)g_bytes_get_size(bytes));
}

/* Appends what stands for @name in page.html.in. */
static void append_part(GString *page, const char *name, const Comparison *comparison)
{
    g_autofree char *clip = g_filename_display_basename(comparison->path);

    if (strcmp(name, "CLIP") == 0)
        append_escaped(page, clip);
    else if (strcmp(name, "STYLE") == 0)
        append_file(page, "page.css");
    else if (strcmp(name, "SCRIPT") == 0)
        append_file(page, "page.js");
    else if (strcmp(name, "DATA") == 0)
        append_data(page, comparison);
    else if (strcmp(name, "PICTURES") == 0)
        append_pictures(page, comparison);
}

gboolean page_write(const Comparison *comparison, const char *path, GError **error)
{
    g_autoptr(GString) frame = g_string_new(NULL);
    g_autoptr(GString) page = g_string_new(NULL);
    g_auto(GStrv) parts = NULL;

    append_file(frame, "page.html.in");
    parts = g_strsplit(frame->str, "@", -1);
    for (size_t i = 0; parts[i] != NULL; i++) {
        if (i % 2 == 0)
            g_string_append(page, parts[i]);
        else
            append_part(page, parts[i], comparison);
    }
    return g_file_set_contents(path, page->str, (gssize)page->len, error);
}
