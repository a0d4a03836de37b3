/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/in_place.h"

#include <errno.h>

#include "media/error.h"

FILE *in_place_open(const char *path, GError **error)
{
    FILE *file = fopen(path, "r+be");
    if (file == NULL)
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_WRITE, "%s: cannot be opened: %s",
                    path, g_strerror(errno));
    return file;
}

gboolean in_place_close(FILE *file, gboolean changed, const char *path, GError **error)
{
    if (fclose(file) == 0 && changed)
        return TRUE;
    g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_WRITE,
                "%s: its header is not as expected, or cannot be written", path);
    return FALSE;
}
