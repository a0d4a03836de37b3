/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The softmax of a tile of scores, and its product with values, for any vector width.
 * Queries are lanes of two vectors, so that nothing goes on across a vector. */

/* exp(x) for x ≤ 0, as exp() in elementwise_tmpl.h: no less than exp(-87). The limit
 * comes first: the maximum then passes NaN on. */
static inline __attribute__((always_inline)) Vector ISA(exp_vector)(Vector x)
{
    const Vector round = v_set1(12582912.0f);

    x = v_max(v_set1(-87.0f), x);
    Vector shifted = v_fma(x, v_set1(1.44269504f), round);
    Vector k = v_sub(shifted, round);
    Vector r = v_fnma(k, v_set1(0.693359375f), x);
    r = v_fnma(k, v_set1(-2.12194440e-4f), r);
    Vector p = v_fma(v_set1(1.0f / 5040.0f), r, v_set1(1.0f / 720.0f));
    p = v_fma(p, r, v_set1(1.0f / 120.0f));
    p = v_fma(p, r, v_set1(1.0f / 24.0f));
    p = v_fma(p, r, v_set1(1.0f / 6.0f));
    p = v_fma(p, r, v_set1(0.5f));
    p = v_fma(p, r, v_set1(1.0f));
    p = v_fma(p, r, v_set1(1.0f));
    return v_mul(p, v_power_of_two(shifted));
}

static void ISA(softmax_tile)(const VfiSoftmaxTile *tile)
{
    const int lanes = 2 * VECTOR_FLOATS;
    float *scores = tile->scores;
    Vector before[2], most[2], sum[2];

    for (int v = 0; v < 2; v++)
        before[v] = most[v] = v_load(tile->largest + (ptrdiff_t)v * VECTOR_FLOATS);
    for (int i = 0; i < tile->n; i++)
        for (int v = 0; v < 2; v++)
            most[v] = v_max(
                v_load(scores + (ptrdiff_t)i * lanes + (ptrdiff_t)v * VECTOR_FLOATS),
                most[v]);
    for (int v = 0; v < 2; v++) {
        Vector keep = ISA(exp_vector)(v_sub(before[v], most[v]));
        sum[v] = v_mul(v_load(tile->sum + (ptrdiff_t)v * VECTOR_FLOATS), keep);
        v_store(tile->keep + (ptrdiff_t)v * VECTOR_FLOATS, keep);
        v_store(tile->largest + (ptrdiff_t)v * VECTOR_FLOATS, most[v]);
    }
    for (int i = 0; i < tile->n; i++)
        for (int v = 0; v < 2; v++) {
            float *score = scores + (ptrdiff_t)i * lanes + (ptrdiff_t)v * VECTOR_FLOATS;
            Vector part = ISA(exp_vector)(v_sub(v_load(score), most[v]));
            sum[v] = v_add(sum[v], part);
            v_store(score, part);
        }
    for (int v = 0; v < 2; v++)
        v_store(tile->sum + (ptrdiff_t)v * VECTOR_FLOATS, sum[v]);
}

/* Channels whose sums the registers hold. */
#define WEIGH_ROWS (VECTOR_FLOATS / 2)

static inline __attribute__((always_inline)) void
ISA(weigh_rows)(const VfiWeighTile *tile, int first)
{
    const int lanes = 2 * VECTOR_FLOATS;
    const float *value = tile->values + first, *part = tile->parts;
    Vector sum[WEIGH_ROWS][2];

    for (int r = 0; r < WEIGH_ROWS; r++)
        sum[r][0] = sum[r][1] = v_zero();
    for (int i = 0; i < tile->n; i++, value += VECTOR_FLOATS, part += lanes) {
        Vector part0 = v_load(part), part1 = v_load(part + VECTOR_FLOATS);
#pragma GCC unroll 8
        for (int r = 0; r < WEIGH_ROWS; r++) {
            Vector x = v_set1(value[r]);
            sum[r][0] = v_fma(x, part0, sum[r][0]);
            sum[r][1] = v_fma(x, part1, sum[r][1]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < WEIGH_ROWS; r++)
        for (int v = 0; v < 2; v++) {
            float *to = tile->sums + (ptrdiff_t)(first + r) * lanes +
                        (ptrdiff_t)v * VECTOR_FLOATS;
            Vector kept = sum[r][v];
            if (tile->keep != NULL)
                kept = v_fma(v_load(to),
                             v_load(tile->keep + (ptrdiff_t)v * VECTOR_FLOATS), kept);
            v_store(to, kept);
        }
}

static void ISA(weigh_tile)(const VfiWeighTile *tile)
{
    ISA(weigh_rows)(tile, 0);
    ISA(weigh_rows)(tile, WEIGH_ROWS);
}
