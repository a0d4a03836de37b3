/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/text.h"

#include <string.h>

static gboolean is_subrip_tag(const gchar *tag, gsize size)
{
    static const char *const tags[] = {"<i>", "</i>", "<b>", "</b>", "<u>", "</u>"};
    for (gsize i = 0; i < G_N_ELEMENTS(tags); i++)
        if (strlen(tags[i]) == size && g_ascii_strncasecmp(tag, tags[i], size) == 0)
            return TRUE;
    return FALSE;
}

/* Appends what the entity at @text stands for; returns its length, or 0 if it is none. */
static gsize add_entity(GString *out, const gchar *text, gsize size)
{
    static const struct {
        const char *name;
        gchar character;
    } entities[] = {
        {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&apos;", '\''}, {"&quot;", '"'}};
    for (gsize i = 0; i < G_N_ELEMENTS(entities); i++) {
        gsize length = strlen(entities[i].name);
        if (length <= size && strncmp(text, entities[i].name, length) == 0) {
            g_string_append_c(out, entities[i].character);
            return length;
        }
    }
    if (size < 4 || text[1] != '#')
        return 0;
    gboolean hexadecimal = text[2] == 'x';
    gchar *end = NULL;
    g_autofree gchar *digits = g_strndup(text + (hexadecimal ? 3 : 2), MIN(size - 3, 10));
    guint64 value = g_ascii_strtoull(digits, &end, hexadecimal ? 16 : 10);
    if (end == digits || *end != ';' || value > 0x10FFFF ||
        !g_unichar_validate((gunichar)value))
        return 0;
    g_string_append_unichar(out, (gunichar)value);
    return (gsize)(end - digits) + (hexadecimal ? 4 : 3);
}

static gchar *convert_markup(const gchar *markup, gsize size, gboolean tags_stay)
{
    GString *out = g_string_sized_new(size);
    gsize at = 0;
    while (at < size && markup[at] != '\0') {
        const gchar *close =
            markup[at] == '<' ? memchr(markup + at, '>', size - at) : NULL;
        gsize used = markup[at] == '&' ? add_entity(out, markup + at, size - at) : 0;
        if (close != NULL) {
            used = (gsize)(close - (markup + at)) + 1;
            if (tags_stay && is_subrip_tag(markup + at, used))
                g_string_append_len(out, markup + at, (gssize)used);
        }
        if (used == 0)
            g_string_append_c(out, markup[at]);
        at += MAX(used, 1);
    }
    return g_string_free(out, FALSE);
}

gchar *text_markup_to_subrip(const gchar *markup, gsize size)
{
    return convert_markup(markup, size, TRUE);
}

gchar *text_markup_to_plain(const gchar *markup, gsize size)
{
    return convert_markup(markup, size, FALSE);
}

gchar *text_ass_to_plain(const gchar *line, gsize size)
{
    GString *out = g_string_sized_new(size);
    gsize at = 0;
    for (int commas = 0; commas < 8 && at < size; at++)
        commas += line[at] == ',';
    while (at < size && line[at] != '\0') {
        const gchar *close = line[at] == '{' ? memchr(line + at, '}', size - at) : NULL;
        gchar escaped = line[at] == '\\' && at + 1 < size ? line[at + 1] : '\0';
        if (close != NULL) {
            at = (gsize)(close - line) + 1;
        } else if (escaped == 'N' || escaped == 'n' || escaped == 'h') {
            g_string_append_c(out, escaped == 'h' ? ' ' : '\n');
            at += 2;
        } else {
            g_string_append_c(out, line[at++]);
        }
    }
    return g_string_free(out, FALSE);
}
