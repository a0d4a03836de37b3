/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "machine/cgroup.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

static void visit_ancestors(const char *root, const char *path, VfiCgroupVersion version,
                            VfiCgroupVisit visit, void *data)
{
    g_autofree char *group = g_strdup(path);

    for (;;) {
        g_autofree char *folder = g_build_filename(root, group, NULL);
        visit(folder, version, data);
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

static bool lists_controller(const char *controllers, const char *controller)
{
    g_auto(GStrv) names = g_strsplit(controllers, ",", -1);
    return g_strv_contains((const char *const *)names, controller);
}

void vfi_cgroup_visit(const char *membership, const char *mount, const char *controller,
                      VfiCgroupVisit visit, void *data)
{
    g_auto(GStrv) lines = g_strsplit(membership, "\n", -1);

    /* A line is "number:controllers:path"; v2 has the number 0 and no controllers. */
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ":", 3);
        if (g_strv_length(fields) < 3)
            continue;
        if (strcmp(fields[0], "0") == 0 && fields[1][0] == '\0') {
            visit_ancestors(mount, fields[2], VFI_CGROUP_V2, visit, data);
        } else if (lists_controller(fields[1], controller)) {
            g_autofree char *root = g_build_filename(mount, controller, NULL);
            visit_ancestors(root, fields[2], VFI_CGROUP_V1, visit, data);
        }
    }
}
