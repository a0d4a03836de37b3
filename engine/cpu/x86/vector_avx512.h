/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of sixteen floats for the kernel templates. */
#pragma once

#include <immintrin.h>

#define ISA(name) name##_avx512

#define VECTOR_FLOATS 16
typedef __m512 Vector;
typedef __m512i VectorInt;

#define v_zero() _mm512_setzero_ps()
#define v_set1(x) _mm512_set1_ps(x)
#define v_load(p) _mm512_loadu_ps(p)
#define v_store(p, x) _mm512_storeu_ps(p, x)
#define v_load_f16(p)                                                                    \
    _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define v_store_f16(p, x)                                                                \
    _mm256_storeu_si256((__m256i *)(void *)(p),                                          \
                        _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT))
#define v_prefetch(p) _mm_prefetch((const char *)(const void *)(p), _MM_HINT_T0)
#define v_div(a, b) _mm512_div_ps(a, b)
#define v_floor(a) _mm512_floor_ps(a)
/* The last element of @before, then all but the last of @x. */
#define v_shift_in(before, x)                                                            \
    _mm512_castsi512_ps(                                                                 \
        _mm512_alignr_epi32(_mm512_castps_si512(x), _mm512_castps_si512(before), 15))
#define v_last(x) _mm512_cvtss_f32(_mm512_permutexvar_ps(_mm512_set1_epi32(15), x))
#define v_add(a, b) _mm512_add_ps(a, b)
#define v_sub(a, b) _mm512_sub_ps(a, b)
#define v_mul(a, b) _mm512_mul_ps(a, b)
/* Where an operand is NaN both give the second one. */
#define v_max(a, b) _mm512_max_ps(a, b)
#define v_min(a, b) _mm512_min_ps(a, b)
/* a * b + c */
#define v_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
/* what the product of matrices adds up */
#define v_dot(a, b, c) v_fma(a, b, c)
/* c - a * b */
#define v_fnma(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define v_from_int(a) _mm512_cvtepi32_ps(a)
#define v_permute(x, index) _mm512_permutexvar_ps(index, x)
#define v_gather(p, index) _mm512_i32gather_ps(index, p, 4)
/* Lane i: element index[i] of the two vectors a, b in a row. */
#define v_permute2(a, b, index) _mm512_permutex2var_ps(a, index, b)
/* Lane i: a[i] where flag[i] is 0, b[i] where it is 1. */
#define v_pick(flag, a, b)                                                               \
    _mm512_mask_blend_ps(_mm512_test_epi32_mask(flag, vi_set1(1)), a, b)

/* a < b ? x : y */
#define v_if_less(a, b, x, y)                                                            \
    _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x)
/* x * 2^k for a k of -126 to 127 that rounding has left in the low bits of @shifted */
#define v_times_power(x, shifted)                                                        \
    _mm512_castsi512_ps(_mm512_add_epi32(                                                \
        _mm512_castps_si512(x), _mm512_slli_epi32(_mm512_castps_si512(shifted), 23)))

/* Eight doubles. */
typedef __m512d Doubles;
#define vd_load(p) _mm512_loadu_pd(p)
#define vd_store(p, x) _mm512_storeu_pd(p, x)
#define vd_load_floats(p) _mm512_cvtps_pd(_mm256_loadu_ps(p))
#define vd_add(a, b) _mm512_add_pd(a, b)
#define vd_fma(a, b, c) _mm512_fmadd_pd(a, b, c)

/* 2ⁿ for an integer n > -127 that was added to 1.5 * 2²³. */
#define v_power_of_two(n)                                                                \
    _mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32(_mm512_castps_si512(n), 23),  \
                                         _mm512_set1_epi32(0x3f800000)))

