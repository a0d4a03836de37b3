/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel says this process has in memory. */
#pragma once

#include <stdio.h>
#include <unistd.h>

#define MIB ((long)1 << 20)

/* Sizes of /proc/self/statm, bytes: the address space, and what of it is resident. */
static inline void read_statm(long *address_space, long *resident)
{
    FILE *file = fopen("/proc/self/statm", "r");

    ck_assert(file != NULL);
    ck_assert_int_eq(fscanf(file, "%ld %ld", address_space, resident), 2);
    fclose(file);
    *address_space *= sysconf(_SC_PAGESIZE);
    *resident *= sysconf(_SC_PAGESIZE);
}

static inline long resident_bytes(void)
{
    long address_space, resident;

    read_statm(&address_space, &resident);
    return resident;
}
