/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine/heap.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <malloc.h>
#define TRIM() malloc_trim(0)
#else
#define TRIM() 0
#endif

/* Less than this is not worth trimming for. */
#define MIN_TO_TRIM ((size_t)1 << 20)

/* Bytes that the C library keeps for later allocations, whether or not the system has
 * them back; SIZE_MAX if unknown. */
static size_t free_heap_bytes(void)
{
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if __GLIBC_PREREQ(2, 33)
    return mallinfo2().fordblks;
#endif
#endif
    return SIZE_MAX;
}

/* Bytes that were free after the last trim: their pages have gone back to the system. */
static atomic_size_t free_after_trim;

void vfi_trim_host_memory(void)
{
    (void)TRIM();
    atomic_store(&free_after_trim, free_heap_bytes());
}

bool vfi_host_memory_is_idle(void)
{
    size_t now = free_heap_bytes();
    size_t then = atomic_load(&free_after_trim);

    if (now < then) /* some are in use again: they count once they are free again */
        atomic_store(&free_after_trim, now);
    return now == SIZE_MAX || now >= then + MIN_TO_TRIM;
}

void vfi_trim_idle_host_memory(void)
{
    if (vfi_host_memory_is_idle())
        vfi_trim_host_memory();
}

size_t vfi_resident_bytes(void)
{
    char text[128] = "";
    char *end;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof(text) - 1);

    if (file >= 0)
        close(file);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    g_ascii_strtoull(text, &end, 10); /* the second number counts */
    return (size_t)g_ascii_strtoull(end, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}
