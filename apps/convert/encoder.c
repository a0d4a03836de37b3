/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/encoder.h"

#include <gst/video/video.h>
#include <string.h>

#include "convert/error.h"

#define BASE "gstreamer1.0-plugins-base"
#define GOOD "gstreamer1.0-plugins-good"
#define BAD "gstreamer1.0-plugins-bad"
#define UGLY "gstreamer1.0-plugins-ugly"
#define LIBAV "gstreamer1.0-libav"

/* How an element is told quality and speed: what stands behind its name, with the
 * quantizer in place of %d, and in place of the quality at 0, 50, 70 and 100. */
typedef struct {
    Encoder encoder;
    gboolean is_cuda;
    const char *properties; /* may hold one %d */
    int quantizers[4];      /* at QUALITY_POINTS */
    const char *presets[PRESETS];
    const char *key_distance; /* property */
} Entry;

static const int QUALITY_POINTS[4] = {0, 50, 70, 100};

/* Newer encoders first where they are the better ones; all make the same picture of the
 * same frames, whatever the number of threads (svtav1enc in its constant quality mode).
 */
static const Entry ENTRIES[] = {
    {{VIDEO_CODEC_H264, "nvh264enc", BAD, "h264parse"},
     TRUE,
     "rc-mode=constqp qp-const=%d",
     {40, 28, 22, 8},
     {"preset=hp", "preset=hp", "preset=default", "preset=hq", "preset=hq"},
     "gop-size"},
    {{VIDEO_CODEC_H264, "x264enc", UGLY, "h264parse"},
     FALSE,
     "pass=qual quantizer=%d",
     {40, 26, 19, 4},
     {"speed-preset=ultrafast", "speed-preset=veryfast", "speed-preset=medium",
      "speed-preset=slow", "speed-preset=veryslow"},
     "key-int-max"},
    {{VIDEO_CODEC_H265, "nvh265enc", BAD, "h265parse"},
     TRUE,
     "rc-mode=constqp qp-const=%d",
     {42, 30, 24, 8},
     {"preset=hp", "preset=hp", "preset=default", "preset=hq", "preset=hq"},
     "gop-size"},
    {{VIDEO_CODEC_H265, "x265enc", BAD, "h265parse"},
     FALSE,
     "option-string=crf=%d:open-gop=0",
     {42, 28, 21, 6},
     {"speed-preset=ultrafast", "speed-preset=veryfast", "speed-preset=medium",
      "speed-preset=slow", "speed-preset=veryslow"},
     "key-int-max"},
    {{VIDEO_CODEC_AV1, "svtav1enc", BAD, "av1parse"},
     FALSE,
     "crf=%d",
     {60, 38, 28, 8},
     {"preset=12", "preset=10", "preset=8", "preset=5", "preset=3"},
     "intra-period-length"},
    {{VIDEO_CODEC_AV1, "av1enc", BAD, "av1parse"},
     FALSE,
     "end-usage=q min-quantizer=%d max-quantizer=%d",
     {60, 38, 28, 8},
     {"cpu-used=9 usage-profile=realtime", "cpu-used=6", "cpu-used=5", "cpu-used=4",
      "cpu-used=2"},
     "keyframe-max-dist"},
    {{VIDEO_CODEC_VP9, "vp9enc", GOOD, "vp9parse"},
     FALSE,
     "end-usage=cq target-bitrate=1000000000 min-quantizer=0 max-quantizer=63 "
     "cq-level=%d",
     {58, 38, 28, 6},
     {"deadline=1 cpu-used=8", "deadline=1000000 cpu-used=5",
      "deadline=1000000 cpu-used=3", "deadline=1000000 cpu-used=1",
      "deadline=0 cpu-used=0"},
     "keyframe-max-dist"},
    {{VIDEO_CODEC_PRORES, "avenc_prores_ks", LIBAV, NULL},
     FALSE,
     "profile=%d",
     {0, 1, 3, 3},
     {"", "", "", "", ""},
     NULL},
    {{VIDEO_CODEC_FFV1, "avenc_ffv1", LIBAV, NULL},
     FALSE,
     "",
     {0, 0, 0, 0},
     {"", "", "", "", ""},
     "gop-size"},
    {{VIDEO_CODEC_PNG, "pngenc", GOOD, NULL},
     FALSE,
     "",
     {0, 0, 0, 0},
     {"compression-level=1", "compression-level=3", "compression-level=6",
      "compression-level=8", "compression-level=9"},
     NULL},
};

