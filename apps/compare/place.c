/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/place.h"

#include <errno.h>
#include <string.h>

#include <glib/gstdio.h>

static gboolean fail(GError **error, const char *path, const char *text, int code)
{
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code), "%s: %s", name, text);
    return FALSE;
}

/* The file is made beside @path when it is written, too, and then renamed. */
static gboolean check_folder(const char *path, const char *what, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *trial = g_strconcat(path, ".XXXXXX", NULL);
    int file;

    if (g_mkdir_with_parents(folder, 0777) != 0)
        return fail(error, folder, g_strerror(errno), errno);
    file = g_mkstemp(trial);
    if (file < 0) {
        int code = errno;
        g_autofree char *text =
            g_strdup_printf("the %s cannot be written there: %s", what, g_strerror(code));

        return fail(error, folder, text, code);
    }
    g_close(file, NULL);
    g_unlink(trial);
    return TRUE;
}

static gboolean begins_with(const char *path, const char *begin, gboolean *result,
                            GError **error)
{
    size_t n = strlen(begin);
    g_autofree char *found = g_malloc0(n + 1);
    FILE *file = g_fopen(path, "rb");

    if (file == NULL)
        return fail(error, path, g_strerror(errno), errno);
    *result = fread(found, 1, n, file) == n && strcmp(found, begin) == 0;
    fclose(file);
    return TRUE;
}

gboolean place_check(const char *path, const char *begin, const char *what,
                     GError **error)
{
    g_autofree char *text = g_strdup_printf("is there already and is no %s of "
                                            "vfi-compare; choose another name with -o",
                                            what);
    gboolean is_ours = FALSE;

    if (!check_folder(path, what, error))
        return FALSE;
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    /* A pipe would be waited for. */
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
        !begins_with(path, begin, &is_ours, error))
        return FALSE;
    return is_ours || fail(error, path, text, EEXIST);
}
