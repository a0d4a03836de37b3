/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attachments go behind everything else; the list of what lies where, which the muxer
 * writes with long numbers, is written again with short ones, and has room for them
 * then. */
#include <errno.h>
#include <gst/gst.h>
#include <string.h>

#include "media/ebml.h"
#include "media/error.h"
#include "media/matroska.h"

enum {
    SEEK_HEAD = 0x114D9B74,
    SEEK = 0x4DBB,
    SEEK_ID = 0x53AB,
    SEEK_POSITION = 0x53AC,
    SEEK_BYTES = 21, /* an entry with an id of four bytes and a position of eight */
};

static void put(GByteArray *out, const void *bytes, gsize size)
{
    g_byte_array_append(out, bytes, (guint)size);
}

/* The head of an element, with a size of eight bytes. */
static void put_head(GByteArray *out, guint32 id, guint64 size)
{
    guint8 bytes[12];
    gsize length = id > 0xFFFFFF ? 4 : 2;
    GST_WRITE_UINT32_BE(bytes, id << (8 * (4 - length)));
    GST_WRITE_UINT64_BE(bytes + length, size | G_GUINT64_CONSTANT(1) << 56);
    put(out, bytes, length + 8);
}

static void put_bytes(GByteArray *out, guint32 id, const void *bytes, gsize size)
{
    put_head(out, id, size);
    put(out, bytes, size);
}

static gboolean put_file(GByteArray *out, const MatroskaFile *file, guint64 number)
{
    GstMapInfo map;
    guint8 uid[8];
    g_autoptr(GByteArray) inner = g_byte_array_new();
    if (!gst_buffer_map(file->bytes, &map, GST_MAP_READ))
        return FALSE;
    GST_WRITE_UINT64_BE(uid, number);
    put_bytes(inner, 0x466E, file->name, strlen(file->name));
    put_bytes(inner, 0x4660, file->type, strlen(file->type));
    put_bytes(inner, 0x46AE, uid, sizeof uid);
    put_bytes(inner, 0x465C, map.data, map.size);
    gst_buffer_unmap(file->bytes, &map);
    put_bytes(out, 0x61A7, inner->data, inner->len);
    return TRUE;
}

static void put_seek(GByteArray *out, guint32 id, guint64 position)
{
    guint8 bytes[SEEK_BYTES] = {0x4D, 0xBB, 0x92, 0x53, 0xAB, 0x84, 0,
                                0,    0,    0,    0x53, 0xAC, 0x88};
    GST_WRITE_UINT32_BE(bytes + 6, id);
    GST_WRITE_UINT64_BE(bytes + 13, position);
    put(out, bytes, sizeof bytes);
}

/* Rewrites the list, which keeps its @size; FALSE if there is no room. */
static gboolean add_seek(guint8 *bytes, gsize size, guint64 position)
{
    Ebml seek, id, where;
    g_autoptr(GByteArray) out = g_byte_array_new();
    for (gsize at = 0; ebml_at(bytes, size, at, &seek); at = seek.end)
        if (seek.id == SEEK && ebml_find(bytes, &seek, SEEK_ID, &id) &&
            ebml_find(bytes, &seek, SEEK_POSITION, &where))
            put_seek(out, (guint32)ebml_number(bytes, &id), ebml_number(bytes, &where));
    put_seek(out, MATROSKA_ATTACHMENTS, position);
    if (out->len != size && (out->len + 2 > size || size - out->len > 128))
        return FALSE;
    memcpy(bytes, out->data, out->len);
    if (out->len < size)
        ebml_write_void(bytes + out->len, size - out->len);
    return TRUE;
}

static gboolean write_at(FILE *file, guint64 position, const void *bytes, gsize size)
{
    return fseeko(file, (off_t)position, SEEK_SET) == 0 &&
           fwrite(bytes, 1, size, file) == size;
}

/* The segment's first element is the list, whose head has 12 bytes, as its own has. */
static gboolean attach(FILE *file, GByteArray *attachments)
{
    gsize size = 0;
    guint64 list = 0;
    guint8 head[12];
    g_autofree guint8 *seeks =
        ebml_next_in_segment(file, SEEK_HEAD, 1 << 16, &size, &list);
    if (seeks == NULL || list < 24 || fseeko(file, 0, SEEK_END) != 0)
        return FALSE;
    guint64 end = (guint64)ftello(file), segment = list - 12;
    if (!add_seek(seeks, size, end - segment) || !write_at(file, list, seeks, size) ||
        fseeko(file, (off_t)(segment - 12), SEEK_SET) != 0 ||
        fread(head, 1, sizeof head, file) != sizeof head ||
        GST_READ_UINT32_BE(head) != 0x18538067 || head[4] != 1)
        return FALSE;
    GST_WRITE_UINT64_BE(head + 4,
                        (end + attachments->len - segment) | G_GUINT64_CONSTANT(1) << 56);
    return write_at(file, segment - 12, head, sizeof head) &&
           write_at(file, end, attachments->data, attachments->len);
}

gboolean matroska_attach(const char *path, const MatroskaFile *files, guint count,
                         GError **error)
{
    g_autoptr(GByteArray) inner = g_byte_array_new();
    g_autoptr(GByteArray) attachments = g_byte_array_new();
    errno = 0; /* not all that fails sets it */
    gboolean done = TRUE;
    for (guint i = 0; i < count; i++)
        done = done && put_file(inner, &files[i], i + 1);
    put_bytes(attachments, MATROSKA_ATTACHMENTS, inner->data, inner->len);
    FILE *file = done ? fopen(path, "r+be") : NULL;
    done = file != NULL && attach(file, attachments);
    if ((file == NULL || fclose(file) == 0) && done)
        return TRUE;
    g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_WRITE,
                "%s: attachments cannot be added: %s", path,
                errno != 0 ? g_strerror(errno) : "the file is not as it was written");
    return FALSE;
}
