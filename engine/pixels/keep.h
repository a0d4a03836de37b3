/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of a picture that are to stay where they are: what lies over a video rather than
 * in it. */
#pragma once

#include <stddef.h>

#include <vfi/session.h>

#define VFI_KEEP_MASKS 2

/* How much of each luma pixel is kept: the most that any of these says. */
typedef struct {
    /* NULL, or [height][stride]: 255 keeps all, 0 nothing */
    const uint8_t *mask[VFI_KEEP_MASKS];
    size_t stride[VFI_KEEP_MASKS];
    const VfiRectangle *regions; /* all in them is kept; they may leave the picture */
    int n_regions;
} VfiKeep;

/* out += (blend - out) × kept on every component, where blend is that of
 * vfi_pixels_blend(): of samples that are equal in both frames exactly these. In integers
 * (RGB_F32: in f32), rounded to nearest, with kept in 1/255 and equal to 0 or 1 at the
 * ends. Of chroma as much is kept as of the luma pixels that it is co-sited with, on
 * average. Luma rows [begin, end), as in pixels.h. */
void vfi_pixels_keep(const VfiVideoInfo *info, const VfiFrame *frame0,
                     const VfiFrame *frame1, double t, const VfiKeep *keep,
                     const VfiFrame *out, int begin, int end);
