/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CORRELATION of channel blocks, for any vector width. A row of three places is done at a
 * time: it lies between two rows of pixels, and its sums of products and of squares, with
 * all that is between, stay in sixteen registers. */

/* Of one pixel: a row of places' two rows of four pixels, zero beyond the border. */
typedef struct {
    const float *pixel[2][4];
    ptrdiff_t step[2][4]; /* to the same pixel of the next block; 0: beyond the border */
} ISA(CorrelationRows);

typedef struct {
    Vector products[3], squares[3], own;
} ISA(CorrelationSums);

static inline __attribute__((always_inline)) Vector
ISA(between)(Vector a, Vector b, Vector before, Vector behind)
{
    return v_fma(b, behind, v_mul(a, before));
}

/* Over all blocks; the weights are of what is before and behind a place. */
static inline __attribute__((always_inline)) ISA(CorrelationSums)
    ISA(sum_blocks)(const VfiCorrelationBlocks *c, const ISA(CorrelationRows) * rows,
                    const float *reference, const float weight_x[2],
                    const float weight_y[2])
{
    Vector left = v_set1(weight_x[0]), right = v_set1(weight_x[1]);
    Vector top = v_set1(weight_y[0]), bottom = v_set1(weight_y[1]);
    ISA(CorrelationSums)
    sums = {.own = v_zero()};

    for (int k = 0; k < 3; k++)
        sums.products[k] = sums.squares[k] = v_zero();
    for (ptrdiff_t b = 0; b < c->blocks; b++) {
        Vector own = v_load(reference + (size_t)b * c->reference_plane);
        Vector column[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
            column[i] = ISA(between)(v_load(rows->pixel[0][i] + b * rows->step[0][i]),
                                     v_load(rows->pixel[1][i] + b * rows->step[1][i]),
                                     top, bottom);
        sums.own = v_fma(own, own, sums.own);
#pragma GCC unroll 3
        for (int k = 0; k < 3; k++) {
            Vector value = ISA(between)(column[k], column[k + 1], left, right);
            sums.products[k] = v_fma(own, value, sums.products[k]);
            sums.squares[k] = v_fma(value, value, sums.squares[k]);
        }
    }
    return sums;
}

/* Brings @place into 0 … @size - 1, NaN to 0; sets the weights of the pixel that is
 * returned and of the one behind it. */
static inline int ISA(find_pixel)(float place, int size, float weight[2])
{
    place = place > 0.0f ? place : 0.0f;
    int pixel = place < (float)(size - 1) ? (int)place : size - 1;
    weight[1] = place < (float)(size - 1) ? place - (float)pixel : 0.0f;
    weight[0] = 1.0f - weight[1];
    return pixel;
}

/* The cosines at the three places whose rows are @y and @y + 1. */
static inline __attribute__((always_inline)) __m128
ISA(compare_row)(const VfiCorrelationBlocks *c, const float *reference, int y, int x,
                 const float weight_x[2], const float weight_y[2])
{
    static const float zeros[VECTOR_FLOATS];
    const __m128 epsilon = _mm_set1_ps(VFI_CORRELATION_EPSILON);
    ISA(CorrelationRows)
    rows;

    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 4; k++) {
            int row = y + i, column = x + k - 1;
            bool inside = row >= 0 && row < c->h && column >= 0 && column < c->w;
            ptrdiff_t pixel = (ptrdiff_t)row * c->w + column;
            rows.pixel[i][k] = inside ? c->src + pixel * VECTOR_FLOATS : zeros;
            rows.step[i][k] = inside ? (ptrdiff_t)c->plane : 0;
        }
    ISA(CorrelationSums)
    sums = ISA(sum_blocks)(c, &rows, reference, weight_x, weight_y);
    __m128 products =
        v_sums(sums.products[0], sums.products[1], sums.products[2], sums.own);
    __m128 squares = v_sums(sums.squares[0], sums.squares[1], sums.squares[2], sums.own);
    __m128 norms = _mm_sqrt_ps(_mm_add_ps(squares, epsilon));
    return _mm_div_ps(products, _mm_mul_ps(norms, _mm_shuffle_ps(norms, norms, 0xff)));
}

static void ISA(correlation_blocks)(const VfiCorrelationBlocks *c)
{
    for (int i = 0; i < c->w; i++) {
        const float *reference = c->reference + (ptrdiff_t)i * VECTOR_FLOATS;
        float weight_x[2], weight_y[2], cosines[4];
        int x = ISA(find_pixel)((float)i + c->flow_x[i], c->w, weight_x);
        int y = ISA(find_pixel)((float)c->y + c->flow_y[i], c->h, weight_y);
        for (int row = 0; row < 3; row++) {
            _mm_storeu_ps(cosines, ISA(compare_row)(c, reference, y + row - 1, x,
                                                    weight_x, weight_y));
            for (int k = 0; k < 3; k++)
                c->dst[(size_t)(3 * row + k) * c->dst_plane + (size_t)i] = cosines[k];
        }
    }
}
