/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IEEE binary16: sign, 5 bits of exponent, 10 of mantissa. Integer arithmetic, so that
 * subnormals survive flush-to-zero. */
#pragma once

#include <stdint.h>
#include <string.h>

/* The largest finite one. */
#define VFI_F16_MAX 65504.0f

/* Exact; NaNs keep their payload. */
static inline float vfi_float_from_f16(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t exponent = (half >> 10) & 0x1fu;
    uint32_t mantissa = half & 0x3ffu;
    uint32_t bits;
    float value;

    if (exponent == 0x1f) {
        bits = sign | 0x7f800000u | mantissa << 13;
    } else if (exponent == 0 && mantissa == 0) {
        bits = sign;
    } else {
        if (exponent == 0) {
            unsigned shift = (unsigned)__builtin_clz(mantissa) - 21; /* to bit 10 */
            exponent = 1 - shift; /* wraps; the sum below is 103 … 112 */
            mantissa = mantissa << shift & 0x3ffu;
        }
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* @bits >> @shift, rounded to nearest, ties to even. */
static inline uint32_t vfi_round_shift(uint32_t bits, unsigned shift)
{
    return (bits + (((uint32_t)1 << (shift - 1)) - 1) + (bits >> shift & 1)) >> shift;
}

/* Rounded to nearest, ties to even; larger values become the largest one, NaN stays
 * NaN. */
static inline uint16_t vfi_f16_from_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
    if (size > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (size >= 0x477fe000u) /* 65504 */
        return (uint16_t)(sign | 0x7bffu);
    if (size >= 0x38800000u) /* 2^-14, the least normal one */
        return (uint16_t)(sign | vfi_round_shift(size - (112u << 23), 13));
    if (size < 0x33000000u) /* 2^-25 rounds to 0 */
        return (uint16_t)sign;
    unsigned shift = 126 - (size >> 23); /* 14 … 24 */
    return (uint16_t)(sign | vfi_round_shift((size & 0x7fffffu) | 0x800000u, shift));
}
