/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors of one float: what loops without a better form are written in. */
#pragma once

#include <math.h>

#define VFI_LANES 1

typedef float Vector;
typedef int VectorMask;

#define v_set1(x) ((float)(x))
#define v_load(p) (*(p))
#define v_store(p, x) ((void)(*(p) = (x)))
#define v_add(a, b) ((a) + (b))
#define v_sub(a, b) ((a) - (b))
#define v_mul(a, b) ((a) * (b))
#define v_div(a, b) ((a) / (b))
/* Where an operand is NaN both give the second one. */
#define v_max(a, b) ((a) > (b) ? (a) : (b))
#define v_min(a, b) ((a) < (b) ? (a) : (b))
#define v_fma(a, b, c) ((a) * (b) + (c))
#define v_abs(a) fabsf(a)
#define v_is_at_most(a, limit) ((a) <= (limit))
#define m_none() 0
#define m_and(a, b) ((a) & (b))
#define m_or(a, b) ((a) | (b))
#define m_all(mask) (mask)
#define m_any(mask) (mask)
#define v_pick(mask, a, b) ((mask) ? (a) : (b))
