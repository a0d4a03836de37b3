/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The register kernel of convolutions into channel blocks, for any vector width: a
 * product of matrices whose rows are pixels and whose columns are output channels. A
 * tile is n_rows pixels by n_vectors vectors of channels; its sums stay in registers
 * while inputs, one number for all lanes, and rows of weights go by. Each sum adds its
 * products in the same order whatever the tile's form, so results do not depend on how
 * the work was cut.
 *
 * v_dot(a, b, c) is a * b + c of the lanes, or the dot product of pairs where a lane
 * holds a pair of bf16. */

/* Pixels of a tile: what the registers hold beside the weights and one input. */
static inline int ISA(multiply_rows)(int n_vectors)
{
    return n_vectors == 3 ? MULTIPLY_ROWS_3 : MULTIPLY_ROWS_2;
}

/* One tile at pixel @p. Inlined with constant n_rows and n_vectors. */
static inline __attribute__((always_inline)) void
ISA(multiply_tile)(const VfiMultiply *m, int p, const int n_rows, const int n_vectors)
{
    const float *in = m->in + (ptrdiff_t)p * m->in_pitch;
    const ptrdiff_t in_pitch = m->in_pitch;
    const int length = m->length;
    const ptrdiff_t row_floats = (ptrdiff_t)n_vectors * VECTOR_FLOATS;
    Vector sum[MULTIPLY_ROWS_2][VFI_MULTIPLY_MAX_VECTORS];

    for (int r = 0; r < n_rows; r++)
        for (int v = 0; v < n_vectors; v++)
            sum[r][v] = v_zero();

    for (int s = 0; s < m->n_segments; s++) {
        const float *x = in + m->segments[s].in;
        const float *weight = m->weight + (ptrdiff_t)m->segments[s].row * row_floats;
        for (int k = 0; k < length; k++, weight += row_floats) {
            Vector weights[VFI_MULTIPLY_MAX_VECTORS];
#pragma GCC unroll 4
            for (int v = 0; v < n_vectors; v++)
                weights[v] = v_load(weight + (ptrdiff_t)v * VECTOR_FLOATS);
#pragma GCC unroll 16
            for (int r = 0; r < n_rows; r++) {
                Vector pixel = v_set1(x[r * in_pitch + k]);
#pragma GCC unroll 4
                for (int v = 0; v < n_vectors; v++)
                    sum[r][v] = v_dot(pixel, weights[v], sum[r][v]);
            }
        }
    }

    float *out = m->out + p * m->out_pitch;
#pragma GCC unroll 16
    for (int r = 0; r < n_rows; r++, out += m->out_pitch)
        for (int v = 0; v < n_vectors; v++)
            v_store(out + (ptrdiff_t)v * VECTOR_FLOATS, sum[r][v]);
}

/* A tile of any number of pixels that the registers hold. */
static inline __attribute__((always_inline)) void
ISA(multiply_some)(const VfiMultiply *m, int p, int n_rows, const int n_vectors)
{
    switch (n_rows) {
    case 1:
        ISA(multiply_tile)(m, p, 1, n_vectors);
        break;
    case 2:
        ISA(multiply_tile)(m, p, 2, n_vectors);
        break;
    case 3:
        ISA(multiply_tile)(m, p, 3, n_vectors);
        break;
    case 4:
        ISA(multiply_tile)(m, p, 4, n_vectors);
        break;
#if MULTIPLY_ROWS_2 > 4
    case 5:
        ISA(multiply_tile)(m, p, 5, n_vectors);
        break;
    case 6:
        ISA(multiply_tile)(m, p, 6, n_vectors);
        break;
#endif
#if MULTIPLY_ROWS_2 > 6
    case 7:
        ISA(multiply_tile)(m, p, 7, n_vectors);
        break;
    case 8:
        ISA(multiply_tile)(m, p, 8, n_vectors);
        break;
#endif
#if MULTIPLY_ROWS_2 > 8
    case 9:
        ISA(multiply_tile)(m, p, 9, n_vectors);
        break;
    case 10:
        ISA(multiply_tile)(m, p, 10, n_vectors);
        break;
    case 11:
        ISA(multiply_tile)(m, p, 11, n_vectors);
        break;
    case 12:
        ISA(multiply_tile)(m, p, 12, n_vectors);
        break;
    case 13:
        ISA(multiply_tile)(m, p, 13, n_vectors);
        break;
    case 14:
        ISA(multiply_tile)(m, p, 14, n_vectors);
        break;
#endif
    default:
        break;
    }
}

/* All pixels, in tiles that are as equal as can be. */
static inline __attribute__((always_inline)) void ISA(multiply_all)(const VfiMultiply *m,
                                                                    const int n_vectors)
{
    int most = ISA(multiply_rows)(n_vectors);
    int tiles = (m->n_pixels + most - 1) / most;

    for (int t = 0, p = 0; t < tiles; t++) {
        int n = (m->n_pixels - p + tiles - t - 1) / (tiles - t);
        ISA(multiply_some)(m, p, n, n_vectors);
        p += n;
    }
}

static void ISA(multiply)(const VfiMultiply *m)
{
    switch (m->n_vectors) {
    case 1:
        ISA(multiply_all)(m, 1);
        break;
    case 2:
        ISA(multiply_all)(m, 2);
        break;
    case 3:
        ISA(multiply_all)(m, 3);
        break;
    default:
        break;
    }
}
