/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "media/error.h"

static gboolean fail(const char *path, const char *what, int code, GError **error)
{
    gboolean full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    g_set_error(error, MEDIA_ERROR, full ? MEDIA_ERROR_NO_SPACE : MEDIA_ERROR_WRITE,
                "%s: %s: %s", path, what, g_strerror(code));
    return FALSE;
}

/* What mkstemp() makes is for the owner only; other files are as the umask has them. */
static void open_permissions(int descriptor)
{
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(descriptor, 0666 & ~mask) != 0)
        g_debug("permissions stay as they are: %s", g_strerror(errno));
}

OutputFile *output_file_new(const char *path, GError **error)
{
    g_autofree gchar *folder = g_path_get_dirname(path);
    g_autofree gchar *name = g_path_get_basename(path);
    g_autofree gchar *hidden = g_strdup_printf(".%s.XXXXXX", name);
    g_autofree gchar *partial = g_build_filename(folder, hidden, NULL);
    int descriptor = g_mkstemp(partial);
    if (descriptor < 0) {
        fail(path, "its folder cannot be written to", errno, error);
        return NULL;
    }
    open_permissions(descriptor);
    close(descriptor);
    OutputFile *file = g_new0(OutputFile, 1);
    file->path = g_strdup(path);
    file->scratch = g_strdup_printf("%s.part", partial);
    file->partial = g_steal_pointer(&partial);
    return file;
}

gboolean output_file_is_out_of_space(const OutputFile *file)
{
    struct statvfs status;
    enum { LEAST = 1 << 20 }; /* what a muxer writes at once */
    return statvfs(file->partial, &status) == 0 &&
           (guint64)status.f_bavail * status.f_frsize < LEAST;
}

static gboolean sync_path(const char *path, int flags)
{
    int descriptor = open(path, flags | O_CLOEXEC);
    if (descriptor < 0)
        return FALSE;
    gboolean synced = fsync(descriptor) == 0;
    int code = errno;
    close(descriptor);
    errno = code;
    return synced;
}

gboolean output_file_commit(OutputFile *file, GError **error)
{
    g_autofree gchar *folder = g_path_get_dirname(file->path);
    if (!sync_path(file->partial, O_RDWR))
        return fail(file->path, "cannot be brought to the disk", errno, error);
    if (g_rename(file->partial, file->path) != 0)
        return fail(file->path, "cannot be replaced", errno, error);
    /* Some filesystems cannot do this; the file itself is safe. */
    sync_path(folder, O_RDONLY | O_DIRECTORY);
    return TRUE;
}

void output_file_free(OutputFile *file)
{
    if (file == NULL)
        return;
    g_unlink(file->partial);
    g_unlink(file->scratch);
    g_free(file->path);
    g_free(file->partial);
    g_free(file->scratch);
    g_free(file);
}