static const char *const PRESET_NAMES[PRESETS] = {"fastest", "fast", "medium", "slow",
                                                  "slowest"};

gboolean preset_of_name(const char *name, Preset *preset)
{
    for (int i = 0; i < PRESETS; i++) {
        if (g_ascii_strcasecmp(name, PRESET_NAMES[i]) == 0) {
            *preset = (Preset)i;
            return TRUE;
        }
    }
    return FALSE;
}

const char *preset_name(Preset preset)
{
    return PRESET_NAMES[preset];
}

void encoder_list(VideoCodec codec, gboolean cuda, EncoderList *list)
{
    size_t count = 0;
    memset(list, 0, sizeof *list);
    for (size_t i = 0; i < G_N_ELEMENTS(ENTRIES); i++) {
        if (ENTRIES[i].encoder.codec == codec && (cuda || !ENTRIES[i].is_cuda) &&
            count + 1 < G_N_ELEMENTS(list->found))
            list->found[count++] = &ENTRIES[i].encoder;
    }
}

static gboolean is_installed(const char *element)
{
    g_autoptr(GstElementFactory) factory = gst_element_factory_find(element);
    return factory != NULL;
}

const Encoder *encoder_find(VideoCodec codec, gboolean cuda, GError **error)
{
    EncoderList list;
    encoder_list(codec, cuda, &list);
    g_autoptr(GString) wanted = g_string_new(NULL);
    for (const Encoder **encoder = list.found; *encoder != NULL; encoder++) {
        const char *parser = (*encoder)->parser;
        if (is_installed((*encoder)->element) && (parser == NULL || is_installed(parser)))
            return *encoder;
        g_string_append_printf(wanted, "%s%s (Debian package %s)",
                               wanted->len > 0 ? " or " : "", (*encoder)->element,
                               (*encoder)->package);
    }
    g_set_error(error, CONVERT_ERROR, CONVERT_ERROR_MISSING,
                "no encoder for %s is installed: install %s, or choose another --codec",
                video_codec_name(codec), wanted->str);
    return NULL;
}

VideoCodec encoder_auto_codec(const char *input, ContainerKind container, gboolean cuda,
                              GError **error)
{
    static const VideoCodec OTHERS[] = {VIDEO_CODEC_H264, VIDEO_CODEC_VP9,
                                        VIDEO_CODEC_AV1, VIDEO_CODEC_H265,
                                        VIDEO_CODEC_PNG};
    VideoCodec codec = input != NULL ? video_codec_of_name(input) : VIDEO_CODEC_NONE;
    if (codec != VIDEO_CODEC_NONE && codec != VIDEO_CODEC_PNG &&
        container_takes_video(container, codec) &&
        encoder_find(codec, cuda, NULL) != NULL)
        return codec;
    VideoCodec first = VIDEO_CODEC_NONE;
    for (size_t i = 0; i < G_N_ELEMENTS(OTHERS); i++) {
        if (!container_takes_video(container, OTHERS[i]))
            continue;
        if (encoder_find(OTHERS[i], cuda, NULL) != NULL)
            return OTHERS[i];
        first = first == VIDEO_CODEC_NONE ? OTHERS[i] : first;
    }
    encoder_find(first, cuda, error);
    return VIDEO_CODEC_NONE;
}

/* Linear between the points. */
static int quantizer_of(const Entry *entry, int quality)
{
    int i = 1;
    while (i < 3 && quality > QUALITY_POINTS[i])
        i++;
    int span = QUALITY_POINTS[i] - QUALITY_POINTS[i - 1];
    int part = quality - QUALITY_POINTS[i - 1];
    int from = entry->quantizers[i - 1], to = entry->quantizers[i];
    return from + ((to - from) * part * 2 + (to < from ? -span : span)) / (2 * span);
}

