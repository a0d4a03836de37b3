/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/luma_difference.h"

#include "pixels/samples.h"
#include "pixels/vectors.h"

/* A picture, and vectors of which a part, in cells, leads into it. */
typedef struct {
    const float *picture;
    size_t row;
    int width, height;
    const float *vector_x, *vector_y;
    float part;
} Side;

#if VFI_LANES == 1

/* NaN, which a frame of floats may hold, counts as the largest difference. */
static float difference(float a, float b)
{
    const float distance = a < b ? b - a : a - b;

    return distance < 255.0f ? distance : 255.0f;
}

/* Bilinear. The column and the row after the last are the border's. */
static float luma_at(const Side *side, float x, float y)
{
    const float column = vfi_clamp(x, (float)(side->width - 1));
    const float line = vfi_clamp(y, (float)(side->height - 1));
    const int left = (int)column, top = (int)line;
    const float part_x = column - (float)left, part_y = line - (float)top;
    const float *at = side->picture + (size_t)top * side->row + left;
    const float *below = at + side->row;
    const float upper = at[0] + (at[1] - at[0]) * part_x;
    const float lower = below[0] + (below[1] - below[0]) * part_x;

    return upper + (lower - upper) * part_y;
}

static void find_differences(const Side side[2], int x, int y, int n, float *out)
{
    for (int i = 0; i < n; i++) {
        float luma[2];
        for (int f = 0; f < 2; f++)
            luma[f] =
                luma_at(&side[f], (float)(x + i) + side[f].part * side[f].vector_x[i],
                        (float)y + side[f].part * side[f].vector_y[i]);
        out[i] = difference(luma[0], luma[1]);
    }
}

static void find_plain_differences(const float *a, const float *b, int n, float *out)
{
    for (int i = 0; i < n; i++)
        out[i] = difference(a[i], b[i]);
}

#else

/* Cells that lanes lie in, and how far behind those. */
typedef struct {
    VectorInt x, y;
    Vector part_x, part_y;
} Places;

VFI_ALWAYS_INLINE Vector clamp_place(Vector at, int last)
{
    return v_min(v_max(at, v_set1(0.0f)), v_set1((float)last));
}

/* Of the cells from (x + i, y) on. */
VFI_ALWAYS_INLINE Places find_places(const Side *side, int x, int i, int y)
{
    const Vector first = v_add(v_set1((float)(x + i)), v_from_int(vi_ascending()));
    const Vector part = v_set1(side->part);
    const Vector column =
        clamp_place(v_fma(part, v_load(side->vector_x + i), first), side->width - 1);
    const Vector line = clamp_place(
        v_fma(part, v_load(side->vector_y + i), v_set1((float)y)), side->height - 1);
    Places places = {.x = vi_truncate(column), .y = vi_truncate(line)};

    places.part_x = v_sub(column, v_from_int(places.x));
    places.part_y = v_sub(line, v_from_int(places.y));
    return places;
}

/* How far lanes are from beginning at @first and following each other; @first moves back
 * by one if that makes all of them 0 or 1. */
VFI_ALWAYS_INLINE VectorInt lag_behind(VectorInt at, int *first)
{
    VectorInt lag = vi_sub(at, vi_repeat_first(at));
    const int ahead = vi_any_negative(lag);

    *first = vi_first(at) - ahead;
    return vi_add(lag, vi_set1(ahead));
}

/* Between columns, the first of which is @row or in lanes of @later the next. */
VFI_ALWAYS_INLINE Vector mix_columns(const float *row, VectorMask later, Vector part)
{
    const Vector middle = v_load(row + 1);
    const Vector a = v_pick(later, middle, v_load(row));
    const Vector b = v_pick(later, v_load(row + 2), middle);

    return v_fma(v_sub(b, a), part, a);
}

VFI_ALWAYS_INLINE Vector mix_gathered(const float *row, VectorInt at, Vector part)
{
    const Vector a = v_gather(row, at), b = v_gather(row + 1, at);

    return v_fma(v_sub(b, a), part, a);
}

