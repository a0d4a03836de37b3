/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/rgb.h"

struct RgbConverter {
    GstVideoConverter *converter;
    GstVideoInfo info; /* of what it makes */
    GstVideoFrame made;
    gboolean is_mapped, deep;
};

RgbConverter *rgb_converter_new(const GstVideoInfo *info, gboolean deep, GError **error)
{
    g_autoptr(RgbConverter) result = g_new0(RgbConverter, 1);
    g_autoptr(GstBuffer) buffer = NULL;
    GstVideoInfo from = *info;
    GstStructure *config =
        gst_structure_new("config", GST_VIDEO_CONVERTER_OPT_THREADS, G_TYPE_UINT,
                          g_get_num_processors(), GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
                          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL);

    gst_video_info_set_format(&result->info,
                              deep ? GST_VIDEO_FORMAT_ARGB64 : GST_VIDEO_FORMAT_RGB,
                              (guint)info->width, (guint)info->height);
    /* Interlaced frames were refused, so those of a mixed stream are whole, too. */
    GST_VIDEO_INFO_INTERLACE_MODE(&from) = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE;
    result->info.fps_n = info->fps_n;
    result->info.fps_d = info->fps_d;
    result->deep = deep;
    buffer = gst_buffer_new_allocate(NULL, result->info.size, NULL);
    result->is_mapped =
        buffer != NULL &&
        gst_video_frame_map(&result->made, &result->info, buffer, GST_MAP_READWRITE);
    result->converter = gst_video_converter_new(&from, &result->info, config);
    if (result->is_mapped && result->converter != NULL)
        return g_steal_pointer(&result);
    g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                "GStreamer does not convert %s of %dx%d to RGB",
                GST_VIDEO_INFO_NAME(info), info->width, info->height);
    return NULL;
}

void rgb_converter_free(RgbConverter *converter)
{
    if (converter == NULL)
        return;
    g_clear_pointer(&converter->converter, gst_video_converter_free);
    if (converter->is_mapped)
        gst_video_frame_unmap(&converter->made);
    g_free(converter);
}

unsigned rgb_peak_of(const RgbConverter *converter)
{
    return converter->deep ? 65535 : 255;
}

void rgb_convert(RgbConverter *converter, const GstVideoFrame *frame, uint16_t *rgb)
{
    const guint8 *row = GST_VIDEO_FRAME_PLANE_DATA(&converter->made, 0);

    gst_video_converter_frame(converter->converter, frame, &converter->made);
    for (int y = 0; y < converter->info.height; y++) {
        for (int x = 0; x < converter->info.width; x++, rgb += 3) {
            const guint16 *argb = (const guint16 *)(const void *)row + (ptrdiff_t)4 * x;
            const guint8 *bytes = row + (ptrdiff_t)3 * x;

            for (int i = 0; i < 3; i++)
                rgb[i] = converter->deep ? argb[i + 1] : bytes[i];
        }
        row += GST_VIDEO_FRAME_PLANE_STRIDE(&converter->made, 0);
    }
}
