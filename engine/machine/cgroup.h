/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control groups that a process is in, which containers set: visits their folders, in
 * which limits are read. */
#pragma once

typedef enum { VFI_CGROUP_V1 = 1, VFI_CGROUP_V2 } VfiCgroupVersion;

/* Called with the folder of a group; it need not exist. */
typedef void (*VfiCgroupVisit)(const char *folder, VfiCgroupVersion version, void *data);

/* Visits the groups of @controller ("cpu", "memory") that are named in @membership (the
 * text of /proc/self/cgroup) and all their ancestors below @mount ("/sys/fs/cgroup").
 * Inside a container the path may not be visible: then only the ancestors that exist
 * count. */
void vfi_cgroup_visit(const char *membership, const char *mount, const char *controller,
                      VfiCgroupVisit visit, void *data);
