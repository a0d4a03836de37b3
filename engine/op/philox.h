/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Philox4x32-10: random numbers that are a function of a counter and a key, so that any
 * of them can be computed by itself, in any order and anywhere. For C, and for kernels.
 *
 * J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel Random Numbers: As Easy
 * as 1, 2, 3. SC11, 2011. Its library, Random123, has the known answers that
 * tests/unit/philox.c asks for. */
#pragma once

#include <stdint.h>

#ifdef __CUDACC__
#define VFI_PHILOX_FUNCTION static __host__ __device__ inline
#else
#define VFI_PHILOX_FUNCTION static inline
#endif

#define VFI_PHILOX_ROUNDS 10

/* Replaces the @counter by the four numbers, each of 32 random bits, that belong to it
 * and the @key. */
VFI_PHILOX_FUNCTION void vfi_philox(uint32_t counter[4], const uint32_t key[2])
{
    uint32_t key0 = key[0], key1 = key[1];

    for (int round = 0; round < VFI_PHILOX_ROUNDS; round++) {
        uint64_t even = (uint64_t)counter[0] * 0xd2511f53u;
        uint64_t odd = (uint64_t)counter[2] * 0xcd9e8d57u;
        counter[0] = (uint32_t)(odd >> 32) ^ counter[1] ^ key0;
        counter[1] = (uint32_t)odd;
        counter[2] = (uint32_t)(even >> 32) ^ counter[3] ^ key1;
        counter[3] = (uint32_t)even;
        key0 += 0x9e3779b9u; /* the golden ratio */
        key1 += 0xbb67ae85u; /* the square root of 3 */
    }
}
