/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much memory of the machine this process may still take. */
#pragma once

#include <stdint.h>

/* Where the numbers are read. */
typedef struct {
    const char *meminfo;    /* "/proc/meminfo" */
    const char *membership; /* "/proc/self/cgroup" */
    const char *cgroups;    /* "/sys/fs/cgroup" */
    const char *statm;      /* "/proc/self/statm" */
    /* The limit of "ulimit -v", UINT64_MAX for none; 0: ask the system. */
    uint64_t address_space;
} VfiMemorySources;

/* Bytes. Where a number cannot be had, nothing limits: UINT64_MAX. */
typedef struct {
    uint64_t free;  /* that may be taken before the system swaps, kills or refuses */
    uint64_t total; /* of the machine or device */
    uint64_t limit; /* the least limit in force; total where there is no other */
    const char *limited_by; /* names what leaves the least free, for messages; static */
} VfiMemoryNumbers;

/* The least of MemAvailable; of limit - (usage - page cache) of every control group, v1
 * and v2, that the process is in; and of the address space that is left. Thread-safe. */
void vfi_memory_probe(VfiMemoryNumbers *numbers);

/* The same from given files. */
void vfi_memory_probe_from(const VfiMemorySources *sources, VfiMemoryNumbers *numbers);

/* For tests: sets the files that vfi_memory_probe() reads; NULL is the system's. @sources
 * must stay. */
void vfi_memory_probe_set_sources(const VfiMemorySources *sources);

/* Bytes that stay free: @setting, or where that is 0 a tenth of the total, at least 512
 * MiB, at most a quarter of the limit. */
uint64_t vfi_memory_headroom(const VfiMemoryNumbers *numbers, uint64_t setting);

/* Bytes that have to become free before @need may be taken so that the headroom of
 * @setting stays; 0: it fits. */
uint64_t vfi_memory_missing(const VfiMemoryNumbers *numbers, uint64_t setting,
                            uint64_t need);
