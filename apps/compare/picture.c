/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/picture.h"

#include <stdlib.h>

#include "compare/png.h"

/* Parts begin at multiples of this, pixels. */
enum { CELL = 16 };

struct PictureMaker {
    RgbConverter *to_rgb;
    int width, height;
    uint16_t *wide[2]; /* as they come */
    uint8_t *bytes;
};

PictureMaker *picture_maker_new(const GstVideoInfo *info, GError **error)
{
    RgbConverter *to_rgb = rgb_converter_new(info, FALSE, error);
    size_t n = (size_t)info->width * (size_t)info->height * 3;

    if (to_rgb == NULL)
        return NULL;

    PictureMaker *maker = g_new0(PictureMaker, 1);

    maker->to_rgb = to_rgb;
    maker->width = info->width;
    maker->height = info->height;
    maker->wide[0] = g_new(uint16_t, n);
    maker->wide[1] = g_new(uint16_t, n);
    maker->bytes = g_malloc(n);
    return maker;
}

void picture_maker_free(PictureMaker *maker)
{
    if (maker == NULL)
        return;
    rgb_converter_free(maker->to_rgb);
    g_free(maker->wide[0]);
    g_free(maker->wide[1]);
    g_free(maker->bytes);
    g_free(maker);
}

/* How much the frames differ in each cell: sums of green, which is most of luma. In rows
 * and columns one longer than the cells, as sums of all cells above and to the left. */
static uint64_t *sum_differences(const PictureMaker *maker, int across, int down)
{
    size_t stride = (size_t)across + 1;
    uint64_t *sums = g_new0(uint64_t, stride * ((size_t)down + 1));

    for (int y = 0; y < down * CELL; y++) {
        for (int x = 0; x < across * CELL; x++) {
            size_t i = ((size_t)y * (size_t)maker->width + (size_t)x) * 3 + 1;

            sums[(size_t)(y / CELL + 1) * stride + (size_t)(x / CELL) + 1] +=
                (uint64_t)abs(maker->wide[0][i] - maker->wide[1][i]);
        }
    }
    for (int y = 1; y <= down; y++) {
        uint64_t *row = sums + (size_t)y * stride;

        for (int x = 1; x <= across; x++)
            row[x] += row[x - 1];
        for (int x = 1; x <= across; x++)
            row[x] += row[x - across - 1];
    }
    return sums;
}

/* The place of the window of @wide × @high cells that differs most; first of equals. */
static void find_window(const uint64_t *sums, int across, int down, int wide, int high,
                        Shown *shown)
{
    ptrdiff_t stride = across + 1;
    uint64_t best = 0;

    for (int y = 0; y + high <= down; y++) {
        for (int x = 0; x + wide <= across; x++) {
            const uint64_t *corner = sums + y * stride + x;
            uint64_t sum = corner[high * stride + wide] - corner[high * stride] -
                           corner[wide] + corner[0];

            if (sum <= best)
                continue;
            best = sum;
            shown->x = x * CELL;
            shown->y = y * CELL;
        }
    }
}

void picture_choose_part(PictureMaker *maker, Shown *shown, const GstVideoFrame *first,
                         const GstVideoFrame *last, int most_width, int most_height)
{
    int across = maker->width / CELL, down = maker->height / CELL;
    g_autofree uint64_t *sums = NULL;

    shown->width = most_width != 0 ? MIN(most_width, maker->width) : maker->width;
    shown->height = most_height != 0 ? MIN(most_height, maker->height) : maker->height;
    shown->x = 0;
    shown->y = 0;
    if (shown->width == maker->width && shown->height == maker->height)
        return;
    rgb_convert(maker->to_rgb, first, maker->wide[0]);
    rgb_convert(maker->to_rgb, last, maker->wide[1]);
    sums = sum_differences(maker, across, down);
    find_window(sums, across, down, MIN((shown->width + CELL - 1) / CELL, across),
                MIN((shown->height + CELL - 1) / CELL, down), shown);
    shown->x = MIN(shown->x, maker->width - shown->width);
    shown->y = MIN(shown->y, maker->height - shown->height);
}

GBytes *picture_encode(PictureMaker *maker, const Shown *shown,
                       const GstVideoFrame *frame)
{
    size_t n = (size_t)maker->width * (size_t)maker->height * 3;
    size_t stride = (size_t)maker->width * 3;

    rgb_convert(maker->to_rgb, frame, maker->wide[0]);
    for (size_t i = 0; i < n; i++)
        maker->bytes[i] = (uint8_t)maker->wide[0][i];
    return png_encode(maker->bytes + (size_t)shown->y * stride + (size_t)shown->x * 3,
                      stride, shown->width, shown->height);
}
