/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transforms of Winograd's F(4×4, 3×3) (Lavin and Gray, "Fast Algorithms for
 * Convolutional Neural Networks", 2016) for any vector width; a vector holds one point of
 * neighbouring tiles. Both run over columns first, where rows are contiguous pixels, then
 * over rows, where every fourth pixel belongs to the same place of a tile. */

/* Bᵀ x for six points. */
static inline void ISA(input_points)(const Vector *x, Vector *y)
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

/* Aᵀ x: six points to four pixels. */
static inline void ISA(output_points)(const Vector *x, Vector *y)
{
    const Vector two = v_set1(2.0f), four = v_set1(4.0f), eight = v_set1(8.0f);
    Vector sum1 = v_add(x[1], x[2]), difference1 = v_sub(x[1], x[2]);
    Vector sum2 = v_add(x[3], x[4]), difference2 = v_sub(x[3], x[4]);

    y[0] = v_add(x[0], v_add(sum1, sum2));
    y[1] = v_fma(two, difference2, difference1);
    y[2] = v_fma(four, sum2, sum1);
    y[3] = v_add(x[5], v_fma(eight, difference2, difference1));
}

static void ISA(winograd_input)(const VfiWinogradInput *w)
{
    int n_columns = 4 * w->n_tiles + 2;

    for (int x = 0; x < n_columns; x += VECTOR_FLOATS) {
        Vector column[6], points[6];
        for (int i = 0; i < 6; i++)
            column[i] = v_load(w->rows[i] + x);
        ISA(input_points)(column, points);
        for (int i = 0; i < 6; i++)
            v_store(w->scratch + (size_t)i * w->scratch_pitch + x, points[i]);
    }
    for (int i = 0; i < 6; i++) {
        const float *row = w->scratch + (size_t)i * w->scratch_pitch;
        float *dst = w->dst + (size_t)(6 * i) * w->point_pitch;
        for (int t = 0; t < w->n_tiles; t += VECTOR_FLOATS) {
            Vector place[8], points[6];
            ISA(split4)(row + 4 * (ptrdiff_t)t, place);
            ISA(split4)
            (row + 4 * (ptrdiff_t)t + 4, place + 4); /* its first two are used */
            ISA(input_points)(place, points);
            for (int j = 0; j < 6; j++)
                v_store(dst + (size_t)j * w->point_pitch + t, points[j]);
        }
    }
}

static void ISA(winograd_output)(const VfiWinogradOutput *w)
{
    for (int t = 0; t < w->n_tiles; t += VECTOR_FLOATS) {
        Vector rows[4][6];
        for (int j = 0; j < 6; j++) {
            Vector column[6], pixels[4];
            for (int i = 0; i < 6; i++)
                column[i] = v_load(w->src + (size_t)(6 * i + j) * w->point_pitch + t);
            ISA(output_points)(column, pixels);
            for (int r = 0; r < 4; r++)
                rows[r][j] = pixels[r];
        }
        for (int r = 0; r < 4; r++) {
            Vector pixels[4];
            ISA(output_points)(rows[r], pixels);
            ISA(merge4)(pixels, w->dst + (size_t)r * w->row_pitch + 4 * (ptrdiff_t)t);
        }
    }
}

static void ISA(fill_winograd)(VfiCpuKernels *kernels)
{
    kernels->winograd_input = ISA(winograd_input);
    kernels->winograd_output = ISA(winograd_output);
}
