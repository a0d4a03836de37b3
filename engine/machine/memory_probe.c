/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine/memory_probe.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <glib.h>

#include "machine/cgroup.h"

#define MIB (UINT64_C(1) << 20)

/* Values from this on mean no limit in v1: it then says the largest multiple of a page,
 * which has 4 KiB or 64 KiB. */
#define V1_NO_LIMIT UINT64_C(0x7FFFFFFFFFFF0000)

static const VfiMemorySources of_the_system = {
    .meminfo = "/proc/meminfo",
    .membership = "/proc/self/cgroup",
    .cgroups = "/sys/fs/cgroup",
    .statm = "/proc/self/statm",
};

static _Atomic(const VfiMemorySources *) sources_in_use = &of_the_system;

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* The number after @name at the beginning of a line of @text. */
static bool find_number(const char *text, const char *name, uint64_t *number)
{
    size_t length = strlen(name);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) != 0 || !g_ascii_isspace(line[length]))
            continue;
        *number = g_ascii_strtoull(line + length, NULL, 10);
        return true;
    }
    return false;
}

/* The number that a file begins with; false if there is no such file, or a word
 * ("max"). */
static bool read_number(const char *folder, const char *name, uint64_t *number)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;
    char *end;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    *number = g_ascii_strtoull(text, &end, 10);
    return end != text;
}

/* Bytes of files in a group's usage, which the kernel gives up before it refuses memory.
 * In v1 the plain names do not count the groups below, as its usage does. */
static uint64_t page_cache(const char *folder)
{
    static const char *const names[][2] = {
        {"total_active_file", "active_file"},
        {"total_inactive_file", "inactive_file"},
    };
    g_autofree char *path = g_build_filename(folder, "memory.stat", NULL);
    g_autofree char *text = NULL;
    uint64_t sum = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        uint64_t bytes = 0;
        if (!find_number(text, names[i][0], &bytes))
            find_number(text, names[i][1], &bytes);
        sum += bytes;
    }
    return sum;
}

static void note_free(VfiMemoryNumbers *numbers, uint64_t free_bytes, const char *by)
{
    if (free_bytes >= numbers->free)
        return;
    numbers->free = free_bytes;
    numbers->limited_by = by;
}

static void note_group(const char *folder, VfiCgroupVersion version, void *data)
{
    bool is_v1 = version == VFI_CGROUP_V1;
    VfiMemoryNumbers *numbers = data;
    uint64_t limit, usage;

    if (!read_number(folder, is_v1 ? "memory.limit_in_bytes" : "memory.max", &limit) ||
        !read_number(folder, is_v1 ? "memory.usage_in_bytes" : "memory.current",
                     &usage) ||
        (is_v1 && limit >= V1_NO_LIMIT))
        return;
    numbers->limit = MIN(numbers->limit, limit);
    note_free(numbers, minus(limit, minus(usage, page_cache(folder))),
              "the limit of its control group");
}

static void note_machine(const char *meminfo, VfiMemoryNumbers *numbers)
{
    g_autofree char *text = NULL;
    uint64_t kib;

    if (!g_file_get_contents(meminfo, &text, NULL, NULL))
        return;
    if (find_number(text, "MemTotal:", &kib))
        numbers->total = numbers->limit = kib * 1024;
    if (find_number(text, "MemAvailable:", &kib))
        note_free(numbers, kib * 1024, "what the machine has");
}

static uint64_t address_space_of_the_system(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

/* The first number of statm is the size of the address space in pages. */
static void note_address_space(const VfiMemorySources *sources, VfiMemoryNumbers *numbers)
{
    uint64_t limit = sources->address_space != 0 ? sources->address_space
                                                 : address_space_of_the_system();
    g_autofree char *text = NULL;

    if (limit == UINT64_MAX || !g_file_get_contents(sources->statm, &text, NULL, NULL))
        return;
    uint64_t used = g_ascii_strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    numbers->limit = MIN(numbers->limit, limit);
    note_free(numbers, minus(limit, used), "the limit of its address space (ulimit -v)");
}

void vfi_memory_probe_from(const VfiMemorySources *sources, VfiMemoryNumbers *numbers)
{
    g_autofree char *membership = NULL;

    *numbers = (VfiMemoryNumbers){.free = UINT64_MAX,
                                  .total = UINT64_MAX,
                                  .limit = UINT64_MAX,
                                  .limited_by = "nothing"};
    note_machine(sources->meminfo, numbers);
    if (g_file_get_contents(sources->membership, &membership, NULL, NULL))
        vfi_cgroup_visit(membership, sources->cgroups, "memory", note_group, numbers);
    note_address_space(sources, numbers);
}

void vfi_memory_probe(VfiMemoryNumbers *numbers)
{
    vfi_memory_probe_from(atomic_load(&sources_in_use), numbers);
}

void vfi_memory_probe_set_sources(const VfiMemorySources *sources)
{
    atomic_store(&sources_in_use, sources != NULL ? sources : &of_the_system);
}

uint64_t vfi_memory_headroom(const VfiMemoryNumbers *numbers, uint64_t setting)
{
    if (setting != 0)
        return setting;
    return MIN(MAX(numbers->total / 10, 512 * MIB), numbers->limit / 4);
}

uint64_t vfi_memory_missing(const VfiMemoryNumbers *numbers, uint64_t setting,
                            uint64_t need)
{
    uint64_t headroom = vfi_memory_headroom(numbers, setting), wanted;

    if (numbers->free == UINT64_MAX)
        return 0;
    if (__builtin_add_overflow(headroom, need, &wanted))
        wanted = UINT64_MAX;
    return minus(wanted, numbers->free);
}
