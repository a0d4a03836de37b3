/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/codec.h"

#include <string.h>

/* The first line whose caps the format's caps can be is its name. */
static const struct {
    const char *caps, *name;
} names[] = {
    {"video/x-h264", "h264"},
    {"video/x-h265", "h265"},
    {"video/x-av1", "av1"},
    {"video/x-vp9", "vp9"},
    {"video/x-vp8", "vp8"},
    {"video/x-prores", "prores"},
    {"video/x-ffv", "ffv1"},
    {"video/mpeg,mpegversion=(int)4", "mpeg4"},
    {"video/mpeg,mpegversion=(int)2", "mpeg2"},
    {"video/mpeg,mpegversion=(int)1", "mpeg1"},
    {"video/x-raw", "raw"},
    {"image/jpeg", "jpeg"},
    {"image/png", "png"},
    {"audio/mpeg,mpegversion=(int){2,4}", "aac"},
    {"audio/mpeg,mpegversion=(int)1,layer=(int)3", "mp3"},
    {"audio/mpeg,mpegversion=(int)1,layer=(int)2", "mp2"},
    {"audio/mpeg,mpegversion=(int)1", "mp1"},
    {"audio/x-opus", "opus"},
    {"audio/x-vorbis", "vorbis"},
    {"audio/x-flac", "flac"},
    {"audio/x-alac", "alac"},
    {"audio/x-ac3", "ac3"},
    {"audio/x-eac3", "eac3"},
    {"audio/x-dts", "dts"},
    {"audio/x-true-hd", "truehd"},
    {"audio/x-raw", "pcm"},
    {"text/x-raw", "text"},
    {"application/x-ass", "ass"},
    {"application/x-ssa", "ssa"},
    {"subpicture/x-dvd", "vobsub"},
    {"subpicture/x-pgs", "pgs"},
    {"subpicture/x-dvb", "dvbsub"},
    {"closedcaption/x-cea-608", "cea608"},
    {"closedcaption/x-cea-708", "cea708"},
};

const char *codec_of_caps(const GstCaps *caps)
{
    if (caps == NULL || gst_caps_is_any(caps) || gst_caps_is_empty(caps))
        return "unknown";
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GstCaps) known = gst_caps_from_string(names[i].caps);
        if (gst_caps_can_intersect(caps, known))
            return names[i].name;
    }
    const char *type = gst_structure_get_name(gst_caps_get_structure(caps, 0));
    const char *slash = strchr(type, '/');
    const char *name = slash != NULL ? slash + 1 : type;
    return g_intern_string(g_str_has_prefix(name, "x-") ? name + 2 : name);
}
