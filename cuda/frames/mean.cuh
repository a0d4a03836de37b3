/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The weighted mean of two codes in exact integer arithmetic, as in engine/pixels/. */
#pragma once

#include <stdint.h>

#include "runtime/launch.h"

/* Weights count in 1/65536. */
#define WEIGHT_ONE 65536u

/* t in [0,1] to 1/65536, nearest; NaN counts as 0. */
static inline uint32_t blend_weight(double t)
{
    double clamped = t > 0 ? (t < 1 ? t : 1) : 0;

    return (uint32_t)(clamped * WEIGHT_ONE + 0.5);
}

/* Of codes of at most 16 bits; @weight is that of b. */
static __device__ __forceinline__ uint32_t mean_code(uint32_t a, uint32_t b,
                                                     uint32_t weight)
{
    return (a * (WEIGHT_ONE - weight) + b * weight + WEIGHT_ONE / 2) / WEIGHT_ONE;
}
