/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The register kernel of the direct convolution, for any vector width. A tile is n_out
 * channels by n_vectors vectors of flat pixels; all its sums stay in registers while
 * the input channels and taps go by. Each sum adds its products in the same order
 * whatever the tile's form, so results do not depend on how the work was cut. */

/* One tile at flat pixel @p. Inlined with constant n_out and n_vectors. */
static inline __attribute__((always_inline)) void
ISA(conv_tile)(const VfiConvBlock *block, int p, const int n_out, const int n_vectors)
{
    const float *weight = block->weight, *in = block->in + p;
    const int32_t *tap_offset = block->tap_offset;
    const int n_taps = block->n_taps;
    Vector sum[CONV_OUT][CONV_VECTORS];

    for (int o = 0; o < n_out; o++)
        for (int v = 0; v < n_vectors; v++)
            sum[o][v] = v_zero();

    for (int i = 0; i < block->n_in; i++, in += block->in_plane) {
        for (int t = 0; t < n_taps; t++, weight += n_out) {
            const float *x = in + tap_offset[t];
            Vector pixels[CONV_VECTORS];
#pragma GCC unroll 4
            for (int v = 0; v < n_vectors; v++)
                pixels[v] = v_load(x + (ptrdiff_t)v * VECTOR_FLOATS);
#pragma GCC unroll 8
            for (int o = 0; o < n_out; o++) {
                Vector w = v_set1(weight[o]);
#pragma GCC unroll 4
                for (int v = 0; v < n_vectors; v++)
                    sum[o][v] = v_fma(pixels[v], w, sum[o][v]);
            }
        }
    }

    for (int o = 0; o < n_out; o++) {
        float *acc = block->acc + (size_t)o * block->acc_pitch + p;
        for (int v = 0; v < n_vectors; v++, acc += VECTOR_FLOATS)
            v_store(acc, block->adds ? v_add(v_load(acc), sum[o][v]) : sum[o][v]);
    }
}

/* All tiles of a block of n_out channels. */
static inline __attribute__((always_inline)) void
ISA(conv_tiles)(const VfiConvBlock *block, const int n_out)
{
    int p = 0;

    for (; p + (CONV_VECTORS - 1) * VECTOR_FLOATS < block->n_flat;
         p += CONV_VECTORS * VECTOR_FLOATS)
        ISA(conv_tile)(block, p, n_out, CONV_VECTORS);
    if (p + VECTOR_FLOATS < block->n_flat)
        ISA(conv_tile)(block, p, n_out, 2);
    else if (p < block->n_flat)
        ISA(conv_tile)(block, p, n_out, 1);
}

static void ISA(conv_block)(const VfiConvBlock *block)
{
    switch (block->n_out) {
    case 1:
        ISA(conv_tiles)(block, 1);
        break;
    case 2:
        ISA(conv_tiles)(block, 2);
        break;
    case 3:
        ISA(conv_tiles)(block, 3);
        break;
    case 4:
        ISA(conv_tiles)(block, 4);
        break;
#if CONV_OUT > 4
    case 5:
        ISA(conv_tiles)(block, 5);
        break;
    case 6:
        ISA(conv_tiles)(block, 6);
        break;
    case 7:
        ISA(conv_tiles)(block, 7);
        break;
    case 8:
        ISA(conv_tiles)(block, 8);
        break;
#endif
    default:
        break;
    }
}

static void ISA(pack_row)(const VfiPackRow *row)
{
    int stride = row->stride, x_begin = row->x_begin, n = row->n;
    float *dst = row->dst;
    /* Columns [begin, end) lie inside the source. */
    int begin = x_begin >= 0 ? 0 : (-x_begin + stride - 1) / stride;
    int end = row->w > x_begin ? (row->w - 1 - x_begin) / stride + 1 : 0;

    begin = begin < n ? begin : n;
    end = end < n ? end : n;
    if (row->src == NULL || end <= begin) {
        memset(dst, 0, (size_t)n * sizeof *dst);
        return;
    }
    const float *src = row->src + x_begin;
    memset(dst, 0, (size_t)begin * sizeof *dst);
    if (stride == 1) {
        memcpy(dst + begin, src + begin, (size_t)(end - begin) * sizeof *dst);
    } else if (stride == 2) {
        for (int c = begin; c < end; c++)
            dst[c] = src[2 * (ptrdiff_t)c];
    } else {
        for (int c = begin; c < end; c++)
            dst[c] = src[stride * (ptrdiff_t)c];
    }
    memset(dst + end, 0, (size_t)(n - end) * sizeof *dst);
}

static void ISA(fill_conv)(VfiCpuKernels *kernels)
{
    kernels->conv_block = ISA(conv_block);
    kernels->pack_row = ISA(pack_row);
    kernels->conv_out_block = CONV_OUT;
    kernels->vector_floats = VECTOR_FLOATS;
}
