/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames as RGB, whatever their format. */
#pragma once

#include <stdint.h>

#include <gst/video/video.h>

typedef struct RgbConverter RgbConverter;

/**
 * From whole frames of @info to RGB of 8 bits, or of 16 if @deep. The matrix is the
 * video's; its transfer function and primaries stay what they are. Alpha is dropped.
 * Returns NULL with an error if GStreamer does not convert the format.
 */
RgbConverter *rgb_converter_new(const GstVideoInfo *info, gboolean deep, GError **error);

/** Frees @converter; NULL is allowed. */
void rgb_converter_free(RgbConverter *converter);

/** The largest code, 255 or 65535. */
unsigned rgb_peak_of(const RgbConverter *converter);

/** Writes R, G and B of each pixel of @frame to @rgb, row by row from the top. */
void rgb_convert(RgbConverter *converter, const GstVideoFrame *frame, uint16_t *rgb);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RgbConverter, rgb_converter_free)
