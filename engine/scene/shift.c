/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The motion of the whole picture is the shift at which both correlate best. */
#include "scene/shift.h"

#include <math.h>
#include <string.h>

#define SIZE VFI_SCENE_SIGNATURE_SIZE
#define PADDING VFI_SCENE_PADDING

/* Shifts are up to 3/10 of the size. */
#define SHIFT_MAX (SIZE * 3 / 10)
#define SHIFT_LANES 40 /* ≥ 2 SHIFT_MAX + 1, a multiple of what SIMD works on */

/* A shift counts only if the pictures correlate this well after it, and the better the
 * less of them it lets overlap, for among many shifts one fits by chance. With the rise
 * taken off, pans reached 0.78 and more, the best shifts between unrelated pictures 0.56
 * and less. */
#define SHIFT_CORRELATION 0.7
#define SHIFT_CORRELATION_RISE 0.2

/* Variance that counts as no structure; luma is 0 … 255. */
#define NOISE 0.25f

typedef VfiScenePicture Picture;

typedef struct {
    int left, top, right, bottom;
} Area;

/* sums[y][x] = squares of all cells above and left of (x, y). */
typedef struct {
    double at[SIZE + 1][SIZE + 1];
} SquareSums;

static void sum_squares(SquareSums *sums, const Picture *picture)
{
    memset(sums, 0, sizeof *sums);
    for (int y = 0; y < picture->height; y++) {
        double row = 0;

        for (int x = 0; x < picture->width; x++) {
            const double value = (double)picture->luma[y][PADDING + x];
            row += value * value;
            sums->at[y + 1][x + 1] = sums->at[y][x + 1] + row;
        }
    }
}

static double squares_in(const SquareSums *sums, const Area *area)
{
    return sums->at[area->bottom][area->right] - sums->at[area->top][area->right] -
           sums->at[area->bottom][area->left] + sums->at[area->top][area->left];
}

/* What a picture is searched by. */
typedef struct {
    Picture picture;
    SquareSums squares;
} Band;

static void load_band(Band *band, const Picture *picture)
{
    vfi_scene_keep_structure(&band->picture, picture);
    sum_squares(&band->squares, &band->picture);
}

/* products[i] = Σ a(x, y) · b(x + i − SHIFT_MAX, y + dy). */
static void correlate_rows(const Picture *a, const Picture *b, int dy,
                           float *restrict products)
{
    const int begin = dy < 0 ? -dy : 0;
    const int end = dy > 0 ? a->height - dy : a->height;

    memset(products, 0, SHIFT_LANES * sizeof *products);
    for (int y = begin; y < end; y++)
        for (int x = 0; x < a->width; x++) {
            const float value = a->luma[y][PADDING + x];
            const float *other = &b->luma[y + dy][PADDING + x - SHIFT_MAX];

            for (int i = 0; i < SHIFT_LANES; i++)
                products[i] += value * other[i];
        }
}

/* Leaves at least one block of the smallest picture inside the other one. */
static int reach(int size)
{
    return CLAMP((size - VFI_SCENE_BLOCK) / 2, 0, size * 3 / 10);
}

/* The part of a picture that stays inside the other one after a shift. */
static Area inside(const Picture *picture, int dx, int dy)
{
    return (Area){.left = dx < 0 ? -dx : 0,
                  .top = dy < 0 ? -dy : 0,
                  .right = dx > 0 ? picture->width - dx : picture->width,
                  .bottom = dy > 0 ? picture->height - dy : picture->height};
}

/* What tells shifts apart. No correlation is above 1. */
static double merit(double correlation, double overlap)
{
    return correlation - SHIFT_CORRELATION_RISE * (1 - overlap);
}

/* The best shift so far. */
typedef struct {
    double merit;
    VfiSceneShift shift;
} Best;

/* Tries the shifts of row @dy. */
static void try_row(const Band *a, const Band *b, int dy, Best *best)
{
    const Picture *picture = &a->picture;
    const double cells_all = picture->width * picture->height;
    const int reach_x = reach(picture->width);
    float products[SHIFT_LANES];

    correlate_rows(&a->picture, &b->picture, dy, products);
    for (int dx = -reach_x; dx <= reach_x; dx++) {
        const Area in_a = inside(picture, dx, dy), in_b = inside(picture, -dx, -dy);
        const double energy =
            squares_in(&a->squares, &in_a) * squares_in(&b->squares, &in_b);
        const double cells = (in_a.right - in_a.left) * (in_a.bottom - in_a.top);
        const double correlation = (double)products[SHIFT_MAX + dx] /
                                   (sqrt(energy > 0 ? energy : 0) + NOISE * cells);
        const double found = merit(correlation, cells / cells_all);

        if (found > best->merit)
            *best = (Best){found, {dx, dy}};
    }
}

VfiSceneShift vfi_scene_find_shift(const Picture *a, const Picture *b)
{
    const int reach_y = reach(a->height);
    Best best = {.merit = SHIFT_CORRELATION};
    Band band_a, band_b;

    load_band(&band_a, a);
    load_band(&band_b, b);
    /* The nearest rows first: where they correlate well, none that lets less overlap can
     * be better. */
    for (int far = 0; far <= reach_y; far++) {
        const double overlap = (double)(a->height - far) / a->height;

        if (merit(1, overlap) <= best.merit)
            break;
        try_row(&band_a, &band_b, -far, &best);
        if (far > 0)
            try_row(&band_a, &band_b, far, &best);
    }
    return best.shift;
}
