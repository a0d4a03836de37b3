/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/quicktime.h"

#include <gst/gst.h>
#include <string.h>

#include "media/box.h"
#include "media/in_place.h"

/* Ticks a second of an mvhd or mdhd; 0 if it is too short. */
static guint32 timescale(Box header)
{
    gsize at = header.size > 0 && header.bytes[0] == 1 ? 20 : 12;
    return at + 4 <= header.size ? GST_READ_UINT32_BE(header.bytes + at) : 0;
}

gboolean quicktime_has_orientation(const char *orientation)
{
    return g_strcmp0(orientation, "rotate-90") == 0 ||
           g_strcmp0(orientation, "rotate-180") == 0 ||
           g_strcmp0(orientation, "rotate-270") == 0;
}

/* Fixed point numbers with 16 bits behind the point; @width and @height are such. */
static void set_matrix(guint8 *matrix, const char *orientation, guint32 width,
                       guint32 height)
{
    enum { ONE = 0x10000 };
    const guint32 minus = (guint32)-ONE;
    guint32 a = ONE, b = 0, c = 0, d = ONE, x = 0, y = 0;
    if (strcmp(orientation, "rotate-90") == 0) {
        a = d = 0, b = ONE, c = minus, x = height;
    } else if (strcmp(orientation, "rotate-180") == 0) {
        a = d = minus, x = width, y = height;
    } else if (strcmp(orientation, "rotate-270") == 0) {
        a = d = 0, b = minus, c = ONE, y = width;
    }
    GST_WRITE_UINT32_BE(matrix, a);
    GST_WRITE_UINT32_BE(matrix + 4, b);
    GST_WRITE_UINT32_BE(matrix + 12, c);
    GST_WRITE_UINT32_BE(matrix + 16, d);
    GST_WRITE_UINT32_BE(matrix + 24, x);
    GST_WRITE_UINT32_BE(matrix + 28, y);
}

static gboolean fix_header(Box trak, const QuicktimeTrack *track)
{
    Box tkhd;
    if (!box_find(trak, "tkhd", 0, &tkhd) || tkhd.size < 84)
        return FALSE;
    gsize matrix = tkhd.bytes[0] == 1 ? 52 : 40;
    if (tkhd.size < matrix + 44)
        return FALSE;
    tkhd.bytes[3] = (guint8)((tkhd.bytes[3] & ~1u) | (track->is_default ? 1u : 0u));
    if (quicktime_has_orientation(track->orientation))
        set_matrix(tkhd.bytes + matrix, track->orientation,
                   GST_READ_UINT32_BE(tkhd.bytes + matrix + 36),
                   GST_READ_UINT32_BE(tkhd.bytes + matrix + 40));
    return TRUE;
}

/* Takes @ticks of the movie's clock away from a duration, where there are as many. */
static void shorten(guint8 *duration, guint64 ticks)
{
    guint32 old = GST_READ_UINT32_BE(duration);
    GST_WRITE_UINT32_BE(duration, old > ticks ? old - (guint32)ticks : 0);
}

/* The list has one entry, or an empty one before it. */
static gboolean fix_edits(Box moov, Box trak, gint64 lead)
{
    Box mvhd, tkhd, mdia, mdhd, edts, elst;
    if (!box_find(moov, "mvhd", 0, &mvhd) || !box_find(trak, "tkhd", 0, &tkhd) ||
        !box_find(trak, "mdia", 0, &mdia) || !box_find(mdia, "mdhd", 0, &mdhd) ||
        !box_find(trak, "edts", 0, &edts) || !box_find(edts, "elst", 0, &elst))
        return FALSE;
    if (elst.size < 8 + 12 || elst.bytes[0] != 0 || tkhd.bytes[0] != 0)
        return FALSE;
    guint64 movie =
        gst_util_uint64_scale_round((guint64)lead, timescale(mvhd), GST_SECOND);
    guint64 media =
        gst_util_uint64_scale_round((guint64)lead, timescale(mdhd), GST_SECOND);
    for (gsize at = 8; at + 12 <= elst.size; at += 12) {
        guint32 start = GST_READ_UINT32_BE(elst.bytes + at + 4);
        if (start == G_MAXUINT32)
            continue;
        GST_WRITE_UINT32_BE(elst.bytes + at + 4, start + (guint32)media);
        shorten(elst.bytes + at, movie);
        shorten(tkhd.bytes + 20, movie);
        return TRUE;
    }
    return FALSE;
}

/* A track that the muxer refused has no clock. */
static gboolean is_track(Box trak)
{
    Box mdia, mdhd;
    return box_find(trak, "mdia", 0, &mdia) && box_find(mdia, "mdhd", 0, &mdhd) &&
           timescale(mdhd) > 0;
}

static gboolean fix_moov(Box moov, const QuicktimeTrack *tracks, guint count)
{
    for (guint i = 0; i < count; i++) {
        Box trak;
        if (!box_find(moov, "trak", i, &trak) || !is_track(trak) ||
            !fix_header(trak, &tracks[i]) ||
            (tracks[i].lead > 0 && !fix_edits(moov, trak, tracks[i].lead)))
            return FALSE;
    }
    return TRUE;
}

static gboolean fix_file(FILE *file, const QuicktimeTrack *tracks, guint count)
{
    Box moov = {NULL, 0};
    guint64 position = 0;
    if (!box_read_moov(file, &moov, &position))
        return FALSE;
    gboolean fixed = fix_moov(moov, tracks, count) &&
                     fseeko(file, (off_t)position, SEEK_SET) == 0 &&
                     fwrite(moov.bytes, 1, moov.size, file) == moov.size;
    g_free(moov.bytes);
    return fixed;
}

gboolean quicktime_fix(const char *path, const QuicktimeTrack *tracks, guint count,
                       GError **error)
{
    FILE *file = in_place_open(path, error);
    return file != NULL &&
           in_place_close(file, fix_file(file, tracks, count), path, error);
}