static const Entry *entry_of(const Encoder *encoder)
{
    return (const Entry *)((const char *)encoder - G_STRUCT_OFFSET(Entry, encoder));
}

gchar *encoder_launch(const Encoder *encoder, int quality, Preset preset,
                      gboolean full_chroma, guint key_distance)
{
    const Entry *entry = entry_of(encoder);
    int quantizer = quantizer_of(entry, quality);
    /* 4:4:4 has profiles of its own. */
    if (encoder->codec == VIDEO_CODEC_PRORES && full_chroma)
        quantizer = quality > 85 ? 5 : 4;
    GString *launch = g_string_new(encoder->element);
    g_auto(GStrv) parts = g_strsplit(entry->properties, "%d", -1);
    for (guint i = 0; parts[i] != NULL; i++) {
        if (i > 0)
            g_string_append_printf(launch, "%d", quantizer);
        g_string_append_printf(launch, "%s%s", i == 0 && *parts[i] != '\0' ? " " : "",
                               parts[i]);
    }
    if (*entry->presets[preset] != '\0')
        g_string_append_printf(launch, " %s", entry->presets[preset]);
    if (entry->key_distance != NULL)
        g_string_append_printf(launch, " %s=%u", entry->key_distance, key_distance);
    return g_string_free(launch, FALSE);
}

static void append_names(GString *names, const GValue *value)
{
    gboolean is_list = GST_VALUE_HOLDS_LIST(value);
    guint count = is_list ? gst_value_list_get_size(value) : 1;
    for (guint i = 0; i < count; i++) {
        const GValue *one = is_list ? gst_value_list_get_value(value, i) : value;
        if (G_VALUE_HOLDS_STRING(one))
            g_string_append_printf(names, "%s%s", names->len > 0 ? "," : "",
                                   g_value_get_string(one));
    }
}

gchar *encoder_formats(const Encoder *encoder)
{
    g_autoptr(GstElementFactory) factory = gst_element_factory_find(encoder->element);
    GString *formats = g_string_new(NULL);
    for (const GList *l = gst_element_factory_get_static_pad_templates(factory);
         l != NULL; l = l->next) {
        GstStaticPadTemplate *pad = l->data;
        if (pad->direction != GST_PAD_SINK)
            continue;
        g_autoptr(GstCaps) caps = gst_static_pad_template_get_caps(pad);
        for (guint i = 0; i < gst_caps_get_size(caps); i++) {
            const GValue *value =
                gst_structure_get_value(gst_caps_get_structure(caps, i), "format");
            if (value == NULL ||
                !gst_caps_features_contains(gst_caps_get_features(caps, i),
                                            GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY))
                continue;
            append_names(formats, value);
        }
    }
    return g_string_free(formats, FALSE);
}

static gboolean has_smaller_planes(GstVideoFormat format)
{
    const GstVideoFormatInfo *info = gst_video_format_get_info(format);
    for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(info); i++) {
        if (GST_VIDEO_FORMAT_INFO_W_SUB(info, i) > 0 ||
            GST_VIDEO_FORMAT_INFO_H_SUB(info, i) > 0)
            return TRUE;
    }
    return FALSE;
}

gchar *encoder_odd_formats(const Encoder *encoder, const char *formats)
{
    if (encoder->codec != VIDEO_CODEC_H264 && encoder->codec != VIDEO_CODEC_H265)
        return NULL;
    GString *kept = g_string_new(NULL);
    g_auto(GStrv) names = g_strsplit(formats, ",", -1);
    for (char **name = names; *name != NULL; name++) {
        GstVideoFormat format = gst_video_format_from_string(*name);
        if (format != GST_VIDEO_FORMAT_UNKNOWN && !has_smaller_planes(format))
            g_string_append_printf(kept, "%s%s", kept->len > 0 ? "," : "", *name);
    }
    return g_string_free(kept, FALSE);
}
