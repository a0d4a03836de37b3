/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output side of Winograd's algorithm for any vector width, and all its kernels for
 * the table; winograd_input_tmpl.h has the other side and says more. */
#define v_store_point(p, x) v_store(p, x)

#include "cpu/x86/winograd_input_tmpl.h"

/* Aᵀ x of F(4×4): six points to four pixels. */
static inline __attribute__((always_inline)) void ISA(output_points_4)(const Vector *x,
                                                                       Vector *y)
{
    const Vector a = v_set1(0.625f), a2 = v_set1(0.390625f), a3 = v_set1(0.244140625f);
    const Vector b = v_set1(1.5f), b2 = v_set1(2.25f), b3 = v_set1(3.375f);
    Vector sum1 = v_add(x[1], x[2]), difference1 = v_sub(x[1], x[2]);
    Vector sum2 = v_add(x[3], x[4]), difference2 = v_sub(x[3], x[4]);

    y[0] = v_add(x[0], v_add(sum1, sum2));
    y[1] = v_fma(b, difference2, v_mul(a, difference1));
    y[2] = v_fma(b2, sum2, v_mul(a2, sum1));
    y[3] = v_fma(b3, difference2, v_fma(a3, difference1, x[5]));
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
ISA(output_points)(const VfiWinogradForm form, const Vector *sums, Vector *pixels)
{
    if (form == VFI_WINOGRAD_4)
        ISA(output_points_4)(sums, pixels);
    else if (form == VFI_WINOGRAD_6)
        ISA(output_points_6)(sums, pixels);
    else
        ISA(output_points_stride_2)(sums, pixels);
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
