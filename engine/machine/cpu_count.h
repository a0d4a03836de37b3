/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many CPUs this process may use. */
#pragma once

/* CPUs that this process may use: affinity mask and cgroup (v1, v2) quota, at least 1. */
int vfi_usable_cpus(void);

/* The part that reads cgroup files, apart so that tests can give it a folder of their
 * own: CPUs that the cgroups named in @membership (the text of /proc/self/cgroup) allow,
 * by the cpu.max (v2) or cpu.cfs_*_us (v1) files of the group and its ancestors below
 * @mount ("/sys/fs/cgroup"), rounded up; 0 if nothing limits. */
int vfi_cgroup_cpu_limit(const char *membership, const char *mount);
