/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many CPUs this process may use: the affinity mask, cut by the CPU quota of its
 * control groups, which containers set and sysconf() does not know. */
#include "cpu_count.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "pool.h"

/* Largest machine whose affinity mask is asked for. */
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

/* The least limit of the group @path below @root and all its ancestors; 0 for none.
 * Inside a container the path may not be visible: then only the ancestors that exist
 * count. */
static int limit_of_ancestors(const char *root, const char *path,
                              int (*limit_of)(const char *folder))
{
    g_autofree char *group = g_strdup(path);
    int least = 0;

    for (;;) {
        g_autofree char *folder = g_build_filename(root, group, NULL);
        int limit = limit_of(folder);
        if (limit > 0 && (least == 0 || limit < least))
            least = limit;
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return least;
        *slash = '\0';
    }
}

static bool lists_cpu_controller(const char *controllers)
{
    g_auto(GStrv) names = g_strsplit(controllers, ",", -1);
    return g_strv_contains((const char *const *)names, "cpu");
}

int vfi_cgroup_cpu_limit(const char *membership, const char *mount)
{
    g_auto(GStrv) lines = g_strsplit(membership, "\n", -1);
    int least = 0;

    /* A line is "number:controllers:path"; v2 has the number 0 and no controllers. */
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ":", 3);
        int limit = 0;
        if (g_strv_length(fields) < 3)
            continue;
        if (strcmp(fields[0], "0") == 0 && fields[1][0] == '\0') {
            limit = limit_of_ancestors(mount, fields[2], limit_v2);
        } else if (lists_cpu_controller(fields[1])) {
            g_autofree char *root = g_build_filename(mount, "cpu", NULL);
            limit = limit_of_ancestors(root, fields[2], limit_v1);
        }
        if (limit > 0 && (least == 0 || limit < least))
            least = limit;
    }
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
