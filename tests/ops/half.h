/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* f16 as arithmetic says it, apart from the conversions that are tested. */
#pragma once

#include <math.h>
#include <stdint.h>

#include <glib.h>

#define HALF_MAX 65504.0

/* The nearest f16, of two the even one; what is larger than the largest is that. */
static inline double half_nearest(double x)
{
    int exponent;

    if (isnan(x))
        return x;
    if (fabs(x) >= HALF_MAX)
        return copysign(HALF_MAX, x);
    frexp(x, &exponent);
    double step = ldexp(1.0, MAX(exponent - 11, -24));
    return rint(x / step) * step;
}

/* Of an f16. */
static inline uint16_t half_to_bits(double x)
{
    unsigned sign = signbit(x) ? 0x8000u : 0;
    int exponent;

    if (isnan(x))
        return 0x7e00;
    double size = fabs(x);
    if (size < 0x1p-14)
        return (uint16_t)(sign | (unsigned)(size * 0x1p24));
    double mantissa = frexp(size, &exponent); /* from 1/2 on */
    return (uint16_t)(sign | (unsigned)(exponent + 14) << 10 |
                      ((unsigned)(mantissa * 2048.0) & 0x3ffu));
}

static inline double half_from_bits(uint16_t bits)
{
    int exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
    double size = exponent == 0x1f ? (mantissa != 0 ? NAN : INFINITY)
                  : exponent == 0  ? mantissa * 0x1p-24
                                   : ldexp(1024 + mantissa, exponent - 25);

    return (bits & 0x8000) != 0 ? -size : size;
}
