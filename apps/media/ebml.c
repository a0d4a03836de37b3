/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/ebml.h"

#include <string.h>

enum { SEGMENT = 0x18538067 };

/* Reads a number whose length its first byte says, which stays in it if @marked. Returns
 * its length, 0 if there is none. */
static gsize number_at(const guint8 *bytes, gsize size, gboolean marked, guint64 *value)
{
    gsize length = 1;
    if (size == 0 || bytes[0] == 0)
        return 0;
    while ((bytes[0] & (0x80u >> (length - 1))) == 0)
        length++;
    if (length > size)
        return 0;
    *value = marked ? bytes[0] : bytes[0] & (0xFFu >> length);
    for (gsize i = 1; i < length; i++)
        *value = *value << 8 | bytes[i];
    return length;
}

static gboolean is_unknown(guint64 value, gsize length)
{
    return value == (G_GUINT64_CONSTANT(1) << (7 * length)) - 1;
}

gboolean ebml_at(const guint8 *bytes, gsize size, gsize at, Ebml *element)
{
    guint64 id = 0, length = 0;
    if (at >= size)
        return FALSE;
    gsize first = number_at(bytes + at, size - at, TRUE, &id);
    if (first == 0 || first > 4)
        return FALSE;
    gsize second = number_at(bytes + at + first, size - at - first, FALSE, &length);
    if (second == 0 || length > size - at - first - second)
        return FALSE;
    element->id = (guint32)id;
    element->start = at;
    element->contents = at + first + second;
    element->end = element->contents + (gsize)length;
    return TRUE;
}

gboolean ebml_find(const guint8 *bytes, const Ebml *parent, guint32 id, Ebml *child)
{
    for (gsize at = parent->contents; ebml_at(bytes, parent->end, at, child);
         at = child->end)
        if (child->id == id)
            return TRUE;
    return FALSE;
}

guint64 ebml_number(const guint8 *bytes, const Ebml *element)
{
    guint64 value = 0;
    if (element->end - element->contents > 8)
        return 0;
    for (gsize i = element->contents; i < element->end; i++)
        value = value << 8 | bytes[i];
    return value;
}

void ebml_write_void(guint8 *bytes, gsize size)
{
    memset(bytes, 0, size);
    bytes[0] = 0xEC;
    if (size <= 128) {
        bytes[1] = (guint8)(0x80 | (size - 2));
        return;
    }
    bytes[1] = 0x01;
    for (gsize i = 0; i < 7; i++)
        bytes[8 - i] = (guint8)((size - 9) >> (8 * i));
}

/* Reads the head of the element at which @file stands. */
static gboolean read_head(FILE *file, guint64 *id, guint64 *size, gboolean *unknown)
{
    guint8 bytes[12];
    off_t start = ftello(file);
    gsize got = fread(bytes, 1, sizeof bytes, file);
    gsize first = number_at(bytes, got, TRUE, id);
    gsize second = first > 0 ? number_at(bytes + first, got - first, FALSE, size) : 0;
    if (second == 0)
        return FALSE;
    *unknown = is_unknown(*size, second);
    return fseeko(file, start + (off_t)(first + second), SEEK_SET) == 0;
}

guint8 *ebml_next_in_segment(FILE *file, guint32 id, gsize limit, gsize *size,
                             guint64 *position)
{
    guint64 found = 0, length = 0;
    gboolean unknown = FALSE;
    while (read_head(file, &found, &length, &unknown)) {
        if (found == SEGMENT)
            continue;
        if (unknown || length > G_MAXINT64 / 2)
            return NULL;
        if (found != id) {
            if (fseeko(file, (off_t)length, SEEK_CUR) != 0)
                return NULL;
            continue;
        }
        guint8 *bytes = length <= limit ? g_try_malloc((gsize)length) : NULL;
        *position = (guint64)ftello(file);
        *size = (gsize)length;
        if (bytes == NULL || fread(bytes, 1, *size, file) != *size)
            g_clear_pointer(&bytes, g_free);
        return bytes;
    }
    return NULL;
}
