/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares pictures of one video format, by metrics.h. */
#pragma once

#include <gst/video/video.h>

/** What a picture is like compared with the truth; see metrics.h. */
typedef struct {
    double mse_luma;
    double mse_rgb; /**< of R, G and B together */
    double ssim;    /**< of luma */
} Score;

typedef struct Judge Judge;

/** For frames of @info. Returns NULL with an error as rgb_converter_new() does. */
Judge *judge_new(const GstVideoInfo *info, GError **error);

/** Frees @judge; NULL is allowed. */
void judge_free(Judge *judge);

/**
 * Compares @made with @truth. Luma is the format's own, or of RGB the weighted mean by
 * BT.709; RGB of YCbCr is what GstVideoConverter makes of it by the video's colorimetry,
 * in 8 bits or, for deeper video, 16. Alpha does not count.
 */
Score judge_compare(Judge *judge, const GstVideoFrame *truth, const GstVideoFrame *made);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Judge, judge_free)
