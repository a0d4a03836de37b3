/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of frames as PNG files, and which part is worth showing. */
#pragma once

#include "compare/comparison.h"
#include "compare/rgb.h"

typedef struct PictureMaker PictureMaker;

/** For frames of @info. Returns NULL with an error as rgb_converter_new() does. */
PictureMaker *picture_maker_new(const GstVideoInfo *info, GError **error);

/** Frees @maker; NULL is allowed. */
void picture_maker_free(PictureMaker *maker);

/** Sets the part of @shown: the whole frame, or where it is larger than @most_width ×
 * @most_height (0: no limit) so much of it where @first and @last differ most. */
void picture_choose_part(PictureMaker *maker, Shown *shown, const GstVideoFrame *first,
                         const GstVideoFrame *last, int most_width, int most_height);

/** The part of @frame that @shown shows. */
GBytes *picture_encode(PictureMaker *maker, const Shown *shown,
                       const GstVideoFrame *frame);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PictureMaker, picture_maker_free)
