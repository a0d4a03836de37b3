/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/passed.h"

#include <string.h>

#include "media/text.h"

Passed *passed_new(const KeepItem *item, ContainerKind container, GstClockTime from,
                   GstClockTime to, double slow_motion)
{
    Passed *passed = g_new0(Passed, 1);
    passed->track = item->track;
    passed->passage = item->passage;
    gboolean quicktime = container == CONTAINER_MP4 || container == CONTAINER_MOV;
    passed->takes_lead = quicktime && item->track->kind == MEDIA_TRACK_AUDIO;
    passed->starts_at_zero = quicktime && item->track->kind == MEDIA_TRACK_SUBTITLE;
    passed->keeps_tags = container == CONTAINER_MKV;
    passed->from = GST_CLOCK_TIME_IS_VALID(from) ? (gint64)from : 0;
    passed->to = GST_CLOCK_TIME_IS_VALID(to) ? (gint64)to : G_MAXINT64;
    passed->slow_motion = slow_motion;
    return passed;
}

void passed_free(gpointer passed)
{
    g_free(passed);
}

static gboolean is_text(const GstCaps *caps)
{
    return gst_structure_has_name(gst_caps_get_structure(caps, 0), "text/x-raw");
}

static gboolean is_markup(const GstCaps *caps)
{
    const GstStructure *structure = gst_caps_get_structure(caps, 0);
    return g_strcmp0(gst_structure_get_string(structure, "format"), "pango-markup") == 0;
}

GstCaps *passed_caps(const Passed *passed)
{
    if (passed->passage == PASSAGE_TEXT || is_text(passed->track->caps))
        return gst_caps_from_string("text/x-raw,format=utf8");
    return gst_caps_ref(passed->track->caps);
}

static gint64 stretch(const Passed *passed, gint64 time)
{
    return passed->slow_motion == 1 ? time : (gint64)((double)time * passed->slow_motion);
}

gint64 passed_input_time(const Passed *passed, gint64 time)
{
    if (time == G_MAXINT64)
        return G_MAXINT64;
    double shrunk = passed->slow_motion == 1 ? 0 : (double)time / passed->slow_motion;
    return passed->from + (passed->slow_motion == 1 ? time : (gint64)shrunk);
}

/* Subtitles are cut where the range cuts them. */
static PassedVerdict judge_subtitle(Passed *passed, const ReaderPacket *packet)
{
    gint64 start = MAX(packet->time, passed->from);
    gint64 end = MIN(packet->time + packet->duration, passed->to);
    if (end <= start && (packet->duration > 0 || packet->time < passed->from))
        return PASSED_DROP;
    passed->time = stretch(passed, start - passed->from);
    passed->duration = stretch(passed, MAX(end - start, 0));
    return PASSED_TAKE;
}

/* Packets of audio are not cut. Those before the beginning that a decoder wants for what
 * follows are kept where the container can say not to present them. */
static PassedVerdict judge_audio(Passed *passed, const ReaderPacket *packet)
{
    gint64 skipped = passed->takes_lead ? packet->skipped : 0;
    gint64 duration = packet->duration + skipped;
    gint64 time = packet->time - skipped - passed->from;
    /* Clocks of containers are that coarse. */
    if (!passed->takes_lead && time < 0 && time > -(gint64)GST_MSECOND)
        time = 0;
    if (time < 0 && (!passed->takes_lead || time + 2 * duration <= 0))
        return PASSED_DROP;
    if (time < 0 && passed->lead == 0)
        passed->lead = -time;
    passed->time = time;
    passed->duration = duration;
    return PASSED_TAKE;
}

/* Whether packets say by themselves how they are decoded. */
static gboolean describes_itself(const GstStructure *structure)
{
    static const char *const names[] = {"audio/x-ac3", "audio/x-eac3", "audio/x-dts"};
    int version = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (gst_structure_has_name(structure, names[i]))
            return TRUE;
    return gst_structure_has_name(structure, "audio/mpeg") &&
           gst_structure_get_int(structure, "mpegversion", &version) && version == 1;
}

static gboolean is_alike(const GstStructure *a, const GstStructure *b, const char *field)
{
    const GValue *one = gst_structure_get_value(a, field);
    const GValue *two = gst_structure_get_value(b, field);
    return one == NULL || two == NULL || gst_value_compare(one, two) == GST_VALUE_EQUAL;
}

/* Whether what the output says of the track is not true for packets of @caps. */
static gboolean is_other_format(const Passed *passed, const GstCaps *caps)
{
    static const char *const fields[] = {"rate", "channels", "format", "codec_data",
                                         "streamheader"};
    const GstStructure *a = gst_caps_get_structure(passed->track->caps, 0);
    const GstStructure *b = gst_caps_get_structure(caps, 0);
    if (!gst_structure_has_name(a, gst_structure_get_name(b)) ||
        !is_alike(a, b, "mpegversion") || !is_alike(a, b, "layer"))
        return TRUE;
    for (size_t i = 0; i < G_N_ELEMENTS(fields) && !describes_itself(a); i++)
        if (!is_alike(a, b, fields[i]))
            return TRUE;
    return FALSE;
}

PassedVerdict passed_judge(Passed *passed, const ReaderPacket *packet)
{
    if (passed->track->kind == MEDIA_TRACK_AUDIO && packet->time < passed->to &&
        is_other_format(passed, packet->caps)) {
        passed->ended = passed->changed = TRUE;
        passed->time = packet->time - passed->from;
        return PASSED_TAKE;
    }
    if (packet->time >= passed->to) {
        passed->ended = TRUE;
        return PASSED_TAKE;
    }
    return passed->track->kind == MEDIA_TRACK_SUBTITLE ? judge_subtitle(passed, packet)
                                                       : judge_audio(passed, packet);
}

static gchar *words(const Passed *passed, const gchar *text, gsize size)
{
    if (passed->passage == PASSAGE_TEXT)
        return text_ass_to_plain(text, size);
    if (!is_markup(passed->track->caps))
        return g_strndup(text, size);
    return passed->keeps_tags ? text_markup_to_subrip(text, size)
                              : text_markup_to_plain(text, size);
}

GstBuffer *passed_convert(const Passed *passed, GstBuffer *packet)
{
    GstMapInfo map;
    gboolean text = passed->passage == PASSAGE_TEXT || is_text(passed->track->caps);
    if (text && gst_buffer_map(packet, &map, GST_MAP_READ)) {
        gchar *out = words(passed, (const gchar *)map.data, map.size);
        gst_buffer_unmap(packet, &map);
        gst_buffer_unref(packet);
        packet = gst_buffer_new_wrapped(out, strlen(out));
    }
    packet = gst_buffer_make_writable(packet);
    GST_BUFFER_DURATION(packet) =
        passed->duration > 0 ? (GstClockTime)passed->duration : GST_CLOCK_TIME_NONE;
    return packet;
}
