/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/image_minimum.h"

#include "cpu/algorithm.h"

/* Pieces that the rows of either picture are cut into: the largest one's take some
 * milliseconds. */
#define PIECES 64

/* Values that are compared side by side. */
#define LANES 16

typedef struct {
    const VfiCpuImage *image;
    const VfiMinimumArea *area;
    float least[2 * PIECES]; /* of the pieces of the picture, then of the shrunk one */
} Minima;

static float least_of(float a, float b)
{
    return b < a ? b : a;
}

static const float *row_of(const VfiCpuImage *image, int plane, int y)
{
    size_t row = (size_t)plane * (size_t)image->padded_h + (size_t)y;

    return image->values + row * (size_t)image->padded_w;
}

static float least_of_row(const float *values, int n)
{
    float lanes[LANES], least = VFI_MINIMUM_OF_NOTHING;
    int i = 0;

    for (int k = 0; k < LANES; k++)
        lanes[k] = VFI_MINIMUM_OF_NOTHING;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            lanes[k] = least_of(lanes[k], values[i + k]);
    for (; i < n; i++)
        least = least_of(least, values[i]);
    for (int k = 0; k < LANES; k++)
        least = least_of(least, lanes[k]);
    return least;
}

static float least_of_piece(const Minima *minima, int piece)
{
    const VfiMinimumArea *area = minima->area;
    int rows = 3 * area->height; /* of all planes */
    float least = VFI_MINIMUM_OF_NOTHING;

    for (int i = vfi_piece_begin(rows, PIECES, piece);
         i < vfi_piece_begin(rows, PIECES, piece + 1); i++)
        least = least_of(
            least, least_of_row(row_of(minima->image, i / area->height, i % area->height),
                                area->width));
    return least;
}

/* Row @y of plane @plane of the shrunk picture. */
static float least_of_shrunk_row(const Minima *minima, int plane, int y)
{
    const VfiMinimumArea *area = minima->area;
    VfiShrunkPlace row = vfi_shrunk_place(y, area->whole_h, area->scale);
    const float *above = row_of(minima->image, plane, row.first - area->y);
    const float *below = row_of(minima->image, plane, row.second - area->y);
    int end = vfi_shrunk_begin(area->x + area->width, area->whole_w, area->scale);
    float least = VFI_MINIMUM_OF_NOTHING;

    for (int x = vfi_shrunk_begin(area->x, area->whole_w, area->scale); x < end; x++)
        least = least_of(least,
                         vfi_shrunk_value(above, below, row.weight,
                                          vfi_shrunk_place(x, area->whole_w, area->scale),
                                          area->x));
    return least;
}

static float least_of_shrunk_piece(const Minima *minima, int piece)
{
    const VfiMinimumArea *area = minima->area;
    float least = VFI_MINIMUM_OF_NOTHING;

    if (area->scale == 0.0)
        return least;
    int first = vfi_shrunk_begin(area->y, area->whole_h, area->scale);
    int rows =
        vfi_shrunk_begin(area->y + area->height, area->whole_h, area->scale) - first;
    for (int i = vfi_piece_begin(3 * rows, PIECES, piece);
         i < vfi_piece_begin(3 * rows, PIECES, piece + 1); i++)
        least = least_of(least, least_of_shrunk_row(minima, i / rows, first + i % rows));
    return least;
}

static void find_in_piece(void *data, int index, int thread)
{
    Minima *minima = data;
    (void)thread;

    minima->least[index] = index < PIECES ? least_of_piece(minima, index)
                                          : least_of_shrunk_piece(minima, index - PIECES);
}

bool vfi_cpu_image_minimum(VfiPool *pool, const VfiCpuImage *image,
                           const VfiMinimumArea *area, float minimum[2],
                           const atomic_int *cancel)
{
    Minima minima = {.image = image, .area = area};

    if (!vfi_pool_run(pool, 2 * PIECES, find_in_piece, &minima, cancel))
        return false;
    for (int i = 0; i < 2; i++) {
        minimum[i] = VFI_MINIMUM_OF_NOTHING;
        for (int k = 0; k < PIECES; k++)
            minimum[i] = least_of(minimum[i], minima.least[i * PIECES + k]);
    }
    return true;
}
