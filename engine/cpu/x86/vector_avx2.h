/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of eight floats for the kernel templates. */
#pragma once

#include <immintrin.h>

#define ISA(name) name##_avx2

#define VECTOR_FLOATS 8
typedef __m256 Vector;
typedef __m256i VectorInt;

#define v_zero() _mm256_setzero_ps()
#define v_set1(x) _mm256_set1_ps(x)
#define v_load(p) _mm256_loadu_ps(p)
#define v_store(p, x) _mm256_storeu_ps(p, x)
#define v_load_f16(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define v_store_f16(p, x)                                                                \
    _mm_storeu_si128((__m128i *)(void *)(p),                                             \
                     _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT))
#define v_prefetch(p) _mm_prefetch((const char *)(const void *)(p), _MM_HINT_T0)
#define v_div(a, b) _mm256_div_ps(a, b)
#define v_floor(a) _mm256_floor_ps(a)
/* The last element of @before, then all but the last of @x. */
#define v_shift_in(before, x)                                                            \
    _mm256_castsi256_ps(_mm256_alignr_epi8(                                              \
        _mm256_castps_si256(x),                                                          \
        _mm256_castps_si256(_mm256_permute2f128_ps(before, x, 0x21)), 12))
#define v_last(x) _mm256_cvtss_f32(_mm256_permutevar8x32_ps(x, _mm256_set1_epi32(7)))
#define v_add(a, b) _mm256_add_ps(a, b)
#define v_sub(a, b) _mm256_sub_ps(a, b)
#define v_mul(a, b) _mm256_mul_ps(a, b)
/* Where an operand is NaN both give the second one. */
#define v_max(a, b) _mm256_max_ps(a, b)
#define v_min(a, b) _mm256_min_ps(a, b)
/* a * b + c */
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
/* what the product of matrices adds up */
#define v_dot(a, b, c) v_fma(a, b, c)
/* c - a * b */
#define v_fnma(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define v_from_int(a) _mm256_cvtepi32_ps(a)
#define v_permute(x, index) _mm256_permutevar8x32_ps(x, index)
#define v_gather(p, index) _mm256_i32gather_ps(p, index, 4)
/* Lane i: element index[i] of the two vectors a, b in a row. */
#define v_permute2(a, b, index)                                                          \
    _mm256_blendv_ps(v_permute(a, index), v_permute(b, index),                           \
                     _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)))
/* Lane i: a[i] where flag[i] is 0, b[i] where it is 1. */
#define v_pick(flag, a, b)                                                               \
    _mm256_blendv_ps(a, b, _mm256_castsi256_ps(_mm256_slli_epi32(flag, 31)))

/* a < b ? x : y */
#define v_if_less(a, b, x, y) _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ))
/* x * 2^k for a k of -126 to 127 that rounding has left in the low bits of @shifted */
#define v_times_power(x, shifted)                                                        \
    _mm256_castsi256_ps(_mm256_add_epi32(                                                \
        _mm256_castps_si256(x), _mm256_slli_epi32(_mm256_castps_si256(shifted), 23)))

/* Four doubles. */
typedef __m256d Doubles;
#define vd_load(p) _mm256_loadu_pd(p)
#define vd_store(p, x) _mm256_storeu_pd(p, x)
#define vd_load_floats(p) _mm256_cvtps_pd(_mm_loadu_ps(p))
#define vd_add(a, b) _mm256_add_pd(a, b)
#define vd_fma(a, b, c) _mm256_fmadd_pd(a, b, c)

/* 2ⁿ for an integer n > -127 that was added to 1.5 * 2²³. */
#define v_power_of_two(n)                                                                \
    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(n), 23),  \
                                         _mm256_set1_epi32(0x3f800000)))

#define vi_set1(x) _mm256_set1_epi32(x)
#define vi_load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define vi_add(a, b) _mm256_add_epi32(a, b)
#define vi_sub(a, b) _mm256_sub_epi32(a, b)
#define vi_mul(a, b) _mm256_mullo_epi32(a, b)
#define vi_min(a, b) _mm256_min_epi32(a, b)
#define vi_or(a, b) _mm256_or_si256(a, b)
/* Lanes 0 and VECTOR_FLOATS / 2. */
#define vi_first(a) _mm_cvtsi128_si32(_mm256_castsi256_si128(a))
#define vi_middle(a) _mm_cvtsi128_si32(_mm256_extracti128_si256(a, 1))
/* Bit i: whether lane i is negative. */
#define vi_signs(a) ((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(a)))
/* The lower half of a, the upper half of b. */
#define vi_halves(a, b) _mm256_blend_epi32(a, b, 0xf0)
#define v_halves(a, b) _mm256_blend_ps(a, b, 0xf0)
/* Whether any lane of a has any of these bits. */
#define vi_any_bits(a, bits) (!_mm256_testz_si256(a, vi_set1(bits)))
#define vi_truncate(a) _mm256_cvttps_epi32(a)

/* Four channels by three vectors, a vector of inputs each and one weight: 16
 * registers. */
#define CONV_OUT 4
#define CONV_VECTORS 3

/* Pixels of a tile of the product of matrices, with up to two vectors of channels and
 * with three: 12 of 16 registers hold sums. */
#define MULTIPLY_ROWS_2 6
#define MULTIPLY_ROWS_3 4

/* Pixels that a convolution channel by channel does at once: their sums, those of a row
 * and a factor take 11 of 16 registers. */
#define DEPTHWISE_PIXELS 4

/* Transposes a square of 8 × 8: 4 × 4 squares within lanes, then the lanes. */
static inline __attribute__((always_inline)) void ISA(transpose)(Vector *square)
{
    Vector lanes[8];

#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        Vector low01 = _mm256_unpacklo_ps(square[i], square[i + 1]);
        Vector high01 = _mm256_unpackhi_ps(square[i], square[i + 1]);
        Vector low23 = _mm256_unpacklo_ps(square[i + 2], square[i + 3]);
        Vector high23 = _mm256_unpackhi_ps(square[i + 2], square[i + 3]);
        lanes[i] = _mm256_shuffle_ps(low01, low23, 0x44);
        lanes[i + 1] = _mm256_shuffle_ps(low01, low23, 0xee);
        lanes[i + 2] = _mm256_shuffle_ps(high01, high23, 0x44);
        lanes[i + 3] = _mm256_shuffle_ps(high01, high23, 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        square[i] = _mm256_permute2f128_ps(lanes[i], lanes[i + 4], 0x20);
        square[i + 4] = _mm256_permute2f128_ps(lanes[i], lanes[i + 4], 0x31);
    }
}

/* A row of eight, and the one row below that the next vector begins with. */
#define v_load_rows(p, pitch) ((void)(pitch), v_load(p))
#define v_rows_below(rows, next) ((void)(rows), next)

/* The sums of four vectors' elements. */
static inline __m128 ISA(sums)(Vector a, Vector b, Vector c, Vector d)
{
    Vector sums = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));

    return _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
}
#define v_sums(a, b, c, d) ISA(sums)(a, b, c, d)
