/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's stand-in for the CUDA header of this name. Its threads run one
 * after the other. */
#pragma once

#ifdef __cplusplus
static inline unsigned atomicMax(unsigned *address, unsigned value)
{
    unsigned old = *address;

    *address = old > value ? old : value;
    return old;
}

static inline unsigned atomicMin(unsigned *address, unsigned value)
{
    unsigned old = *address;

    *address = old < value ? old : value;
    return old;
}

static inline int atomicAdd(int *address, int value)
{
    int old = *address;

    *address = old + value;
    return old;
}

static inline int atomicExch(int *address, int value)
{
    int old = *address;

    *address = value;
    return old;
}
#endif
