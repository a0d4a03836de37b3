/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/printable.h"

#include <string.h>

/* Whether @c shows as something on the line that it stands in. */
static gboolean is_visible(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);

    return g_unichar_isprint(c) && type != G_UNICODE_LINE_SEPARATOR &&
           type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

static size_t escape(gunichar c, char out[VFI_PRINTABLE_MAX])
{
    static const char named[] = "\n\r\t", names[] = "nrt";
    const char *at = c != 0 && c < 0x80 ? strchr(named, (int)c) : NULL;

    if (at != NULL)
        return (size_t)g_snprintf(out, VFI_PRINTABLE_MAX, "\\%c", names[at - named]);
    if (c < 0x80)
        return (size_t)g_snprintf(out, VFI_PRINTABLE_MAX, "\\x%02x", c);
    return (size_t)g_snprintf(out, VFI_PRINTABLE_MAX, c < 0x10000 ? "\\u%04x" : "\\U%08x",
                              c);
}

size_t vfi_printable_character(const uint8_t *bytes, size_t size, size_t *taken,
                               char out[VFI_PRINTABLE_MAX])
{
    const char *text = (const char *)bytes;
    gunichar c = bytes[0];

    *taken = 1;
    if (c >= 0x80) {
        c = g_utf8_get_char_validated(text, (gssize)MIN(size, 8));
        if (c >= (gunichar)-2) /* not UTF-8, or the end of the bytes cuts it */
            return (size_t)g_snprintf(out, VFI_PRINTABLE_MAX, "\\x%02x", bytes[0]);
        *taken = (size_t)(g_utf8_next_char(text) - text);
    }
    if (!is_visible(c))
        return escape(c, out);
    memcpy(out, bytes, *taken);
    return *taken;
}

char *vfi_printable(const char *text)
{
    GString *shown = g_string_new(NULL);
    size_t left = text == NULL ? 0 : strlen(text), taken;

    for (; left > 0; left -= taken, text += taken) {
        char out[VFI_PRINTABLE_MAX];
        size_t length = vfi_printable_character((const uint8_t *)text, left, &taken, out);
        g_string_append_len(shown, out, (gssize)length);
    }
    return g_string_free(shown, FALSE);
}

char *vfi_printable_bytes(uint64_t bytes)
{
    return bytes < UINT64_C(1) << 20
               ? g_strdup_printf("%" G_GUINT64_FORMAT " bytes", bytes)
               : g_strdup_printf("%.1f MiB", (double)bytes / 0x1p20);
}
