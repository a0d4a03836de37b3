/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of bf16 pairs with AVX512-BF16, twice the multiply-adds of floats, and the
 * transform that makes the pairs: of channels 2k and 2k + 1 of a block. */
#include "cpu/x86/vector_avx512.h"

#include "cpu/kernel_table.h"

#undef ISA
#define ISA(name) name##_avx512_bf16
#undef v_dot
#define v_dot(a, b, c) ((Vector)_mm512_dpbf16_ps(c, (__m512bh)(a), (__m512bh)(b)))

#include "cpu/x86/multiply_tmpl.h"

#define v_store_point(p, x)                                                              \
    _mm256_storeu_si256((__m256i *)(void *)(p), (__m256i)_mm512_cvtneps_pbh(x))

#include "cpu/x86/winograd_input_tmpl.h"

static void winograd_input_4_avx512_bf16(const VfiWinogradInput *w)
{
    ISA(winograd_input_of)(w, VFI_WINOGRAD_4);
}

/* The output side is that of f32: fill_avx512() comes first. */
void vfi_cpu_kernels_fill_avx512_bf16(VfiCpuKernels *kernels)
{
    kernels->multiply_bf16 = ISA(multiply);
    kernels->winograd_input[VFI_WINOGRAD_4_BF16] = winograd_input_4_avx512_bf16;
    kernels->winograd_output[VFI_WINOGRAD_4_BF16] =
        kernels->winograd_output[VFI_WINOGRAD_4];
}
