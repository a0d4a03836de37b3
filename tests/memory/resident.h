/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel says this process has in memory of its own. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB ((long)1 << 20)

/* Sizes of /proc/self/statm, bytes: the address space, and what of it is resident, less
 * pages of files, as of libraries, which are in memory once their code has run. */
static inline void read_statm(long *address_space, long *resident)
{
    char text[128], *rest;
    long of_files;
    FILE *file = fopen("/proc/self/statm", "r");

    ck_assert(file != NULL);
    ck_assert(fgets(text, sizeof text, file) != NULL);
    fclose(file);
    *address_space = strtol(text, &rest, 10) * sysconf(_SC_PAGESIZE);
    *resident = strtol(rest, &rest, 10) * sysconf(_SC_PAGESIZE);
    of_files = strtol(rest, NULL, 10) * sysconf(_SC_PAGESIZE);
    *resident -= of_files;
    ck_assert(*resident > 0);
}

static inline long resident_bytes(void)
{
    long address_space, resident;

    read_statm(&address_space, &resident);
    return resident;
}
