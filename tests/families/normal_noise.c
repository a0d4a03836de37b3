/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "normal_noise.h"

#include <math.h>

/* Two multipliers, and by how much the two words of the key grow each round. */
static const uint64_t multipliers[2] = {0xD2511F53, 0xCD9E8D57};
static const uint32_t weyl[2] = {0x9E3779B9, 0xBB67AE85};

void philox_words(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4])
{
    uint32_t k[2] = {key[0], key[1]};

    for (int i = 0; i < 4; i++)
        words[i] = counter[i];
    for (int round = 0; round < 10; round++) {
        uint64_t product[2];
        for (int i = 0; i < 2; i++)
            product[i] = multipliers[i] * words[2 * i];
        for (int i = 0; i < 2; i++) {
            uint64_t other = product[1 - i];
            words[2 * i] = (uint32_t)(other >> 32) ^ words[2 * i + 1] ^ k[i];
            words[2 * i + 1] = (uint32_t)other;
            k[i] += weyl[i];
        }
    }
}

/* Channels 4 @block … 4 @block + 3 at one place. */
static void four_values(const NoiseSource *source, int block, int y, int x,
                        double values[4])
{
    const uint32_t counter[4] = {(uint32_t)y << 16 | (uint32_t)x,
                                 source->round * 65536 + source->place * 4096 +
                                     source->stream * 64 + (uint32_t)block,
                                 (uint32_t)source->key, (uint32_t)(source->key >> 32)};
    const uint32_t key[2] = {(uint32_t)source->seed, (uint32_t)(source->seed >> 32)};
    uint32_t words[4];

    philox_words(counter, key, words);
    for (int i = 0; i < 4; i += 2) {
        double radius = sqrt(-2 * log((words[i] + 0.5) / 4294967296.0));
        double turns = (words[i + 1] >> 8) / 16777216.0; /* the upper 24 bits */
        values[i] = radius * cos(2 * G_PI * turns);
        values[i + 1] = radius * sin(2 * G_PI * turns);
    }
}

Volume normal_noise(Network *network, const NoiseSource *source, int c, int h, int w)
{
    Volume noise = volume_new(network, c, h, w);

    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int channel = 0; channel < c; channel++) {
                double values[4];
                four_values(source, channel / 4, y, x, values);
                *volume_at(&noise, channel, y, x) = values[channel % 4];
            }
    return noise;
}