/* Lanes that follow each other but for one step load three rows at three columns, others
 * gather. Two columns and rows after the last are the border's. */
VFI_ALWAYS_INLINE Vector luma_at(const Side *side, const Places *places)
{
    const ptrdiff_t row = (ptrdiff_t)side->row;
    int left, top;
    const VectorInt lag_x = lag_behind(vi_sub(places->x, vi_ascending()), &left);
    const VectorInt lag_y = lag_behind(places->y, &top);

    if (__builtin_expect(vi_all_bits_within(vi_or(lag_x, lag_y), 1), 1)) {
        const float *at = side->picture + top * row + left;
        const VectorMask later = vi_equal(lag_x, vi_set1(1));
        const VectorMask below = vi_equal(lag_y, vi_set1(1));
        const Vector first = mix_columns(at, later, places->part_x);
        const Vector second = mix_columns(at + row, later, places->part_x);
        const Vector third = mix_columns(at + 2 * row, later, places->part_x);
        const Vector upper = v_pick(below, second, first);
        const Vector lower = v_pick(below, third, second);
        return v_fma(v_sub(lower, upper), places->part_y, upper);
    }
    const VectorInt at = vi_add(vi_mul(places->y, vi_set1((int)row)), places->x);
    const Vector upper = mix_gathered(side->picture, at, places->part_x);
    const Vector lower = mix_gathered(side->picture + row, at, places->part_x);
    return v_fma(v_sub(lower, upper), places->part_y, upper);
}

/* NaN, which a frame of floats may hold, counts as the largest difference. */
VFI_ALWAYS_INLINE Vector difference(Vector a, Vector b)
{
    return v_min(v_abs(v_sub(a, b)), v_set1(255.0f));
}

static void find_differences(const Side side[2], int x, int y, int n, float *out)
{
    for (int i = 0; i < n; i += VFI_LANES) {
        Vector luma[2];
        for (int f = 0; f < 2; f++) {
            const Places places = find_places(&side[f], x, i, y);
            luma[f] = luma_at(&side[f], &places);
        }
        v_store(out + i, difference(luma[0], luma[1]));
    }
}

static void find_plain_differences(const float *a, const float *b, int n, float *out)
{
    int i = 0;

    for (; i + VFI_LANES <= n; i += VFI_LANES)
        v_store(out + i, difference(v_load(a + i), v_load(b + i)));
    for (; i < n; i++) {
        const float distance = a[i] < b[i] ? b[i] - a[i] : a[i] - b[i];
        out[i] = distance < 255.0f ? distance : 255.0f;
    }
}

#endif

static Side side_of(const VfiMotion *motion, int f, const float *vector_x,
                    const float *vector_y, float part)
{
    return (Side){.picture = motion->picture[f],
                  .row = motion->picture_row,
                  .width = motion->grid_w,
                  .height = motion->grid_h,
                  .vector_x = vector_x,
                  .vector_y = vector_y,
                  .part = part / (float)(1 << motion->level)};
}

void vfi_luma_differences(const VfiMotion *motion, int x, int y, int n,
                          const float *vector_x, const float *vector_y, float *out)
{
    const size_t at = (size_t)y * motion->picture_row + (size_t)x;

    if (vector_x != NULL) {
        const Side side[2] = {side_of(motion, 0, vector_x, vector_y, -motion->t),
                              side_of(motion, 1, vector_x, vector_y, 1.0f - motion->t)};
        find_differences(side, x, y, n, out);
        return;
    }
    find_plain_differences(motion->picture[0] + at, motion->picture[1] + at, n, out);
}

void vfi_luma_differences_apart(const VfiMotion *motion, int x, int y, int n,
                                const float *const vector[2][2], float *out)
{
    const Side side[2] = {side_of(motion, 0, vector[0][0], vector[0][1], 1.0f),
                          side_of(motion, 1, vector[1][0], vector[1][1], 1.0f)};

    find_differences(side, x, y, n, out);
}
