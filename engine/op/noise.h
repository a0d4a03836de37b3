/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers of NOISE, for the CPU and for kernels. All compute the same bits: there is
 * nothing in here but integers and sums, products and square roots of f32, which IEEE 754
 * defines; logarithm, sine and cosine are polynomials, since those of libraries differ in
 * their last bits. (a * b + c is two roundings in all our builds.)
 *
 * The four channels 4k … 4k+3 of a pixel are what Philox makes of the counter
 * (y << 16 | x, round << 16 | place << 12 | stream << 6 | k, key[0], key[1]) and the two
 * halves of the seed, the lower one first; x and y are the pixel's place in the whole
 * image's noise. Box and Muller's transform makes two
 * normal numbers of two words: the radius sqrt(-2 ln u) of the first, the direction 2π v
 * of the second; the cosine is the even channel's, the sine the odd one's. */
#pragma once

#include <math.h>
#include <string.h>

#include "op/params.h"
#include "op/philox.h"

/* Channels that are computed together. */
#define VFI_NOISE_CHANNELS 4

/* (bits + 1/2) / 2^32 as f32, rounded twice, in [2^-33, 1]: never 0, of which there is no
 * logarithm, and as dense at 0 as the bits are, so that values reach to sqrt(-2 ln 2^-33)
 * = 6.76 on both sides. 1 is the radius 0. */
VFI_PHILOX_FUNCTION float vfi_noise_uniform(uint32_t bits)
{
    return (float)bits * 0x1p-32f + 0x1p-33f;
}

/* -2 ln u of u in [2^-33, 1], to 2e-7 of it: u = m 2^e, where m is from √½ to √2 and
 * ln m = f - f²/2 + f³ p(f), f = m - 1. */
VFI_PHILOX_FUNCTION float vfi_noise_minus_two_log(float u)
{
    const int32_t root_half = 0x3f3504f3;
    int32_t bits;
    float m;

    memcpy(&bits, &u, sizeof bits);
    int32_t exponent = (bits - root_half) >> 23; /* -33 … 0 */
    bits -= exponent * (1 << 23);
    memcpy(&m, &bits, sizeof m);
    float f = m - 1.0f, e = (float)exponent, square = f * f;
    float p = -0.0763450291f;
    p = p * f + 0.127615773f;
    p = p * f - 0.131601805f;
    p = p * f + 0.14201758f;
    p = p * f - 0.166233575f;
    p = p * f + 0.200012269f;
    p = p * f - 0.25000821f;
    p = p * f + 0.333333317f;
    /* ln 2 in two parts: e times the first is exact. */
    float low = f * square * p - e * 2.12194440e-4f - 0.5f * square;
    return -2.0f * (low + f + e * 0.693359375f);
}

/* Cosine and sine of @bits / 2^32 turns, to 1e-7. The upper 24 bits count, so that the
 * angle is in [0, 1) turns and exact. It is taken as the nearest quarter of a turn and z
 * quarters more, |z| ≤ 1/2. */
VFI_PHILOX_FUNCTION void vfi_noise_direction(uint32_t bits, float *cosine, float *sine)
{
    int32_t angle = (int32_t)(bits >> 8);
    int32_t quarter = (angle + (1 << 21)) >> 22; /* 0 … 4 */
    float z = (float)(angle - (quarter << 22)) * 0x1p-22f, square = z * z;
    float s = -0.00460165789f, c = 0.000903766543f;

    s = s * square + 0.0796800328f;
    s = s * square - 0.64596346f;
    s = s * square + 1.57079632f;
    s *= z;
    c = c * square - 0.0208601651f;
    c = c * square + 0.253669226f;
    c = c * square - 1.23370054f;
    c = c * square + 1.0f;
    float along = (quarter & 1) != 0 ? s : c, across = (quarter & 1) != 0 ? c : s;
    *cosine = ((quarter + 1) & 2) != 0 ? -along : along;
    *sine = (quarter & 2) != 0 ? -across : across;
}

/* Channels @channel … @channel + 3 at row @y and column @x of the op's result; @channel
 * is a multiple of 4. Those beyond the last channel are of no meaning. */
VFI_PHILOX_FUNCTION void vfi_noise_at(const VfiNoiseInputs *inputs,
                                      const VfiNoiseParams *params, int channel, int y,
                                      int x, float values[VFI_NOISE_CHANNELS])
{
    uint32_t reduction = (uint32_t)params->reduction;
    uint32_t whole_x = inputs->origin[0] / reduction + (uint32_t)x;
    uint32_t whole_y = inputs->origin[1] / reduction + (uint32_t)y;
    uint32_t words[4] = {whole_y << 16 | whole_x,
                         inputs->round << 16 | inputs->place << 12 | params->stream << 6 |
                             (uint32_t)channel / VFI_NOISE_CHANNELS,
                         inputs->key[0], inputs->key[1]};
    const uint32_t key[2] = {(uint32_t)inputs->seed, (uint32_t)(inputs->seed >> 32)};

    vfi_philox(words, key);
    for (int i = 0; i < VFI_NOISE_CHANNELS; i += 2) {
        float radius = sqrtf(vfi_noise_minus_two_log(vfi_noise_uniform(words[i])));
        float cosine, sine;
        vfi_noise_direction(words[i + 1], &cosine, &sine);
        values[i] = radius * cosine;
        values[i + 1] = radius * sine;
    }
}
