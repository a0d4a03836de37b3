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
