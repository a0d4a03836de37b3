/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of bf16 pairs with AVX512-BF16: twice the multiply-adds of floats. */
#include "vector_avx512.h"

#include "../kernel_table.h"

#undef ISA
#define ISA(name) name##_avx512_bf16
#undef v_dot
#define v_dot(a, b, c) ((Vector)_mm512_dpbf16_ps(c, (__m512bh)(a), (__m512bh)(b)))

#include "multiply_tmpl.h"

/* One pixel of a channel block as eight pairs. */
static inline void store_pairs(uint32_t *dst, Vector pixel)
{
    _mm256_storeu_si256((__m256i *)(void *)dst, (__m256i)_mm512_cvtneps_pbh(pixel));
}

static void pair_row_avx512_bf16(const VfiPairsRow *row)
{
    for (int i = 0; i < row->n; i++) {
        int x = row->x_begin + i;
        bool inside = row->src != NULL && x >= 0 && x < row->w;
        store_pairs(row->dst + (size_t)i * (VECTOR_FLOATS / 2),
                    inside ? v_load(row->src + (size_t)x * VECTOR_FLOATS) : v_zero());
    }
}

void vfi_cpu_kernels_fill_avx512_bf16(VfiCpuKernels *kernels)
{
    kernels->multiply_bf16 = ISA(multiply);
    kernels->pair_row = pair_row_avx512_bf16;
}
