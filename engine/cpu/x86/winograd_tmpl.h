/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transforms of Winograd's F(4×4, 3×3) and F(6×6, 3×3) (Lavin and Gray, "Fast Algorithms
 * for Convolutional Neural Networks", 2016) for any vector width; a vector holds one pixel or
 * point of a channel block. Interpolation points: 0, ±1, ±2, ∞ and, for F(6×6), ±1/2. For
 * stride 2 see conv_winograd_forms.c. */

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

/* Nine pixels to nine points for stride 2: Bᵀ of F(4, 2) with the points 0, 1, -1, 2, ∞ for
 * the pixels of the outer taps, and for those of the middle tap what adds to its sums. */
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

/* Aᵀ x of F(4, 2): five sums to four pixels. */
static inline __attribute__((always_inline)) void
ISA(output_points_stride_2)(const Vector *x, Vector *y)
{
    const Vector two = v_set1(2.0f), four = v_set1(4.0f), eight = v_set1(8.0f);
    Vector sum = v_add(x[1], x[2]), difference = v_sub(x[1], x[2]);

    y[0] = v_add(v_add(x[0], x[3]), sum);
    y[1] = v_fma(two, x[3], difference);
    y[2] = v_fma(four, x[3], sum);
    y[3] = v_add(x[4], v_fma(eight, x[3], difference));
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

static inline __attribute__((always_inline)) void
ISA(output_points)(const VfiWinogradForm form, const Vector *sums, Vector *pixels)
{
    if (form == VFI_WINOGRAD_4)
        ISA(output_points_4)(sums, pixels);
    else if (form == VFI_WINOGRAD_6)
        ISA(output_points_6)(sums, pixels);
    else
        ISA(output_points_stride_2)(sums, pixels);
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
            v_store(w->dst + (size_t)(patch * y + x) * w->point_pitch, points[x]);
    }
}

/* Pixels of a tile: columns first, then rows. Inlined with a constant form and place. */
static inline __attribute__((always_inline)) void
ISA(winograd_output_of)(const VfiWinogradOutput *w, const VfiWinogradForm form,
                        const VfiResidual place)
{
    const int sums = vfi_winograd_sizes[form].sums;
    const int tile = vfi_winograd_sizes[form].tile;
    Vector bias = v_load(w->epilogue.bias), slope = v_load(w->epilogue.slope);
    Vector rows[6][8];

#pragma GCC unroll 8
    for (int x = 0; x < sums; x++) {
        Vector column[8], pixels[6];
#pragma GCC unroll 8
        for (int y = 0; y < sums; y++)
            column[y] = v_load(w->src + (size_t)(sums * y + x) * w->sum_pitch);
        ISA(output_points)(form, column, pixels);
#pragma GCC unroll 8
        for (int y = 0; y < tile; y++)
            rows[y][x] = pixels[y];
    }
#pragma GCC unroll 8
    for (int y = 0; y < tile; y++) {
        Vector pixels[6];
        ISA(output_points)(form, rows[y], pixels);
#pragma GCC unroll 8
        for (int x = 0; x < tile; x++) {
            size_t at = (size_t)y * w->row_pitch + (size_t)(x * VECTOR_FLOATS);
            const float *residual = place == VFI_RESIDUAL_NONE ? NULL : w->residual + at;
            v_store(w->dst + at, ISA(finish)(pixels[x], bias, slope, residual, place));
        }
    }
}

static inline __attribute__((always_inline)) void
ISA(winograd_output_any)(const VfiWinogradOutput *w, const VfiWinogradForm form)
{
    switch (w->epilogue.residual_place) {
    case VFI_RESIDUAL_NONE:
        ISA(winograd_output_of)(w, form, VFI_RESIDUAL_NONE);
        break;
    case VFI_RESIDUAL_BEFORE_ACTIVATION:
        ISA(winograd_output_of)(w, form, VFI_RESIDUAL_BEFORE_ACTIVATION);
        break;
    case VFI_RESIDUAL_AFTER_ACTIVATION:
        ISA(winograd_output_of)(w, form, VFI_RESIDUAL_AFTER_ACTIVATION);
        break;
    }
}

static void ISA(winograd_input_4)(const VfiWinogradInput *w)
{
    ISA(winograd_input_of)(w, VFI_WINOGRAD_4);
}

static void ISA(winograd_output_4)(const VfiWinogradOutput *w)
{
    ISA(winograd_output_any)(w, VFI_WINOGRAD_4);
}

static void ISA(winograd_input_6)(const VfiWinogradInput *w)
{
    ISA(winograd_input_of)(w, VFI_WINOGRAD_6);
}

static void ISA(winograd_output_6)(const VfiWinogradOutput *w)
{
    ISA(winograd_output_any)(w, VFI_WINOGRAD_6);
}

static void ISA(winograd_input_stride_2)(const VfiWinogradInput *w)
{
    ISA(winograd_input_of)(w, VFI_WINOGRAD_4_STRIDE_2);
}

static void ISA(winograd_output_stride_2)(const VfiWinogradOutput *w)
{
    ISA(winograd_output_any)(w, VFI_WINOGRAD_4_STRIDE_2);
}

static void ISA(fill_winograd)(VfiCpuKernels *kernels)
{
    kernels->winograd_input[VFI_WINOGRAD_4] = ISA(winograd_input_4);
    kernels->winograd_output[VFI_WINOGRAD_4] = ISA(winograd_output_4);
    kernels->winograd_input[VFI_WINOGRAD_6] = ISA(winograd_input_6);
    kernels->winograd_output[VFI_WINOGRAD_6] = ISA(winograd_output_6);
    kernels->winograd_input[VFI_WINOGRAD_4_STRIDE_2] = ISA(winograd_input_stride_2);
    kernels->winograd_output[VFI_WINOGRAD_4_STRIDE_2] = ISA(winograd_output_stride_2);
}
