/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data protocol's version 1.0: headers of 62 bytes, big-endian, each before its
 * payload. It is read here and not by gdpdepay, because that is a pipeline with a thread
 * for each file, and makes an error of a file that was cut off. */
#include "media/segments.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>

#include "media/error.h"

enum { HEADER = 62, PAYLOAD_BUFFER = 1, PAYLOAD_CAPS = 2, PAYLOAD_EVENT = 64 };

/* No encoded frame is larger; a length beyond it is damage. */
#define LARGEST (1u << 30)

struct Segments {
    const char *const *paths; /* what is not opened yet */
    const char *path;         /* that of file */
    FILE *file;
    GstCaps *caps;
    GstCaps *latest; /* of the open file, not looked at yet */
    GstSegment segment;
    guint64 size, position;
};

Segments *segments_new(const char *const *paths)
{
    Segments *segments = g_new0(Segments, 1);
    segments->paths = paths;
    for (size_t i = 0; paths[i] != NULL; i++) {
        GStatBuf status;
        if (g_stat(paths[i], &status) == 0)
            segments->size += (guint64)status.st_size;
    }
    return segments;
}

void segments_free(Segments *segments)
{
    if (segments == NULL)
        return;
    if (segments->file != NULL)
        fclose(segments->file);
    gst_clear_caps(&segments->caps);
    gst_clear_caps(&segments->latest);
    g_free(segments);
}

const GstCaps *segments_caps(const Segments *segments)
{
    return segments->caps;
}

guint64 segments_size(const Segments *segments)
{
    return segments->size;
}

guint64 segments_position(const Segments *segments)
{
    return segments->position;
}

static gboolean open_next(Segments *segments, GError **error)
{
    segments->path = *segments->paths++;
    segments->file = fopen(segments->path, "rbe");
    gst_segment_init(&segments->segment, GST_FORMAT_TIME);
    if (segments->file != NULL)
        return TRUE;
    g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_READ, "%s: cannot be opened: %s",
                segments->path, g_strerror(errno));
    return FALSE;
}

static void close_file(Segments *segments)
{
    fclose(segments->file);
    segments->file = NULL;
}

/* FALSE at the end of the file, even if some bytes are left. */
static gboolean read_all(Segments *segments, void *bytes, size_t size)
{
    if (fread(bytes, 1, size, segments->file) != size)
        return FALSE;
    segments->position += size;
    return TRUE;
}

static gboolean damaged(const Segments *segments, const char *what, GError **error)
{
    g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_READ,
                "%s: %s; remove it, and --resume makes it again", segments->path, what);
    return FALSE;
}

/* What decides how packets are decoded, and stands but once in the output. */
static gboolean are_alike(const GstCaps *first, const GstCaps *other)
{
    static const char *const fields[] = {"width", "height", "codec_data", "stream-format",
                                         "profile"};
    const GstStructure *a = gst_caps_get_structure(first, 0);
    const GstStructure *b = gst_caps_get_structure(other, 0);
    if (!gst_structure_has_name(a, gst_structure_get_name(b)))
        return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        const GValue *one = gst_structure_get_value(a, fields[i]);
        const GValue *two = gst_structure_get_value(b, fields[i]);
        if ((one == NULL) != (two == NULL) ||
            (one != NULL && gst_value_compare(one, two) != GST_VALUE_EQUAL))
            return FALSE;
    }
    return TRUE;
}

static gboolean take_caps(Segments *segments, const char *text, GError **error)
{
    gst_clear_caps(&segments->latest);
    segments->latest = gst_caps_from_string(text);
    if (segments->latest == NULL || !gst_caps_is_fixed(segments->latest))
        return damaged(segments, "has caps that cannot be read", error);
    return TRUE;
}

/* Parsers may say more and more before their first packet: the last word counts. */
static gboolean settle_caps(Segments *segments, GError **error)
{
    if (segments->latest == NULL && segments->caps == NULL)
        return damaged(segments, "does not say what is in it", error);
    if (segments->latest == NULL)
        return TRUE;
    if (segments->caps != NULL && !are_alike(segments->caps, segments->latest))
        return damaged(segments, "was encoded otherwise than the parts before it", error);
    if (segments->caps == NULL)
        segments->caps = g_steal_pointer(&segments->latest);
    gst_clear_caps(&segments->latest);
    return TRUE;
}

