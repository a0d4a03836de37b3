/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copying and comparing frames, which is memory's speed at any instruction set. */
#include "pixels/pixels.h"

#include <string.h>

#include "pixels/format.h"

void vfi_pixels_copy(const VfiVideoInfo *info, const VfiFrame *frame, const VfiFrame *out,
                     int begin, int end)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);

    for (int plane = 0; plane < format->n_planes; plane++) {
        const int shift_y = vfi_format_plane(format, plane).shift_y;
        const size_t bytes = vfi_video_info_row_bytes(info, plane);

        for (int y = begin >> shift_y; y < vfi_subsampled(end, shift_y); y++)
            memcpy(out->data[plane] + y * out->stride[plane],
                   frame->data[plane] + y * frame->stride[plane], bytes);
    }
}

/* Of rows that differ somewhere: do they differ only in the byte at @filler of each
 * pixel? */
static bool used_bytes_equal(const uint8_t *a, const uint8_t *b, size_t bytes, int filler)
{
    for (size_t i = 0; i < bytes; i++)
        if (a[i] != b[i] && (int)(i % 4) != filler)
            return false;
    return true;
}

bool vfi_pixels_equal(const VfiVideoInfo *info, const VfiFrame *a, const VfiFrame *b)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const int filler = vfi_format_filler_offset(format);

    for (int plane = 0; plane < format->n_planes; plane++) {
        const size_t bytes = vfi_video_info_row_bytes(info, plane);
        const int rows = vfi_video_info_rows(info, plane);

        for (int y = 0; y < rows; y++) {
            const uint8_t *row_a = a->data[plane] + y * a->stride[plane];
            const uint8_t *row_b = b->data[plane] + y * b->stride[plane];

            if (memcmp(row_a, row_b, bytes) != 0 &&
                (filler < 0 || !used_bytes_equal(row_a, row_b, bytes, filler)))
                return false;
        }
    }
    return true;
}
