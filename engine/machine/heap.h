/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The C library's heap: free memory that it holds back, and the size of the process.
 * Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Gives the C library's free memory back to the system. Does nothing where another
 * allocator stands in for it (sanitizers): glibc's own heap is then not set up to be
 * looked at. */
void vfi_trim_host_memory(void);

/* Whether 1 MiB or more became free since the last trim; cheap. */
bool vfi_host_memory_is_idle(void);

/* Trims only then. */
void vfi_trim_idle_host_memory(void);

/* Bytes of the process that are in memory; 0 if unknown. Allocates nothing. */
size_t vfi_resident_bytes(void);
