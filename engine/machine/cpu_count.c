/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many CPUs this process may use: the affinity mask, cut by the CPU quota of its
 * control groups, which containers set and sysconf() does not know. */
#include "machine/cpu_count.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "machine/cgroup.h"

/* CPUs of the largest machine whose affinity mask is read. */
#define MAX_CPUS 8192

/* Rounds quota/period up to whole CPUs; 0 for "no limit" and for nonsense. */
static int cpus_of_quota(gint64 quota, gint64 period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    gint64 cpus = quota / period + (quota % period != 0);
    return (int)MIN(cpus, MAX_CPUS);
}

static gint64 read_number(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return -1;
    return g_ascii_strtoll(text, NULL, 10);
}

static int limit_v1(const char *folder)
{
    return cpus_of_quota(read_number(folder, "cpu.cfs_quota_us"),
                         read_number(folder, "cpu.cfs_period_us"));
}

/* cpu.max holds "max 100000" or "150000 100000". */
static int limit_v2(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "cpu.max", NULL);
    g_autofree char *text = NULL;
    char *rest;

    if (!g_file_get_contents(path, &text, NULL, NULL) || g_str_has_prefix(text, "max"))
        return 0;
    gint64 quota = g_ascii_strtoll(text, &rest, 10);
    return cpus_of_quota(quota, g_ascii_strtoll(rest, NULL, 10));
}

/* Keeps the least limit; 0 for none. */
static void note_limit(const char *folder, VfiCgroupVersion version, void *data)
{
    int *least = data;
    int limit = version == VFI_CGROUP_V1 ? limit_v1(folder) : limit_v2(folder);

    if (limit > 0 && (*least == 0 || limit < *least))
        *least = limit;
}

int vfi_cgroup_cpu_limit(const char *membership, const char *mount)
{
    int least = 0;

    vfi_cgroup_visit(membership, mount, "cpu", note_limit, &least);
    return least;
}

static int cpus_of_affinity(void)
{
    cpu_set_t *set = CPU_ALLOC(MAX_CPUS);
    size_t bytes = CPU_ALLOC_SIZE(MAX_CPUS);
    int cpus = 0;

    if (set != NULL && sched_getaffinity(0, bytes, set) == 0)
        cpus = CPU_COUNT_S(bytes, set);
    CPU_FREE(set);
    return cpus > 0 ? cpus : (int)g_get_num_processors();
}

int vfi_usable_cpus(void)
{
    g_autofree char *membership = NULL;
    int cpus = cpus_of_affinity();

    if (g_file_get_contents("/proc/self/cgroup", &membership, NULL, NULL)) {
        int limit = vfi_cgroup_cpu_limit(membership, "/sys/fs/cgroup");
        if (limit > 0)
            cpus = MIN(cpus, limit);
    }
    return MAX(cpus, 1);
}
