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

/* Samples of a row between cells: sample i lies at cell (first + i * step) / 8 of an
 * array. */
typedef struct {
    int first, step, n;
} Spread;

#if VFI_LANES == 1

static void mix_columns(const float *cells, Spread spread, float *out)
{
    for (int i = 0; i < spread.n; i++) {
        const int at = spread.first + i * spread.step;
        const float *cell = cells + at / 8;
        out[i] = between(cell[0], cell[1], (float)(at % 8) * 0.125f);
    }
}

#else

/* Two or four samples from cell to cell: the lanes' places repeat. */
static void mix_close(const float *cells, Spread spread, float *out)
{
    const VectorInt at =
        vi_add(vi_mul(vi_ascending(), vi_set1(spread.step)), vi_set1(spread.first % 8));
    const VectorInt left = vi_shift_right(at, 3), right = vi_add(left, vi_set1(1));
    const Vector part = v_mul(v_from_int(vi_and(at, vi_set1(7))), v_set1(0.125f));

    for (int i = 0; i < spread.n; i += VFI_LANES, cells += VFI_LANES * spread.step / 8) {
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
    for (ptrdiff_t i = 0; i < n; i += VFI_LANES) {
        const Vector low = v_load(cells + 2 * i);
        const Vector high = v_load(cells + 2 * i + VFI_LANES);
        v_store(out + i, between(v_even(low, high), v_odd(low, high), v_set1(part)));
    }
}

static void mix_columns(const float *cells, Spread spread, float *out)
{
    const float part = (float)(spread.first % 8) * 0.125f;

    cells += spread.first / 8;
    if (spread.step == 16)
        mix_second(cells, part, spread.n, out);
    else if (spread.step == 8)
        mix_each(cells, part, spread.n, out);
    else
        mix_close(cells, spread, out);
}

#endif

void vfi_motion_weights(const VfiMotionTile *tile, int hypothesis,
                        const VfiMotionPlaces *places, float *weight)
{
    const int spacing = tile->motion->spacing;
    const int y = places->y / spacing - 8 * tile->y;
    const Spread spread = {.first = places->first / spacing - 8 * tile->x,
                           .step = places->step / spacing,
                           .n = places->n};
    const float *above = tile->weight[hypothesis][y / 8];
    const float *below = tile->weight[hypothesis][(y + 7) / 8];
    float cells[VFI_MOTION_ROOM];

    if (spread.step == 8 && spread.first % 8 == 0) {
        mix_rows(above + spread.first / 8, below + spread.first / 8,
                 (float)(y % 8) * 0.125f, spread.n, weight);
        return;
    }
    mix_rows(above, below, (float)(y % 8) * 0.125f, tile->columns, cells);
    mix_columns(cells, spread, weight);
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

static void vectors_of(const VfiMotion *motion, const VfiMotionField *field, int axis,
                       const VfiMotionPlaces *places, float *out)
{
    const int x = (places->first + 8) / 8 - 1, y = (places->y + 8) / 8 - 1; /* ≥ -1 */
    const int columns = (places->first + (places->n - 1) * places->step + 8) / 8 + 1 - x;
    const float part = (float)(places->y - 8 * y) * 0.125f;
    const Spread spread = {
        .first = places->first - 8 * x, .step = places->step, .n = places->n};
    float room[2][VFI_MOTION_ROOM], cells[VFI_MOTION_ROOM];
    const float *above = vfi_motion_cells(motion, field, axis, x, y, columns, room[0]);
    const float *below = above;

    if (part > 0)
        below = vfi_motion_cells(motion, field, axis, x, y + 1, columns, room[1]);
    if (spread.step == 8 && spread.first % 8 == 0) {
        mix_vectors(above + spread.first / 8, below + spread.first / 8, part, spread.n,
                    out);
        return;
    }
    mix_vectors(above, below, part, columns, cells);
    mix_columns(cells, spread, out);
}

void vfi_motion_vectors(const VfiMotion *motion, int hypothesis,
                        const VfiMotionPlaces *places, float *x, float *y)
{
    const VfiMotionField field = vfi_motion_field(motion, hypothesis);

    vectors_of(motion, &field, 0, places, x);
    vectors_of(motion, &field, 1, places, y);
}
