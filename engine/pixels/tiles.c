/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tiles' results to one picture. Every sample is read and written once, so this is
 * memory's speed at any instruction set. */
#include "pixels/pixels.h"

#include <string.h>

static float *band_row(const VfiTileBand *band, int plane, int row)
{
    size_t index = (size_t)plane * (size_t)band->n_rows + (size_t)row;

    return band->data + index * (size_t)band->width;
}

static void add_row(float *restrict out, const float *restrict in,
                    const float *restrict weights, float weight, int n)
{
    for (int i = 0; i < n; i++)
        out[i] += in[i] * (weights[i] * weight);
}

void vfi_pixels_add_tile(const VfiTileBand *band, const float *tile, int first_plane,
                         int n_planes, const VfiTilePlace *place, int begin, int end)
{
    const size_t width = (size_t)place->tile_w;

    for (int plane = 0; plane < n_planes; plane++) {
        const float *in = tile + (size_t)plane * width * (size_t)place->tile_h;
        for (int y = begin; y < end; y++) {
            float *out =
                band_row(band, first_plane + plane, place->y + y - band->first_row);
            add_row(out + place->x,
                    in + (size_t)(place->tile_y + y) * width + (size_t)place->tile_x,
                    place->weight_x, place->weight_y[y], place->w);
        }
    }
}

void vfi_pixels_slide_band(const VfiTileBand *band, int first_row, int begin, int end)
{
    const size_t row_bytes = (size_t)band->width * sizeof(float);
    int kept = band->first_row + band->n_rows - first_row;

    if (kept < 0 || kept > band->n_rows)
        kept = 0;
    for (int plane = begin; plane < end; plane++) {
        float *top = band_row(band, plane, 0);
        if (kept > 0)
            memmove(top, band_row(band, plane, band->n_rows - kept),
                    (size_t)kept * row_bytes);
        memset(band_row(band, plane, kept), 0, (size_t)(band->n_rows - kept) * row_bytes);
    }
}
