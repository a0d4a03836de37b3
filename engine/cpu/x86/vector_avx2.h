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
#define v_add(a, b) _mm256_add_ps(a, b)
#define v_sub(a, b) _mm256_sub_ps(a, b)
#define v_mul(a, b) _mm256_mul_ps(a, b)
/* Where an operand is NaN both give the second one. */
#define v_max(a, b) _mm256_max_ps(a, b)
#define v_min(a, b) _mm256_min_ps(a, b)
/* a * b + c */
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
/* c - a * b */
#define v_fnma(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define v_from_int(a) _mm256_cvtepi32_ps(a)
#define v_permute(x, index) _mm256_permutevar8x32_ps(x, index)
#define v_gather(p, index) _mm256_i32gather_ps(p, index, 4)

#define vi_set1(x) _mm256_set1_epi32(x)
#define vi_load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define vi_add(a, b) _mm256_add_epi32(a, b)
#define vi_sub(a, b) _mm256_sub_epi32(a, b)
#define vi_mul(a, b) _mm256_mullo_epi32(a, b)
#define vi_min(a, b) _mm256_min_epi32(a, b)
#define vi_truncate(a) _mm256_cvttps_epi32(a)
#define vi_counting() _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)

/* Four channels by three vectors, a vector of inputs each and one weight: 16 registers. */
#define CONV_OUT 4
#define CONV_VECTORS 3

/* 32 floats to four vectors: place[k] holds every fourth one from the k-th. */
static inline void ISA(split4)(const float *p, Vector *place)
{
    Vector a = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)),
                                    _mm_loadu_ps(p + 16), 1);
    Vector b = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 4)),
                                    _mm_loadu_ps(p + 20), 1);
    Vector c = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 8)),
                                    _mm_loadu_ps(p + 24), 1);
    Vector d = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 12)),
                                    _mm_loadu_ps(p + 28), 1);
    Vector ab_low = _mm256_unpacklo_ps(a, b), ab_high = _mm256_unpackhi_ps(a, b);
    Vector cd_low = _mm256_unpacklo_ps(c, d), cd_high = _mm256_unpackhi_ps(c, d);

    place[0] = _mm256_shuffle_ps(ab_low, cd_low, 0x44);
    place[1] = _mm256_shuffle_ps(ab_low, cd_low, 0xee);
    place[2] = _mm256_shuffle_ps(ab_high, cd_high, 0x44);
    place[3] = _mm256_shuffle_ps(ab_high, cd_high, 0xee);
}

/* The inverse: four vectors to 32 floats. */
static inline void ISA(merge4)(const Vector *place, float *p)
{
    Vector low01 = _mm256_unpacklo_ps(place[0], place[1]);
    Vector high01 = _mm256_unpackhi_ps(place[0], place[1]);
    Vector low23 = _mm256_unpacklo_ps(place[2], place[3]);
    Vector high23 = _mm256_unpackhi_ps(place[2], place[3]);
    Vector a = _mm256_shuffle_ps(low01, low23, 0x44),
           b = _mm256_shuffle_ps(low01, low23, 0xee);
    Vector c = _mm256_shuffle_ps(high01, high23, 0x44);
    Vector d = _mm256_shuffle_ps(high01, high23, 0xee);

    v_store(p, _mm256_permute2f128_ps(a, b, 0x20));
    v_store(p + 8, _mm256_permute2f128_ps(c, d, 0x20));
    v_store(p + 16, _mm256_permute2f128_ps(a, b, 0x31));
    v_store(p + 24, _mm256_permute2f128_ps(c, d, 0x31));
}
