/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes of planes, checking of a stream's facts, and frames in memory of their own. */
#include "pixels/frame_layout.h"

#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "pixels/format.h"

size_t vfi_video_info_row_bytes(const VfiVideoInfo *info, int plane)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);

    if (format == NULL || plane < 0 || plane >= format->n_planes || info->width < 1)
        return 0;
    VfiPlaneLayout layout = vfi_format_plane(format, plane);
    return (size_t)vfi_subsampled(info->width, layout.shift_x) *
           (size_t)layout.pixel_stride;
}

int vfi_video_info_rows(const VfiVideoInfo *info, int plane)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);

    if (format == NULL || plane < 0 || plane >= format->n_planes || info->height < 1)
        return 0;
    return vfi_subsampled(info->height, vfi_format_plane(format, plane).shift_y);
}

static gboolean check_range(const char *what, int value, int low, int high,
                            GError **error)
{
    if (value >= low && value <= high)
        return TRUE;
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "video info: %s must be %d … %d, found %d", what, low, high, value);
    return FALSE;
}

gboolean vfi_video_info_validate(const VfiVideoInfo *info, GError **error)
{
    const int sites = VFI_CHROMA_SITE_HORIZONTAL | VFI_CHROMA_SITE_VERTICAL;

    return check_range("format", (int)info->format, VFI_FORMAT_UNKNOWN + 1,
                       VFI_FORMAT_COUNT - 1, error) &&
           check_range("width", info->width, 1, VFI_MAX_DIMENSION, error) &&
           check_range("height", info->height, 1, VFI_MAX_DIMENSION, error) &&
           check_range("matrix", (int)info->matrix, VFI_MATRIX_UNKNOWN, VFI_MATRIX_FCC,
                       error) &&
           check_range("range", (int)info->range, VFI_RANGE_UNKNOWN, VFI_RANGE_FULL,
                       error) &&
           check_range("chroma site", (int)info->chroma_site, VFI_CHROMA_SITE_CENTRED,
                       sites, error);
}

/* No overflow: a validated plane has at most 2^14 × 2^14 pixels of 8 bytes. */
size_t vfi_frame_lay_out(const VfiVideoInfo *info, uint8_t *memory, VfiFrame *frame)
{
    size_t total = 0;

    for (int plane = 0; plane < vfi_format_planes(info->format); plane++) {
        size_t row = vfi_align_up(vfi_video_info_row_bytes(info, plane), VFI_ALIGNMENT);
        if (frame != NULL) {
            frame->data[plane] = memory + total;
            frame->stride[plane] = (ptrdiff_t)row;
        }
        total += row * (size_t)vfi_video_info_rows(info, plane);
    }
    return total;
}

gboolean vfi_frame_alloc(VfiFrame *frame, const VfiVideoInfo *info, GError **error)
{
    memset(frame, 0, sizeof *frame);
    if (!vfi_video_info_validate(info, error))
        return FALSE;
    uint8_t *block =
        vfi_try_alloc0(vfi_frame_lay_out(info, NULL, NULL), 1, "a video frame", error);
    if (block == NULL)
        return FALSE;
    vfi_frame_lay_out(info, block, frame);
    return TRUE;
}

void vfi_frame_clear(VfiFrame *frame)
{
    vfi_free(frame->data[0]);
    memset(frame, 0, sizeof *frame);
}
