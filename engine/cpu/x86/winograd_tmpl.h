/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transforms of Winograd's F(4×4, 3×3) and F(6×6, 3×3) (Lavin and Gray, "Fast Algorithms
 * for Convolutional Neural Networks", 2016) for any vector width; a vector holds one pixel or
 * point of a channel block. Interpolation points: 0, ±1, ±2, ∞ and, for F(6×6), ±1/2. */

/* Bᵀ x of F(4×4): six pixels to six points. */
static inline __attribute__((always_inline)) void ISA(input_points_4)(const Vector *x,
                                                                      Vector *y)
{
    const Vector four = v_set1(4.0f), five = v_set1(5.0f), two = v_set1(2.0f);
    Vector even = v_fnma(four, x[2], x[4]); /* x4 - 4 x2 */
    Vector odd = v_fnma(four, x[1], x[3]);  /* x3 - 4 x1 */
    Vector even2 = v_sub(x[4], x[2]);
    Vector odd2 = v_mul(two, v_sub(x[3], x[1]));

    y[0] = v_fma(four, x[0], v_fnma(five, x[2], x[4]));
    y[1] = v_add(even, odd);
    y[2] = v_sub(even, odd);
    y[3] = v_add(even2, odd2);
    y[4] = v_sub(even2, odd2);
    y[5] = v_fma(four, x[1], v_fnma(five, x[3], x[5]));
}

