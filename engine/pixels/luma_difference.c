/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/luma_difference.h"

#include <math.h>

#include "pixels/motion_same.h"
#include "pixels/samples.h"
#include "pixels/vectors.h"

/* Cells beyond the edge that make no difference any more; finite. */
#define FARTHEST 1e6f

/* A picture, and vectors of which a part, in cells, leads into it. */
typedef struct {
    const float *picture;
    ptrdiff_t row;
    int width, height;
    const float *vector_x, *vector_y;
    float part;
    float beyond; /* cells beyond the edge times this are the part that is there */
} Side;

/* NaN, which a frame of floats may hold, counts as the largest difference. */
VFI_ALWAYS_INLINE Vector difference(Vector a, Vector b)
{
    return v_min(v_abs(v_sub(a, b)), v_set1(255.0f));
}

/* @difference, of which @unseen is not known. */
VFI_ALWAYS_INLINE Vector part_unseen(Vector difference, Vector unseen)
{
    return v_fma(v_sub(v_set1(VFI_MOTION_UNSEEN), difference), unseen, difference);
}

#if VFI_LANES == 1

/* How much of what lies at a place is beyond the edge. */
static float part_beyond(const Side *side, float x, float y)
{
    const float off_x = fabsf(x - vfi_clamp(x, (float)(side->width - 1)));
    const float off_y = fabsf(y - vfi_clamp(y, (float)(side->height - 1)));
    const float off = off_x > off_y ? off_x : off_y;
    const float beyond = (off < FARTHEST ? off : FARTHEST) * side->beyond;

    return beyond < 1.0f ? beyond : 1.0f;
}

/* Bilinear. The column and the row after the last are the border's. */
static float luma_at(const Side *side, float x, float y)
{
    const float column = vfi_clamp(x, (float)(side->width - 1));
    const float line = vfi_clamp(y, (float)(side->height - 1));
    const int left = (int)column, top = (int)line;
    const float part_x = column - (float)left, part_y = line - (float)top;
    const float *at = side->picture + top * side->row + left;
    const float *below = at + side->row;
    const float upper = at[0] + (at[1] - at[0]) * part_x;
    const float lower = below[0] + (below[1] - below[0]) * part_x;

    return upper + (lower - upper) * part_y;
}

/* Of the i-th cell from (x, y) on. */
VFI_ALWAYS_INLINE Vector difference_at(const Side side[2], int spacing, int x, int y,
                                       int i)
{
    const float column = (float)((x + i) * spacing), line = (float)(y * spacing);
    float luma[2], unseen = 0.0f;

    for (int f = 0; f < 2; f++) {
        const float at_x = column + side[f].part * side[f].vector_x[i];
        const float at_y = line + side[f].part * side[f].vector_y[i];
        const float beyond = part_beyond(&side[f], at_x, at_y);
        luma[f] = luma_at(&side[f], at_x, at_y);
        unseen = beyond > unseen ? beyond : unseen;
    }
    return part_unseen(difference(luma[0], luma[1]), unseen);
}

#else

/* Cells that lanes lie in, how far behind those, and how much of it is beyond the
 * edge. */
typedef struct {
    VectorInt x, y;
    Vector part_x, part_y;
    Vector beyond;
} Places;

VFI_ALWAYS_INLINE Vector clamp_place(Vector at, int last)
{
    return v_min(v_max(at, v_set1(0.0f)), v_set1((float)last));
}

VFI_ALWAYS_INLINE VectorInt lanes_of(int spacing)
{
    return spacing == 1 ? vi_ascending() : vi_add(vi_ascending(), vi_ascending());
}

