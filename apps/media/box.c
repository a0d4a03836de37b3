/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/box.h"

#include <gst/gst.h>
#include <string.h>

/* Headers grow with the number of packets; ours are far smaller. */
#define LARGEST (G_GUINT64_CONSTANT(1) << 30)

gboolean box_find(Box parent, const char *type, guint index, Box *box)
{
    gsize at = 0;
    while (at + 8 <= parent.size) {
        gsize size = GST_READ_UINT32_BE(parent.bytes + at);
        if (size < 8 || size > parent.size - at)
            return FALSE;
        if (memcmp(parent.bytes + at + 4, type, 4) == 0 && index-- == 0) {
            box->bytes = parent.bytes + at + 8;
            box->size = size - 8;
            return TRUE;
        }
        at += size;
    }
    return FALSE;
}

/* Goes to the inside of the file's moov. */
static gboolean seek_moov(FILE *file, guint64 *size)
{
    guint8 header[16];
    while (fread(header, 1, 8, file) == 8) {
        guint64 length = 8;
        *size = GST_READ_UINT32_BE(header);
        if (*size == 1) {
            if (fread(header + 8, 1, 8, file) != 8)
                return FALSE;
            *size = GST_READ_UINT64_BE(header + 8);
            length = 16;
        }
        if (*size < length || *size > G_MAXINT64)
            return FALSE;
        *size -= length;
        if (memcmp(header + 4, "moov", 4) == 0)
            return *size < LARGEST;
        if (fseeko(file, (off_t)*size, SEEK_CUR) != 0)
            return FALSE;
    }
    return FALSE;
}

gboolean box_read_moov(FILE *file, Box *moov, guint64 *position)
{
    guint64 size = 0;
    if (!seek_moov(file, &size))
        return FALSE;
    *position = (guint64)ftello(file);
    moov->size = (gsize)size;
    moov->bytes = g_try_malloc(moov->size);
    if (moov->bytes != NULL && fread(moov->bytes, 1, moov->size, file) == moov->size)
        return TRUE;
    g_clear_pointer(&moov->bytes, g_free);
    return FALSE;
}
