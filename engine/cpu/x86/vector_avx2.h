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