/* Aᵀ x of F(4×4): six points to four pixels. */
static inline __attribute__((always_inline)) void ISA(output_points_4)(const Vector *x,
                                                                       Vector *y)
{
    const Vector two = v_set1(2.0f), four = v_set1(4.0f), eight = v_set1(8.0f);
    Vector sum1 = v_add(x[1], x[2]), difference1 = v_sub(x[1], x[2]);
    Vector sum2 = v_add(x[3], x[4]), difference2 = v_sub(x[3], x[4]);

    y[0] = v_add(x[0], v_add(sum1, sum2));
    y[1] = v_fma(two, difference2, difference1);
    y[2] = v_fma(four, sum2, sum1);
    y[3] = v_add(x[5], v_fma(eight, difference2, difference1));
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

/* Aᵀ x of F(6×6): eight points to six pixels. */
static inline __attribute__((always_inline)) void ISA(output_points_6)(const Vector *x,
                                                                       Vector *y)
{
    Vector sum1 = v_add(x[1], x[2]), difference1 = v_sub(x[1], x[2]);
    Vector sum2 = v_add(x[3], x[4]), difference2 = v_sub(x[3], x[4]);
    Vector sum3 = v_add(x[5], x[6]), difference3 = v_sub(x[5], x[6]);

    y[0] = v_add(v_add(x[0], sum1), v_add(sum2, sum3));
    y[1] =
        v_fma(v_set1(0.5f), difference3, v_fma(v_set1(2.0f), difference2, difference1));
    y[2] = v_fma(v_set1(0.25f), sum3, v_fma(v_set1(4.0f), sum2, sum1));
    y[3] =
        v_fma(v_set1(0.125f), difference3, v_fma(v_set1(8.0f), difference2, difference1));
    y[4] = v_fma(v_set1(0.0625f), sum3, v_fma(v_set1(16.0f), sum2, sum1));
    y[5] = v_add(x[7], v_fma(v_set1(0.03125f), difference3,
                             v_fma(v_set1(32.0f), difference2, difference1)));
}

/* Points of a patch of @patch × @patch pixels: columns first, then rows. */
static inline __attribute__((always_inline)) void
ISA(winograd_input_of)(const VfiWinogradInput *w, const int patch)
{
    for (int b = 0; b < w->n_blocks; b++) {
        const float *src = w->src + (size_t)b * w->block_pitch;
        float *dst = w->dst + (size_t)b * VECTOR_FLOATS;
        Vector rows[8][8];

        /* The next tile's pixels come from afar; rows are too many for the CPU to guess. */
#pragma GCC unroll 8
        for (int y = 0; y < patch; y++)
#pragma GCC unroll 8
            for (int x = patch; x < 2 * patch - 2; x++)
                v_prefetch(src + (size_t)y * w->row_pitch + x * VECTOR_FLOATS);
#pragma GCC unroll 8
        for (int x = 0; x < patch; x++) {
            Vector column[8], points[8];
#pragma GCC unroll 8
            for (int y = 0; y < patch; y++)
                column[y] = v_load(src + (size_t)y * w->row_pitch + x * VECTOR_FLOATS);
            if (patch == 6)
                ISA(input_points_4)(column, points);
            else
                ISA(input_points_6)(column, points);
#pragma GCC unroll 8
            for (int y = 0; y < patch; y++)
                rows[y][x] = points[y];
        }
#pragma GCC unroll 8
        for (int y = 0; y < patch; y++) {
            Vector points[8];
            if (patch == 6)
                ISA(input_points_4)(rows[y], points);
            else
                ISA(input_points_6)(rows[y], points);
#pragma GCC unroll 8
            for (int x = 0; x < patch; x++, dst += w->point_pitch)
                v_store(dst, points[x]);
        }
    }
}

/* Pixels of a tile of @tile × @tile: columns first, then rows. */
static inline __attribute__((always_inline)) void
ISA(winograd_output_of)(const VfiWinogradOutput *w, const int tile,
                        const VfiResidual place)
{
    const int patch = tile + 2;
    Vector bias = v_load(w->epilogue.bias), slope = v_load(w->epilogue.slope);
    Vector rows[6][8];

#pragma GCC unroll 8
    for (int x = 0; x < patch; x++) {
        Vector column[8], pixels[6];
#pragma GCC unroll 8
        for (int y = 0; y < patch; y++)
            column[y] = v_load(w->src + (size_t)(patch * y + x) * w->point_pitch);
        if (tile == 4)
            ISA(output_points_4)(column, pixels);
        else
            ISA(output_points_6)(column, pixels);
#pragma GCC unroll 8
        for (int y = 0; y < tile; y++)
            rows[y][x] = pixels[y];
    }
#pragma GCC unroll 8
    for (int y = 0; y < tile; y++) {
        Vector pixels[6];
        if (tile == 4)
            ISA(output_points_4)(rows[y], pixels);
        else
            ISA(output_points_6)(rows[y], pixels);
#pragma GCC unroll 8
        for (int x = 0; x < tile; x++) {
            size_t at = (size_t)y * w->row_pitch + (size_t)(x * VECTOR_FLOATS);
            const float *residual = place == VFI_RESIDUAL_NONE ? NULL : w->residual + at;
            v_store(w->dst + at, ISA(finish)(pixels[x], bias, slope, residual, place));
        }
    }
}

static inline __attribute__((always_inline)) void
ISA(winograd_output_any)(const VfiWinogradOutput *w, const int tile)
{
    switch (w->epilogue.residual_place) {
    case VFI_RESIDUAL_NONE:
        ISA(winograd_output_of)(w, tile, VFI_RESIDUAL_NONE);
        break;
    case VFI_RESIDUAL_BEFORE_ACTIVATION:
        ISA(winograd_output_of)(w, tile, VFI_RESIDUAL_BEFORE_ACTIVATION);
        break;
    case VFI_RESIDUAL_AFTER_ACTIVATION:
        ISA(winograd_output_of)(w, tile, VFI_RESIDUAL_AFTER_ACTIVATION);
        break;
    }
}

static void ISA(winograd_input_4)(const VfiWinogradInput *w)
{
    ISA(winograd_input_of)(w, 6);
}

static void ISA(winograd_output_4)(const VfiWinogradOutput *w)
{
    ISA(winograd_output_any)(w, 4);
}

static void ISA(winograd_input_6)(const VfiWinogradInput *w)
{
    ISA(winograd_input_of)(w, 8);
}

static void ISA(winograd_output_6)(const VfiWinogradOutput *w)
{
    ISA(winograd_output_any)(w, 6);
}

static void ISA(fill_winograd)(VfiCpuKernels *kernels)
{
    kernels->winograd_input[VFI_WINOGRAD_4] = ISA(winograd_input_4);
    kernels->winograd_output[VFI_WINOGRAD_4] = ISA(winograd_output_4);
    kernels->winograd_input[VFI_WINOGRAD_6] = ISA(winograd_input_6);
    kernels->winograd_output[VFI_WINOGRAD_6] = ISA(winograd_output_6);
}
