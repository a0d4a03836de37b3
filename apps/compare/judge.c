/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/judge.h"

#include "compare/metrics.h"
#include "compare/rgb.h"

/* One picture's samples. */
typedef struct {
    uint16_t *luma, *rgb;
} Samples;

struct Judge {
    GstVideoInfo info;
    RgbConverter *to_rgb;
    size_t n_pixels;
    Samples truth, made;
};

Judge *judge_new(const GstVideoInfo *info, GError **error)
{
    gboolean deep = GST_VIDEO_INFO_COMP_DEPTH(info, 0) > 8;
    RgbConverter *to_rgb = rgb_converter_new(info, deep, error);

    if (to_rgb == NULL)
        return NULL;

    Judge *judge = g_new0(Judge, 1);
    Samples *samples[] = {&judge->truth, &judge->made};

    judge->info = *info;
    judge->to_rgb = to_rgb;
    judge->n_pixels = (size_t)info->width * (size_t)info->height;
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        samples[i]->luma = g_new(uint16_t, judge->n_pixels);
        samples[i]->rgb = g_new(uint16_t, 3 * judge->n_pixels);
    }
    return judge;
}

void judge_free(Judge *judge)
{
    if (judge == NULL)
        return;
    rgb_converter_free(judge->to_rgb);
    g_free(judge->truth.luma);
    g_free(judge->truth.rgb);
    g_free(judge->made.luma);
    g_free(judge->made.rgb);
    g_free(judge);
}

/* The first component, whatever bits of its words it is in. */
static void read_luma(const GstVideoFrame *frame, uint16_t *luma)
{
    int depth = GST_VIDEO_FRAME_COMP_DEPTH(frame, 0);
    int step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, 0);
    int shift = GST_VIDEO_FORMAT_INFO_SHIFT(frame->info.finfo, 0);
    gboolean is_little = GST_VIDEO_FORMAT_INFO_IS_LE(frame->info.finfo);
    uint16_t mask = (uint16_t)((1u << depth) - 1);

    for (int y = 0; y < GST_VIDEO_FRAME_HEIGHT(frame); y++) {
        const guint8 *row = (const guint8 *)GST_VIDEO_FRAME_COMP_DATA(frame, 0) +
                            (ptrdiff_t)y * GST_VIDEO_FRAME_COMP_STRIDE(frame, 0);

        for (int x = 0; x < GST_VIDEO_FRAME_WIDTH(frame); x++, row += step) {
            if (depth <= 8) {
                *luma++ = *row;
                continue;
            }
            uint16_t word = *(const uint16_t *)(const void *)row;

            *luma++ =
                (uint16_t)((is_little ? GUINT16_FROM_LE(word) : word) >> shift & mask);
        }
    }
}

static void luma_of_rgb(const uint16_t *rgb, size_t n, uint16_t *luma)
{
    for (size_t i = 0; i < n; i++, rgb += 3)
        luma[i] = (uint16_t)(0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2] + 0.5);
}

static void read_samples(Judge *judge, const GstVideoFrame *frame, Samples *samples)
{
    rgb_convert(judge->to_rgb, frame, samples->rgb);
    if (GST_VIDEO_INFO_IS_RGB(&judge->info))
        luma_of_rgb(samples->rgb, judge->n_pixels, samples->luma);
    else
        read_luma(frame, samples->luma);
}

Score judge_compare(Judge *judge, const GstVideoFrame *truth, const GstVideoFrame *made)
{
    unsigned rgb_peak = rgb_peak_of(judge->to_rgb), luma_peak = rgb_peak;
    const Samples *a = &judge->truth, *b = &judge->made;

    if (!GST_VIDEO_INFO_IS_RGB(&judge->info))
        luma_peak = (1u << GST_VIDEO_INFO_COMP_DEPTH(&judge->info, 0)) - 1;
    read_samples(judge, truth, &judge->truth);
    read_samples(judge, made, &judge->made);
    return (Score){
        .mse_luma = metrics_mse(a->luma, b->luma, judge->n_pixels, luma_peak),
        .mse_rgb = metrics_mse(a->rgb, b->rgb, 3 * judge->n_pixels, rgb_peak),
        .ssim = metrics_ssim(a->luma, b->luma, judge->info.width, judge->info.height,
                             luma_peak),
    };
}
