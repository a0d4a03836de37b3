/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/video.h"

static void append_string(GValue *list, const char *text)
{
    g_auto(GValue) value = G_VALUE_INIT;

    g_value_init(&value, G_TYPE_STRING);
    g_value_set_string(&value, text);
    gst_value_list_append_value(list, &value);
}

GstCaps *video_caps(void)
{
    GstCaps *caps = gst_caps_new_empty_simple("video/x-raw");
    g_auto(GValue) formats = G_VALUE_INIT;

    g_value_init(&formats, GST_TYPE_LIST);
    for (int i = VFI_FORMAT_UNKNOWN + 1; i < VFI_FORMAT_COUNT; i++) {
        const char *name = vfi_format_to_string((VfiFormat)i);

        if (gst_video_format_from_string(name) != GST_VIDEO_FORMAT_UNKNOWN)
            append_string(&formats, name);
    }
    gst_caps_set_value(caps, "format", &formats);
    return caps;
}

static VfiMatrix matrix_of(GstVideoColorMatrix matrix)
{
    switch (matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT601:
        return VFI_MATRIX_BT601;
    case GST_VIDEO_COLOR_MATRIX_BT709:
        return VFI_MATRIX_BT709;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
        return VFI_MATRIX_BT2020;
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
        return VFI_MATRIX_SMPTE240M;
    case GST_VIDEO_COLOR_MATRIX_FCC:
        return VFI_MATRIX_FCC;
    default:
        return VFI_MATRIX_UNKNOWN;
    }
}

static VfiRange range_of(GstVideoColorRange range)
{
    switch (range) {
    case GST_VIDEO_COLOR_RANGE_0_255:
        return VFI_RANGE_FULL;
    case GST_VIDEO_COLOR_RANGE_16_235:
        return VFI_RANGE_LIMITED;
    default:
        return VFI_RANGE_UNKNOWN;
    }
}

/* Video that does not say has chroma where MPEG-2 has it, as nearly all has. */
static VfiChromaSite chroma_site_of(GstVideoChromaSite site)
{
    unsigned bits = 0;

    if (site == GST_VIDEO_CHROMA_SITE_UNKNOWN)
        return VFI_CHROMA_SITE_HORIZONTAL;
    if (site & GST_VIDEO_CHROMA_SITE_H_COSITED)
        bits |= VFI_CHROMA_SITE_HORIZONTAL;
    if (site & GST_VIDEO_CHROMA_SITE_V_COSITED)
        bits |= VFI_CHROMA_SITE_VERTICAL;
    return (VfiChromaSite)bits;
}

VfiVideoInfo video_info_for_engine(const GstVideoInfo *info)
{
    return (VfiVideoInfo){
        .format = vfi_format_from_string(GST_VIDEO_INFO_NAME(info)),
        .width = GST_VIDEO_INFO_WIDTH(info),
        .height = GST_VIDEO_INFO_HEIGHT(info),
        .matrix = matrix_of(info->colorimetry.matrix),
        .range = range_of(info->colorimetry.range),
        .chroma_site = chroma_site_of(info->chroma_site),
    };
}

VfiFrame video_frame_for_engine(const GstVideoFrame *frame, uint64_t id)
{
    VfiFrame result = {.id = id, .memory = VFI_MEMORY_HOST};
    guint n_planes = MIN(GST_VIDEO_FRAME_N_PLANES(frame), (guint)VFI_MAX_PLANES);

    for (guint i = 0; i < n_planes; i++) {
        result.data[i] = GST_VIDEO_FRAME_PLANE_DATA(frame, i);
        result.stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE(frame, i);
    }
    return result;
}