static void take_event(Segments *segments, guint type, const char *text)
{
    GstStructure *structure =
        type == GST_EVENT_SEGMENT ? gst_structure_from_string(text, NULL) : NULL;
    if (structure == NULL)
        return;
    g_autoptr(GstEvent) event = gst_event_new_custom(GST_EVENT_SEGMENT, structure);
    const GstSegment *segment = NULL;
    gst_event_parse_segment(event, &segment);
    if (segment != NULL && segment->format == GST_FORMAT_TIME)
        gst_segment_copy_into(segment, &segments->segment);
}

static gboolean take_text(Segments *segments, guint type, guint32 length, GError **error)
{
    if (length == 0)
        return TRUE;
    g_autofree gchar *text = g_try_malloc(length + 1);
    if (text == NULL)
        return damaged(segments, "has a header that is too large", error);
    if (!read_all(segments, text, length))
        return TRUE; /* what follows finds the end, too */
    text[length] = '\0';
    if (type == PAYLOAD_CAPS)
        return take_caps(segments, text, error);
    if (type >= PAYLOAD_EVENT)
        take_event(segments, type - PAYLOAD_EVENT, text);
    return TRUE;
}

/* NULL where the file ends within the packet, or there is no memory for it. */
static GstBuffer *take_packet(Segments *segments, const guint8 *header, guint32 length)
{
    GstMapInfo map;
    GstBuffer *packet = gst_buffer_new_allocate(NULL, length, NULL);
    if (packet == NULL || !gst_buffer_map(packet, &map, GST_MAP_WRITE)) {
        gst_clear_buffer(&packet);
        return NULL;
    }
    gboolean whole = read_all(segments, map.data, length);
    gst_buffer_unmap(packet, &map);
    if (!whole)
        gst_clear_buffer(&packet);
    if (packet == NULL)
        return NULL;
    GST_BUFFER_PTS(packet) = GST_READ_UINT64_BE(header + 10);
    GST_BUFFER_DURATION(packet) = GST_READ_UINT64_BE(header + 18);
    GST_BUFFER_DTS(packet) = GST_READ_UINT64_BE(header + 44);
    GST_BUFFER_FLAG_SET(packet, GST_READ_UINT16_BE(header + 42));
    return packet;
}

static gint64 running_time(const Segments *segments, GstClockTime time)
{
    guint64 running = 0;
    if (!GST_CLOCK_TIME_IS_VALID(time))
        return G_MININT64;
    int sign = gst_segment_to_running_time_full(&segments->segment, GST_FORMAT_TIME, time,
                                                &running);
    return sign == 0 ? G_MININT64 : sign * (gint64)running;
}

/* Of the open file; NULL at its end, or with an error. */
static GstBuffer *next_of_file(Segments *segments, GError **error)
{
    guint8 header[HEADER];
    while (read_all(segments, header, HEADER)) {
        guint type = GST_READ_UINT16_BE(header + 4);
        guint32 length = GST_READ_UINT32_BE(header + 6);
        if (header[0] != 1 || header[1] != 0 || length > LARGEST) {
            damaged(segments, "is damaged, or not in GStreamer's data protocol", error);
            return NULL;
        }
        if (type == PAYLOAD_BUFFER)
            return settle_caps(segments, error) ? take_packet(segments, header, length)
                                                : NULL;
        if (!take_text(segments, type, length, error))
            return NULL;
    }
    return NULL;
}

GstBuffer *segments_next(Segments *segments, gint64 *presentation, gint64 *decoding,
                         GError **error)
{
    while (segments->file != NULL || *segments->paths != NULL) {
        g_autoptr(GError) failure = NULL;
        if (segments->file == NULL && !open_next(segments, error))
            return NULL;
        GstBuffer *packet = next_of_file(segments, &failure);
        if (packet != NULL) {
            *presentation = running_time(segments, GST_BUFFER_PTS(packet));
            *decoding = running_time(segments, GST_BUFFER_DTS(packet));
            return packet;
        }
        close_file(segments);
        if (failure != NULL) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
    }
    return NULL;
}
