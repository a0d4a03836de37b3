/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's stand-in for the CUDA header of this name. */
#pragma once

#include <stdint.h>

#include "f16.h"

struct __half {
    uint16_t bits;
};
typedef __half half;

static inline float __half2float(__half value)
{
    return vfi_float_from_f16(value.bits);
}

static inline __half __float2half_rn(float value)
{
    return __half{vfi_f16_from_float(value)};
}