/* Of the cells that the vectors from the i-th on belong to. */
VFI_ALWAYS_INLINE Places find_places(const Side *side, Vector first, Vector y, int i)
{
    const Vector part = v_set1(side->part);
    const Vector at_x = v_fma(part, v_load(side->vector_x + i), first);
    const Vector at_y = v_fma(part, v_load(side->vector_y + i), y);
    const Vector column = clamp_place(at_x, side->width - 1);
    const Vector line = clamp_place(at_y, side->height - 1);
    const Vector off = v_max(v_abs(v_sub(at_x, column)), v_abs(v_sub(at_y, line)));
    Places places = {.x = vi_truncate(column), .y = vi_truncate(line)};

    places.part_x = v_sub(column, v_from_int(places.x));
    places.part_y = v_sub(line, v_from_int(places.y));
    places.beyond =
        v_min(v_mul(v_min(off, v_set1(FARTHEST)), v_set1(side->beyond)), v_set1(1.0f));
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

/* Between two columns: of lanes that follow each other, from @row on or, in those of
 * @later, from the next one on. */
VFI_ALWAYS_INLINE Vector mix_columns(const float *row, int spacing, VectorMask later,
                                     Vector part)
{
    Vector at[3];

    for (int k = 0; k < 3; k++)
        at[k] = spacing == 1 ? v_load(row + k)
                             : v_even(v_load(row + k), v_load(row + k + VFI_LANES));
    const Vector a = v_pick(later, at[1], at[0]), b = v_pick(later, at[2], at[1]);
    return v_fma(v_sub(b, a), part, a);
}

VFI_ALWAYS_INLINE Vector mix_gathered(const float *row, VectorInt at, Vector part)
{
    const Vector a = v_gather(row, at), b = v_gather(row + 1, at);

    return v_fma(v_sub(b, a), part, a);
}

/* Lanes that follow each other but for one step load three rows at three columns, others
 * gather. Up to four columns and two rows after the last are read, of the border. */
VFI_ALWAYS_INLINE Vector luma_at(const Side *side, int spacing, const Places *places)
{
    const ptrdiff_t row = side->row;
    int left, top;
    const VectorInt lag_x = lag_behind(vi_sub(places->x, lanes_of(spacing)), &left);
    const VectorInt lag_y = lag_behind(places->y, &top);

    if (__builtin_expect(vi_all_bits_within(vi_or(lag_x, lag_y), 1), 1)) {
        const float *at = side->picture + top * row + left;
        const VectorMask later = vi_equal(lag_x, vi_set1(1));
        const VectorMask below = vi_equal(lag_y, vi_set1(1));
        const Vector first = mix_columns(at, spacing, later, places->part_x);
        const Vector second = mix_columns(at + row, spacing, later, places->part_x);
        const Vector third = mix_columns(at + 2 * row, spacing, later, places->part_x);
        const Vector upper = v_pick(below, second, first);
        const Vector lower = v_pick(below, third, second);
        return v_fma(v_sub(lower, upper), places->part_y, upper);
    }
    const VectorInt at = vi_add(vi_mul(places->y, vi_set1((int)row)), places->x);
    const Vector upper = mix_gathered(side->picture, at, places->part_x);
    const Vector lower = mix_gathered(side->picture + row, at, places->part_x);
    return v_fma(v_sub(lower, upper), places->part_y, upper);
}

/* Of the cells from the i-th from (x, y) on. */
VFI_ALWAYS_INLINE Vector difference_at(const Side side[2], int spacing, int x, int y,
                                       int i)
{
    const Vector first =
        v_add(v_set1((float)((x + i) * spacing)), v_from_int(lanes_of(spacing)));
    const Vector line = v_set1((float)(y * spacing));
    Vector luma[2], unseen = v_set1(0.0f);

    for (int f = 0; f < 2; f++) {
        const Places places = find_places(&side[f], first, line, i);
        luma[f] = luma_at(&side[f], spacing, &places);
        unseen = v_max(places.beyond, unseen);
    }
    return part_unseen(difference(luma[0], luma[1]), unseen);
}

#endif

void vfi_plain_differences(const VfiMotion *motion, int x, int y, int n, float *out)
{
    const ptrdiff_t spacing = motion->spacing;
    const ptrdiff_t at = (y * (ptrdiff_t)motion->picture_row + x) * spacing;
    const float *a = motion->picture[0] + at, *b = motion->picture[1] + at;

    for (int i = 0; i < n; i++) {
        const float distance = fabsf(a[i * spacing] - b[i * spacing]);
        out[i] = distance < 255.0f ? distance : 255.0f;
    }
}

/* Of cells that count as the first hypothesis or else the plain blend. */
VFI_ALWAYS_INLINE Vector known_difference(const VfiLumaCells *cells, int i,
                                          VectorMask first)
{
    const Vector plain = v_load(cells->plain + i);

    return cells->first == NULL ? plain : v_pick(first, v_load(cells->first + i), plain);
}

VFI_ALWAYS_INLINE bool find_differences(const Side side[2], int spacing,
                                        const VfiLumaCells *cells, float *out)
{
    VectorMask any = m_none();

    for (int i = 0; i < cells->n; i += VFI_LANES) {
        const VfiMotionSame same =
            vfi_motion_same(cells->vector[0] + i, cells->vector[1] + i,
                            cells->first == NULL ? NULL : cells->first_vector[0] + i,
                            cells->first_vector[1] + i);
        const VectorMask known = m_or(same.first, same.still);
        any = m_or(any, known);
        if (m_all(known)) {
            v_store(out + i, known_difference(cells, i, same.first));
            continue;
        }
        const Vector found = difference_at(side, spacing, cells->x, cells->y, i);
        v_store(out + i, v_pick(known, known_difference(cells, i, same.first), found));
    }
    return m_any(any);
}

static Side side_of(const VfiMotion *motion, int f, const float *const vector[2],
                    float part, bool ends_at_edge)
{
    const float pixels = (float)(1 << motion->level); /* of a cell */

    return (Side){.picture = motion->picture[f],
                  .row = (ptrdiff_t)motion->picture_row,
                  .width = motion->grid_w,
                  .height = motion->grid_h,
                  .vector_x = vector[0],
                  .vector_y = vector[1],
                  .part = part / pixels,
                  .beyond = ends_at_edge ? pixels / VFI_MOTION_EDGE : 0.0f};
}

bool vfi_luma_differences(const VfiMotion *motion, const VfiLumaCells *cells, float *out)
{
    const VfiLumaCells own = *cells; /* so that storing results changes nothing of it */
    const Side side[2] = {side_of(motion, 0, own.vector, -motion->t, true),
                          side_of(motion, 1, own.vector, 1.0f - motion->t, true)};

    return motion->spacing == 1 ? find_differences(side, 1, &own, out)
                                : find_differences(side, 2, &own, out);
}

void vfi_luma_differences_apart(const VfiMotion *motion, int x, int y, int n,
                                const float *const vector[2][2], float *out)
{
    const Side side[2] = {side_of(motion, 0, vector[0], 1.0f, false),
                          side_of(motion, 1, vector[1], 1.0f, false)};

    for (int i = 0; i < n; i += VFI_LANES)
        v_store(out + i, motion->spacing == 1 ? difference_at(side, 1, x, y, i)
                                              : difference_at(side, 2, x, y, i));
}
