/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "temporary_folder.h"

#include <check.h>
#include <glib/gstdio.h>

void folder_write(const char *root, const char *path, const char *text)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(full);

    ck_assert_int_eq(g_mkdir_with_parents(folder, 0700), 0);
    ck_assert(g_file_set_contents(full, text, -1, NULL));
}

void folder_remove(const char *path)
{
    GDir *folder = g_dir_open(path, 0, NULL);
    const char *name;

    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        folder_remove(child);
    }
    if (folder != NULL)
        g_dir_close(folder);
    g_remove(path);
}
