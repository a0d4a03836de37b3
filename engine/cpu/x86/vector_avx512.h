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
#define v_add(a, b) _mm512_add_ps(a, b)
#define v_sub(a, b) _mm512_sub_ps(a, b)
#define v_mul(a, b) _mm512_mul_ps(a, b)
/* Where an operand is NaN both give the second one. */
#define v_max(a, b) _mm512_max_ps(a, b)
#define v_min(a, b) _mm512_min_ps(a, b)
/* a * b + c */
#define v_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
/* c - a * b */
#define v_fnma(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define v_from_int(a) _mm512_cvtepi32_ps(a)
#define v_permute(x, index) _mm512_permutexvar_ps(index, x)
#define v_gather(p, index) _mm512_i32gather_ps(index, p, 4)

#define vi_set1(x) _mm512_set1_epi32(x)
#define vi_load(p) _mm512_loadu_si512(p)
#define vi_add(a, b) _mm512_add_epi32(a, b)
#define vi_sub(a, b) _mm512_sub_epi32(a, b)
#define vi_mul(a, b) _mm512_mullo_epi32(a, b)
#define vi_min(a, b) _mm512_min_epi32(a, b)
#define vi_truncate(a) _mm512_cvttps_epi32(a)
#define vi_counting()                                                                    \
    _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

/* Eight channels by three vectors: 24 of 32 registers hold sums. */
#define CONV_OUT 8
#define CONV_VECTORS 3

/* 64 floats to four vectors: place[k] holds every fourth one from the k-th. */
static inline void ISA(split4)(const float *p, Vector *place)
{
    const VectorInt first =
        _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const VectorInt second = vi_add(first, vi_set1(2));
    Vector a = v_load(p), b = v_load(p + 16), c = v_load(p + 32), d = v_load(p + 48);
    Vector ab01 = _mm512_permutex2var_ps(a, first, b);
    Vector cd01 = _mm512_permutex2var_ps(c, first, d);
    Vector ab23 = _mm512_permutex2var_ps(a, second, b);
    Vector cd23 = _mm512_permutex2var_ps(c, second, d);

    place[0] = _mm512_shuffle_f32x4(ab01, cd01, 0x44);
    place[1] = _mm512_shuffle_f32x4(ab01, cd01, 0xee);
    place[2] = _mm512_shuffle_f32x4(ab23, cd23, 0x44);
    place[3] = _mm512_shuffle_f32x4(ab23, cd23, 0xee);
}

/* The inverse: four vectors to 64 floats. */
static inline void ISA(merge4)(const Vector *place, float *p)
{
    Vector low01 = _mm512_unpacklo_ps(place[0], place[1]);
    Vector high01 = _mm512_unpackhi_ps(place[0], place[1]);
    Vector low23 = _mm512_unpacklo_ps(place[2], place[3]);
    Vector high23 = _mm512_unpackhi_ps(place[2], place[3]);
    /* lane l of a, b, c, d: pixels of tile 4l, 4l+1, 4l+2, 4l+3 */
    Vector a = _mm512_shuffle_ps(low01, low23, 0x44),
           b = _mm512_shuffle_ps(low01, low23, 0xee);
    Vector c = _mm512_shuffle_ps(high01, high23, 0x44);
    Vector d = _mm512_shuffle_ps(high01, high23, 0xee);
    /* 4 × 4 transpose of lanes */
    Vector ab_low = _mm512_shuffle_f32x4(a, b, 0x44),
           ab_high = _mm512_shuffle_f32x4(a, b, 0xee);
    Vector cd_low = _mm512_shuffle_f32x4(c, d, 0x44),
           cd_high = _mm512_shuffle_f32x4(c, d, 0xee);

    v_store(p, _mm512_shuffle_f32x4(ab_low, cd_low, 0x88));
    v_store(p + 16, _mm512_shuffle_f32x4(ab_low, cd_low, 0xdd));
    v_store(p + 32, _mm512_shuffle_f32x4(ab_high, cd_high, 0x88));
    v_store(p + 48, _mm512_shuffle_f32x4(ab_high, cd_high, 0xdd));
}
