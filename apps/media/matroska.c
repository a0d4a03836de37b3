/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/matroska.h"

#include <gst/gst.h>
#include <string.h>

#include "media/ebml.h"
#include "media/in_place.h"

enum {
    TRACKS = 0x1654AE6B,
    TRACK_ENTRY = 0xAE,
    TRACK_UID = 0x73C5,
    TRACK_NAME = 0x536E,
    FLAG_FORCED = 0x55AA,
    VIDEO = 0xE0,
    COLOUR = 0x55B0,
    MASTERING = 0x55D0,
    LUMINANCE_MAX = 0x55D9,
    LUMINANCE_MIN = 0x55DA,
    TAGS = 0x1254C367,
    TAG = 0x7373,
    SIMPLE_TAG = 0x67C8,
    TAG_STRING = 0x4487,
};

/* No header of tracks or tags is larger. */
#define LIMIT ((gsize)256 << 20)

/* Room for two flags, in letters that the muxer leaves as they are; it ends strings in
 * 0. */
#define ROOM "vfiroom"
#define ROOM_SIZE (sizeof ROOM - 1)

gchar *matroska_title_with_room(const char *title)
{
    return g_strconcat(title != NULL ? title : "", ROOM, NULL);
}

/* Gives the element at @at of @bytes the @size, in a number as long as that which is
 * there. */
static void set_size(guint8 *bytes, const Ebml *element, gsize id_size, gsize size)
{
    gsize at = element->start + id_size, length = element->contents - at;
    for (gsize i = 0; i < length; i++)
        bytes[at + length - 1 - i] = (guint8)(size >> (8 * i));
    bytes[at] = (guint8)(bytes[at] | (0x80u >> (length - 1)));
}

static gboolean ends_in_room(const guint8 *bytes, const Ebml *element)
{
    return element->end - element->contents > ROOM_SIZE &&
           memcmp(bytes + element->end - sizeof ROOM, ROOM, sizeof ROOM) == 0;
}

static void fix_luminance(guint8 *bytes, const Ebml *mastering, guint32 id, double value)
{
    Ebml field;
    if (ebml_find(bytes, mastering, id, &field) && field.end - field.contents == 8)
        GST_WRITE_DOUBLE_BE(bytes + field.contents, value);
}

static void fix_mastering(guint8 *bytes, const Ebml *entry, const MatroskaTrack *track)
{
    Ebml video, colour, mastering;
    if (track->luminance_max <= 0 || !ebml_find(bytes, entry, VIDEO, &video) ||
        !ebml_find(bytes, &video, COLOUR, &colour) ||
        !ebml_find(bytes, &colour, MASTERING, &mastering))
        return;
    fix_luminance(bytes, &mastering, LUMINANCE_MAX, track->luminance_max);
    fix_luminance(bytes, &mastering, LUMINANCE_MIN, track->luminance_min);
}

/* The name gives its last bytes to the flags; without a title all of it. */
static gboolean fix_track(guint8 *bytes, const Ebml *entry, const MatroskaTrack *track)
{
    Ebml name;
    if (!ebml_find(bytes, entry, TRACK_NAME, &name) || !ends_in_room(bytes, &name))
        return FALSE;
    const guint8 flags[ROOM_SIZE] = {0x88, 0x81, track->is_default != FALSE, 0x55,
                                     0xAA, 0x81, track->is_forced != FALSE};
    gsize title = name.end - sizeof ROOM - name.contents;
    if (title > 0) {
        set_size(bytes, &name, 2, title + 1);
        bytes[name.contents + title] = 0;
        memcpy(bytes + name.end - ROOM_SIZE, flags, ROOM_SIZE);
    } else {
        memcpy(bytes + name.start, flags, ROOM_SIZE);
        ebml_write_void(bytes + name.start + ROOM_SIZE,
                        name.end - name.start - ROOM_SIZE);
    }
    return TRUE;
}

