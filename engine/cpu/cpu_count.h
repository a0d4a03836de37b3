/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of vfi_usable_cpus() that read cgroup files, apart so that tests can give
 * them a folder of their own. */
#pragma once

/* CPUs that the cgroups named in @membership (the text of /proc/self/cgroup) allow, by
 * the cpu.max (v2) or cpu.cfs_*_us (v1) files of the group and its ancestors below @mount
 * ("/sys/fs/cgroup"), rounded up; 0 if nothing limits. */
int vfi_cgroup_cpu_limit(const char *membership, const char *mount);
