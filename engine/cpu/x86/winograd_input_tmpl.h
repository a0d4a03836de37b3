/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input side of Winograd's F(4×4, 3×3) and F(6×6, 3×3) (Lavin and Gray, "Fast
 * Algorithms for Convolutional Neural Networks", 2016) for any vector width; a vector
 * holds one pixel or point of a channel block, and v_store_point() writes a point.
 * Interpolation points: winograd_forms.c says why. */

/* Bᵀ x of F(4×4): six pixels to six points. a = 5/8, b = 3/2. */
static inline __attribute__((always_inline)) void ISA(input_points_4)(const Vector *x,
                                                                      Vector *y)
{
    const Vector a = v_set1(0.625f), a2 = v_set1(0.390625f);
    const Vector b = v_set1(1.5f), b2 = v_set1(2.25f);
    const Vector sum = v_set1(2.640625f), product = v_set1(0.87890625f); /* of a², b² */
    Vector even_a = v_fnma(b2, x[2], x[4]), even_b = v_fnma(a2, x[2], x[4]);
    Vector odd_a = v_mul(a, v_fnma(b2, x[1], x[3]));
    Vector odd_b = v_mul(b, v_fnma(a2, x[1], x[3]));

    y[0] = v_fma(product, x[0], v_fnma(sum, x[2], x[4]));
    y[1] = v_add(even_a, odd_a);
    y[2] = v_sub(even_a, odd_a);
    y[3] = v_add(even_b, odd_b);
    y[4] = v_sub(even_b, odd_b);
    y[5] = v_fma(product, x[1], v_fnma(sum, x[3], x[5]));
}

/* Bᵀ x of F(6×6): eight pixels to eight points. */
static inline __attribute__((always_inline)) void ISA(input_points_6)(const Vector *x,
                                                                      Vector *y)
{
    const Vector two = v_set1(2.0f), half = v_set1(0.5f), quarter = v_set1(0.25f);
    const Vector four = v_set1(4.0f), a = v_set1(5.25f), b = v_set1(4.25f);
    const Vector c = v_set1(1.25f), d = v_set1(2.5f);
    Vector even1 = v_fnma(b, x[4], v_add(x[2], x[6]));
    Vector odd1 = v_fnma(b, x[3], v_add(x[1], x[5]));
    Vector even2 = v_fnma(c, x[4], v_fma(quarter, x[2], x[6]));
    Vector odd2 = v_fma(two, x[5], v_fnma(d, x[3], v_mul(half, x[1])));
    Vector even3 = v_fma(four, v_fnma(c, x[4], x[2]), x[6]);
    Vector odd3 = v_fma(half, x[5], v_fnma(d, x[3], v_mul(two, x[1])));

    y[0] = v_fma(a, v_sub(x[4], x[2]), v_sub(x[0], x[6]));
    y[1] = v_add(even1, odd1);
    y[2] = v_sub(even1, odd1);
    y[3] = v_add(even2, odd2);
    y[4] = v_sub(even2, odd2);
    y[5] = v_add(even3, odd3);
    y[6] = v_sub(even3, odd3);
    y[7] = v_fma(a, v_sub(x[3], x[5]), v_sub(x[7], x[1]));
}

/* Nine pixels to nine points for stride 2: Bᵀ of F(4, 2) with the points 0, 1, -1, 2, ∞
 * for the pixels of the outer taps, and for those of the middle tap what adds to its
 * sums. */
static inline __attribute__((always_inline)) void
ISA(input_points_stride_2)(const Vector *x, Vector *y)
{
    const Vector two = v_set1(2.0f), three = v_set1(3.0f);
    Vector difference = v_sub(x[6], x[2]);
    Vector twice = v_mul(two, x[2]);

    y[0] = v_fma(two, v_sub(x[0], x[4]), difference);
    y[1] = v_sub(v_sub(x[6], x[4]), twice);
    y[2] = v_add(v_fnma(three, x[4], x[6]), twice);
    y[3] = difference;
    y[4] = v_fnma(two, difference, v_sub(x[8], x[4]));
    y[5] = v_sub(x[1], x[5]);
    y[6] = v_add(x[5], x[3]);
    y[7] = v_sub(x[5], x[3]);
    y[8] = v_sub(x[7], x[3]);
}

static inline __attribute__((always_inline)) void
ISA(input_points)(const VfiWinogradForm form, const Vector *pixels, Vector *points)
{
    if (form == VFI_WINOGRAD_4)
        ISA(input_points_4)(pixels, points);
    else if (form == VFI_WINOGRAD_6)
        ISA(input_points_6)(pixels, points);
    else
        ISA(input_points_stride_2)(pixels, points);
}

/* Points of a patch: columns first, then rows. Inlined with a constant form. */
static inline __attribute__((always_inline)) void
ISA(winograd_input_of)(const VfiWinogradInput *w, const VfiWinogradForm form)
{
    const int patch = vfi_winograd_sizes[form].patch;
    Vector rows[9][9];

#pragma GCC unroll 9
    for (int x = 0; x < patch; x++) {
        Vector column[9], points[9];
#pragma GCC unroll 9
        for (int y = 0; y < patch; y++)
            column[y] =
                v_load(w->src + (size_t)y * w->row_pitch + (size_t)(x * VECTOR_FLOATS));
        ISA(input_points)(form, column, points);
#pragma GCC unroll 9
        for (int y = 0; y < patch; y++)
            rows[y][x] = points[y];
    }
#pragma GCC unroll 9
    for (int y = 0; y < patch; y++) {
        Vector points[9];
        ISA(input_points)(form, rows[y], points);
#pragma GCC unroll 9
        for (int x = 0; x < patch; x++)
            v_store_point(w->dst + (size_t)(patch * y + x) * w->point_pitch, points[x]);
    }
}
