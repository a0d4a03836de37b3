/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Normal noise by Philox and by Box and Muller, written from their papers. */
#pragma once

#include <stdint.h>

#include "layers.h"

/* Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC11): the
 * four words that belong to @counter and @key. */
void philox_words(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]);

/* Which noise: of one op and one run. */
typedef struct {
    uint64_t seed;
    uint64_t key;    /* of the pair */
    uint32_t place;  /* of the in-between: sixteenths after the middle, modulo 16 */
    uint32_t stream; /* the number of the NOISE op in its graph */
    uint32_t round;
} NoiseSource;

/* Its values in a whole frame. */
Volume normal_noise(Network *network, const NoiseSource *source, int c, int h, int w);
