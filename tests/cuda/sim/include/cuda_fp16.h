/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's stand-in for the CUDA header of this name. Conversions round to
 * nearest even and overflow to infinity, as a device does. */
#pragma once

#include <stdint.h>
#include <string.h>

struct __half {
    uint16_t bits;
};
typedef __half half;

struct __half2 {
    __half x, y;
};
typedef __half2 half2;

static inline float vfi_simulated_float(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float __half2float(__half value)
{
    uint32_t sign = (uint32_t)(value.bits & 0x8000u) << 16;
    uint32_t size = (uint32_t)(value.bits & 0x7fffu) << 13;
    uint32_t bits;

    if (size >= 0x7c00u << 13) { /* infinity, NaN */
        bits = size + (224u << 23);
    } else if (size >= 0x400u << 13) {
        bits = size + (112u << 23);
    } else { /* subnormal: the mantissa below 2^-14, then without the implied one */
        float small =
            vfi_simulated_float(size + (113u << 23)) - vfi_simulated_float(113u << 23);
        memcpy(&bits, &small, sizeof bits);
    }
    return vfi_simulated_float(bits | sign);
}

/* Infinite from 65520 on, where rounding leaves the finite ones. */
static inline __half __float2half_rn(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
    if (size > 0x7f800000u)
        return __half{0x7fff}; /* the NaN that devices make */
    if (size >= 0x477ff000u)   /* 65520, half way to infinity's place */
        return __half{(uint16_t)(sign | 0x7c00u)};
    if (size < 0x38800000u) { /* below 2^-14: adding 0.5 leaves units of 2^-24 */
        float sum = vfi_simulated_float(size) + 0.5f;
        memcpy(&bits, &sum, sizeof bits);
        return __half{(uint16_t)(sign | (bits - 0x3f000000u))};
    }
    return __half{
        (uint16_t)(sign | (size - (112u << 23) + 0xfffu + (size >> 13 & 1)) >> 13)};
}

static inline __half __float2half(float value)
{
    return __float2half_rn(value);
}

static inline float __low2float(__half2 value)
{
    return __half2float(value.x);
}

static inline float __high2float(__half2 value)
{
    return __half2float(value.y);
}

static inline __half2 __floats2half2_rn(float x, float y)
{
    return __half2{__float2half_rn(x), __float2half_rn(y)};
}

static inline __half2 __halves2half2(__half x, __half y)
{
    return __half2{x, y};
}

static inline __half __ushort_as_half(unsigned short bits)
{
    return __half{bits};
}

static inline unsigned short __half_as_ushort(__half value)
{
    return value.bits;
}