static gboolean fix_tracks(guint8 *bytes, gsize size, const MatroskaTrack *tracks,
                           guint count)
{
    Ebml entry;
    guint fixed = 0;
    for (gsize at = 0; ebml_at(bytes, size, at, &entry); at = entry.end) {
        if (entry.id != TRACK_ENTRY)
            continue;
        if (fixed == count || !fix_track(bytes, &entry, &tracks[fixed]))
            return FALSE;
        fix_mastering(bytes, &entry, &tracks[fixed++]);
    }
    return fixed == count;
}

/* What the muxer was given for the text that it wrote, without the room. */
static gchar *original(const guint8 *bytes, const Ebml *string)
{
    gchar *text = g_strndup((const gchar *)bytes + string->contents,
                            string->end - string->contents);
    GValue value = G_VALUE_INIT;
    g_value_init(&value, G_TYPE_STRING);
    if (text[0] == '"' && gst_value_deserialize(&value, text)) {
        g_free(text);
        text = g_value_dup_string(&value);
    }
    g_value_unset(&value);
    if (g_str_has_suffix(text, ROOM))
        text[strlen(text) - ROOM_SIZE] = '\0';
    return text;
}

static void fix_simple_tag(guint8 *bytes, const Ebml *simple)
{
    Ebml string;
    if (!ebml_find(bytes, simple, TAG_STRING, &string))
        return;
    g_autofree gchar *text = original(bytes, &string);
    gsize size = strlen(text), old = string.end - string.contents;
    if (size + 2 > old)
        return;
    if (size == 0) {
        ebml_write_void(bytes + simple->start, simple->end - simple->start);
        return;
    }
    set_size(bytes, &string, 2, size);
    memcpy(bytes + string.contents, text, size);
    ebml_write_void(bytes + string.contents + size, old - size);
}

static void fix_tags(guint8 *bytes, gsize size)
{
    Ebml tag, simple;
    for (gsize at = 0; ebml_at(bytes, size, at, &tag); at = tag.end)
        for (gsize inner = tag.contents;
             tag.id == TAG && ebml_at(bytes, tag.end, inner, &simple); inner = simple.end)
            if (simple.id == SIMPLE_TAG)
                fix_simple_tag(bytes, &simple);
}

static gboolean put_back(FILE *file, const guint8 *bytes, gsize size, guint64 position)
{
    return fseeko(file, (off_t)position, SEEK_SET) == 0 &&
           fwrite(bytes, 1, size, file) == size &&
           fseeko(file, (off_t)(position + size), SEEK_SET) == 0;
}

static gboolean fix_file(FILE *file, const MatroskaTrack *tracks, guint count)
{
    gsize size = 0;
    guint64 position = 0;
    g_autofree guint8 *header =
        ebml_next_in_segment(file, TRACKS, LIMIT, &size, &position);
    if (header == NULL || !fix_tracks(header, size, tracks, count) ||
        !put_back(file, header, size, position))
        return FALSE;
    g_autofree guint8 *tags = ebml_next_in_segment(file, TAGS, LIMIT, &size, &position);
    if (tags == NULL)
        return TRUE;
    fix_tags(tags, size);
    return put_back(file, tags, size, position);
}

gboolean matroska_fix(const char *path, const MatroskaTrack *tracks, guint count,
                      GError **error)
{
    FILE *file = in_place_open(path, error);
    return file != NULL &&
           in_place_close(file, fix_file(file, tracks, count), path, error);
}

static void note_if_forced(const guint8 *bytes, const Ebml *entry, GArray *uids)
{
    Ebml flag, uid;
    if (!ebml_find(bytes, entry, FLAG_FORCED, &flag) || ebml_number(bytes, &flag) == 0 ||
        !ebml_find(bytes, entry, TRACK_UID, &uid))
        return;
    guint64 number = ebml_number(bytes, &uid);
    g_array_append_val(uids, number);
}

GArray *matroska_forced_tracks(const char *path)
{
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(guint64));
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return uids;
    gsize size = 0;
    guint64 position = 0;
    Ebml entry;
    g_autofree guint8 *bytes =
        ebml_next_in_segment(file, TRACKS, LIMIT, &size, &position);
    for (gsize at = 0; bytes != NULL && ebml_at(bytes, size, at, &entry); at = entry.end)
        if (entry.id == TRACK_ENTRY)
            note_if_forced(bytes, &entry, uids);
    fclose(file);
    return uids;
}
