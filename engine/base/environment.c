/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/environment.h"

#include <stdlib.h>

#include "base/privilege.h"

const char *vfi_environment(const char *name)
{
    const char *value = vfi_is_privileged() ? NULL : secure_getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* GLib's own functions take relative paths, and listen in privileged programs, too. */
char *vfi_user_folder(const char *name, const char *below_home)
{
    const char *folder = vfi_environment(name);

    if (vfi_is_privileged())
        return NULL;
    if (folder != NULL && g_path_is_absolute(folder))
        return g_strdup(folder);
    const char *home = g_get_home_dir();
    return home != NULL && g_path_is_absolute(home)
               ? g_build_filename(home, below_home, NULL)
               : NULL;
}
