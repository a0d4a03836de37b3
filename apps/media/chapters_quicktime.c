/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/box.h"
#include "media/chapters.h"

/* Their clock counts tenths of a microsecond. */
#define TICK (100 * GST_NSECOND)

static void add(GPtrArray *chapters, guint64 start, const guint8 *title, gsize size)
{
    MediaChapter *chapter = g_new0(MediaChapter, 1);
    chapter->start = start * TICK;
    chapter->end = GST_CLOCK_TIME_NONE;
    if (size > 0)
        chapter->title = g_utf8_make_valid((const gchar *)title, (gssize)size);
    if (chapters->len > 0) {
        MediaChapter *last =
            (MediaChapter *)g_ptr_array_index(chapters, chapters->len - 1);
        last->end = chapter->start;
    }
    g_ptr_array_add(chapters, chapter);
}

/* Version and flags, in version 1 four bytes more, how many follow; each a time and a
 * text. */
static void read_list(Box list, GPtrArray *chapters)
{
    gsize at = list.size > 0 && list.bytes[0] == 0 ? 4 : 8;
    if (at >= list.size)
        return;
    guint count = list.bytes[at++];
    while (count-- > 0 && at + 9 <= list.size) {
        guint64 start = GST_READ_UINT64_BE(list.bytes + at);
        gsize size = list.bytes[at + 8];
        at += 9;
        if (size > list.size - at || start > G_MAXINT64 / TICK)
            return;
        add(chapters, start, list.bytes + at, size);
        at += size;
    }
}

GPtrArray *chapters_of_quicktime(const char *path)
{
    GPtrArray *chapters = chapters_of_toc(NULL);
    FILE *file = fopen(path, "rbe");
    Box moov = {NULL, 0}, user, list;
    guint64 position = 0;
    if (file == NULL)
        return chapters;
    if (box_read_moov(file, &moov, &position) && box_find(moov, "udta", 0, &user) &&
        box_find(user, "chpl", 0, &list))
        read_list(list, chapters);
    g_free(moov.bytes);
    fclose(file);
    return chapters;
}
