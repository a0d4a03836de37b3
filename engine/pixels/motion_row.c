/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/motion_row.h"

#include "pixels/motion_field.h"
#include "pixels/vectors.h"

VFI_ALWAYS_INLINE Vector between(Vector a, Vector b, Vector part)
{
    return v_fma(v_sub(b, a), part, a);
}

static void mix_rows(const float *above, const float *below, float part, int n,
                     float *out)
{
    for (int i = 0; i < n; i += VFI_LANES)
        v_store(out + i, between(v_load(above + i), v_load(below + i), v_set1(part)));
}

#if VFI_LANES == 1

/* out = the samples at @places between cells, the first of which is @x of the grid. */
static void mix_columns(const float *cells, int x, const VfiMotionPlaces *places,
                        float *out)
{
    const int first = places->first - 8 * x;

    for (int i = 0; i < places->n; i++) {
        const int at = first + i * places->step;
        const float *cell = cells + at / 8;
        out[i] = between(cell[0], cell[1], (float)(at % 8) * 0.125f);
    }
}

#else

/* Two or four samples from cell to cell: the lanes' places repeat. */
static void mix_close(const float *cells, int first, int step, int n, float *out)
{
    const VectorInt at = vi_add(vi_mul(vi_ascending(), vi_set1(step)), vi_set1(first));
    const VectorInt left = vi_shift_right(at, 3), right = vi_add(left, vi_set1(1));
    const Vector part = v_mul(v_from_int(vi_and(at, vi_set1(7))), v_set1(0.125f));

    for (int i = 0; i < n; i += VFI_LANES, cells += VFI_LANES * step / 8) {
        const Vector cell = v_load(cells);
        v_store(out + i, between(v_permute(cell, left), v_permute(cell, right), part));
    }
}

/* A sample a cell, or every second one. */
static void mix_each(const float *cells, float part, int n, float *out)
{
    for (int i = 0; i < n; i += VFI_LANES)
        v_store(out + i, between(v_load(cells + i), v_load(cells + i + 1), v_set1(part)));
}

static void mix_second(const float *cells, float part, int n, float *out)
{
    for (int i = 0; i < n; i += VFI_LANES) {
        const Vector low = v_load(cells + 2 * i);
        const Vector high = v_load(cells + 2 * i + VFI_LANES);
        v_store(out + i, between(v_even(low, high), v_odd(low, high), v_set1(part)));
    }
}

static void mix_columns(const float *cells, int x, const VfiMotionPlaces *places,
                        float *out)
{
    const int first = places->first - 8 * x;
    const float part = (float)(first % 8) * 0.125f;

    cells += first / 8;
    if (places->step == 16)
        mix_second(cells, part, places->n, out);
    else if (places->step == 8)
        mix_each(cells, part, places->n, out);
    else
        mix_close(cells, first % 8, places->step, places->n, out);
}

#endif

void vfi_motion_weights(const VfiMotionTile *tile, int hypothesis,
                        const VfiMotionPlaces *places, float *weight)
{
    const int first = places->first - 8 * tile->x, y = places->y - 8 * tile->y;
    const float *above = tile->weight[hypothesis][y / 8];
    const float *below = tile->weight[hypothesis][(y + 7) / 8];
    float cells[VFI_MOTION_ROOM];

    if (places->step == 8 && first % 8 == 0) {
        mix_rows(above + first / 8, below + first / 8, (float)(y % 8) * 0.125f, places->n,
                 weight);
        return;
    }
    mix_rows(above, below, (float)(y % 8) * 0.125f, tile->columns, cells);
    mix_columns(cells, tile->x, places, weight);
}

/* Between two rows, and finite. */
static void mix_vectors(const float *above, const float *below, float part, int n,
                        float *out)
{
    for (int i = 0; i < n; i += VFI_LANES) {
        const Vector mixed = between(v_load(above + i), v_load(below + i), v_set1(part));
        v_store(out + i,
                v_min(v_max(mixed, v_set1(-VFI_MOTION_FAR)), v_set1(VFI_MOTION_FAR)));
    }
}

static void vectors_of(const VfiMotionTile *tile, const VfiMotionField *field, int axis,
                       const VfiMotionPlaces *places, float *out)
{
    const VfiMotion *motion = tile->motion;
    const int first = places->first - 8 * tile->x, y = places->y - 8 * tile->y;
    const int line = tile->y + y / 8, n = tile->columns;
    float room[2][VFI_MOTION_ROOM], cells[VFI_MOTION_ROOM];
    const float *above = vfi_motion_cells(motion, field, axis, tile->x, line, n, room[0]);
    const float *below = above;

    if (y % 8 != 0)
        below = vfi_motion_cells(motion, field, axis, tile->x, line + 1, n, room[1]);
    if (places->step == 8 && first % 8 == 0) {
        mix_vectors(above + first / 8, below + first / 8, (float)(y % 8) * 0.125f,
                    places->n, out);
        return;
    }
    mix_vectors(above, below, (float)(y % 8) * 0.125f, n, cells);
    mix_columns(cells, tile->x, places, out);
}

void vfi_motion_vectors(const VfiMotionTile *tile, int hypothesis,
                        const VfiMotionPlaces *places, float *x, float *y)
{
    const VfiMotionField field = vfi_motion_field(tile->motion, hypothesis);

    vectors_of(tile, &field, 0, places, x);
    vectors_of(tile, &field, 1, places, y);
}