#define vi_set1(x) _mm512_set1_epi32(x)
#define vi_load(p) _mm512_loadu_si512(p)
#define vi_add(a, b) _mm512_add_epi32(a, b)
#define vi_sub(a, b) _mm512_sub_epi32(a, b)
#define vi_mul(a, b) _mm512_mullo_epi32(a, b)
#define vi_min(a, b) _mm512_min_epi32(a, b)
#define vi_or(a, b) _mm512_or_si512(a, b)
/* Lanes 0 and VECTOR_FLOATS / 2. */
#define vi_first(a) _mm_cvtsi128_si32(_mm512_castsi512_si128(a))
#define vi_middle(a)                                                                     \
    _mm_cvtsi128_si32(_mm256_castsi256_si128(_mm512_extracti64x4_epi64(a, 1)))
/* Bit i: whether lane i is negative. */
#define vi_signs(a) ((unsigned)_mm512_movepi32_mask(a))
/* The lower half of a, the upper half of b. */
#define vi_halves(a, b) _mm512_mask_blend_epi32(0xff00, a, b)
#define v_halves(a, b) _mm512_mask_blend_ps(0xff00, a, b)
/* Whether any lane of a has any of these bits. */
#define vi_any_bits(a, bits) (_mm512_test_epi32_mask(a, vi_set1(bits)) != 0)
#define vi_truncate(a) _mm512_cvttps_epi32(a)

/* Eight channels by three vectors: 24 of 32 registers hold sums. */
#define CONV_OUT 8
#define CONV_VECTORS 3

/* Pixels of a tile of the product of matrices, with up to two vectors of channels and
 * with three: 28 and 24 of 32 registers hold sums. */
#define MULTIPLY_ROWS_2 14
#define MULTIPLY_ROWS_3 8

/* Pixels that a convolution channel by channel does at once: their sums, those of a row
 * and a factor take 19 of 32 registers. */
#define DEPTHWISE_PIXELS 8

/* Transposes a square of 16 × 16: 4 × 4 squares within lanes, then the lanes. */
static inline __attribute__((always_inline)) void ISA(transpose)(Vector *square)
{
    Vector lanes[16];

#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        Vector low01 = _mm512_unpacklo_ps(square[i], square[i + 1]);
        Vector high01 = _mm512_unpackhi_ps(square[i], square[i + 1]);
        Vector low23 = _mm512_unpacklo_ps(square[i + 2], square[i + 3]);
        Vector high23 = _mm512_unpackhi_ps(square[i + 2], square[i + 3]);
        lanes[i] = _mm512_shuffle_ps(low01, low23, 0x44);
        lanes[i + 1] = _mm512_shuffle_ps(low01, low23, 0xee);
        lanes[i + 2] = _mm512_shuffle_ps(high01, high23, 0x44);
        lanes[i + 3] = _mm512_shuffle_ps(high01, high23, 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        Vector a = _mm512_shuffle_f32x4(lanes[i], lanes[i + 4], 0x88);
        Vector b = _mm512_shuffle_f32x4(lanes[i], lanes[i + 4], 0xdd);
        Vector c = _mm512_shuffle_f32x4(lanes[i + 8], lanes[i + 12], 0x88);
        Vector d = _mm512_shuffle_f32x4(lanes[i + 8], lanes[i + 12], 0xdd);
        square[i] = _mm512_shuffle_f32x4(a, c, 0x88);
        square[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
        square[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
        square[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}

/* Two rows of eight, @pitch floats apart; the rows one below: the second, and the first
 * of the next vector. */
#define v_load_rows(p, pitch)                                                            \
    _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(p)),                       \
                       _mm256_loadu_ps((p) + (pitch)), 1)
#define v_rows_below(rows, next) _mm512_shuffle_f32x4(rows, next, 0x4e)

static inline __m256 ISA(half_sums)(Vector a)
{
    return _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
}

/* The sums of four vectors' elements. */
static inline __m128 ISA(sums)(Vector a, Vector b, Vector c, Vector d)
{
    __m256 ab = _mm256_hadd_ps(ISA(half_sums)(a), ISA(half_sums)(b));
    __m256 cd = _mm256_hadd_ps(ISA(half_sums)(c), ISA(half_sums)(d));
    __m256 sums = _mm256_hadd_ps(ab, cd);

    return _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
}
#define v_sums(a, b, c, d) ISA(sums)(a, b, c, d)
