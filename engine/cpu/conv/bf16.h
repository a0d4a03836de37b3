/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bfloat16: the upper half of a float. */
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Rounded to nearest, ties to even; not-a-number stays that. */
static inline uint16_t vfi_bf16(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
