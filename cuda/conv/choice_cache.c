/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A key file: one group, one key per shape, "engine type=value type=value …". */
#include "conv/choice_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <vfi/error.h>

#include "base/environment.h"

#define GROUP "convolutions"
/* Stands for a choice that was withdrawn. */
#define FORGOTTEN "none"
/* Larger files are not read. */
#define MAX_BYTES (4 << 20)

struct VfiCudaConvCache {
    GMutex mutex;
    char *path;        /* NULL: there is no file */
    GKeyFile *choices; /* what the file held, and what was kept since */
    GKeyFile *kept;    /* since the last save */
    bool has_new;
};

static bool parse_choice(const char *text, VfiCudaConvChoice *choice)
{
    g_auto(GStrv) words = g_strsplit(text, " ", VFI_CUDA_CONV_MAX_KNOBS + 2);
    guint n = g_strv_length(words);

    if (n < 1 || n > VFI_CUDA_CONV_MAX_KNOBS + 1 ||
        !g_ascii_string_to_signed(words[0], 10, 0, G_MAXINT32, &choice->engine, NULL))
        return false;
    choice->n_knobs = (int)n - 1;
    for (int i = 0; i < choice->n_knobs; i++) {
        char *value = strchr(words[i + 1], '=');
        if (value == NULL)
            return false;
        *value++ = '\0';
        if (!g_ascii_string_to_signed(words[i + 1], 10, 0, G_MAXINT32,
                                      &choice->knobs[i].type, NULL) ||
            !g_ascii_string_to_signed(value, 10, G_MININT32, G_MAXINT32,
                                      &choice->knobs[i].value, NULL))
            return false;
    }
    return true;
}

static char *format_choice(const VfiCudaConvChoice *choice)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%" G_GINT64_FORMAT, choice->engine);
    for (int i = 0; i < choice->n_knobs; i++)
        g_string_append_printf(text, " %" G_GINT64_FORMAT "=%" G_GINT64_FORMAT,
                               choice->knobs[i].type, choice->knobs[i].value);
    return g_string_free(text, FALSE);
}

/* The text of a regular file of at most MAX_BYTES. NULL for anything else, which is
 * neither waited for (a FIFO) nor followed (a link). */
static char *read_text(const char *path, gsize *length)
{
    g_autofree char *text = NULL;
    struct stat status;
    ssize_t n = 0;
    int fd = -1;

    *length = 0;
    if (path != NULL)
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        status.st_size <= MAX_BYTES) {
        text = g_malloc((gsize)status.st_size);
        while (*length < (gsize)status.st_size &&
               ((n = read(fd, text + *length, (gsize)status.st_size - *length)) > 0 ||
                (n < 0 && errno == EINTR)))
            *length += n > 0 ? (gsize)n : 0;
    }
    close(fd);
    return n > 0 ? g_steal_pointer(&text) : NULL;
}

/* The file's content; empty if it cannot be read. */
static GKeyFile *read_file(const char *path)
{
    GKeyFile *file = g_key_file_new();
    gsize length;
    g_autofree char *text = read_text(path, &length);

    if (text == NULL ||
        !g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, NULL)) {
        g_key_file_free(file);
        file = g_key_file_new();
    }
    return file;
}

/* The file's name: letters and digits of the device's name, the versions. */
static char *file_name(const char *device_name, int compute_major, int compute_minor,
                       size_t cudnn_version)
{
    g_autofree char *name = g_strdup(device_name);

    for (char *c = name; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c))
            *c = '-';
    return g_strdup_printf("cudnn-%zu-sm_%d%d-%.100s.ini", cudnn_version, compute_major,
                           compute_minor, name);
}

VfiCudaConvCache *vfi_cuda_conv_cache_new(const char *device_name, int compute_major,
                                          int compute_minor, size_t cudnn_version)
{
    VfiCudaConvCache *cache = g_new0(VfiCudaConvCache, 1);
    g_autofree char *name =
        file_name(device_name, compute_major, compute_minor, cudnn_version);

    g_mutex_init(&cache->mutex);
    g_autofree char *folder = vfi_user_folder("XDG_CACHE_HOME", ".cache");
    cache->path = folder != NULL ? g_build_filename(folder, "vfi", name, NULL) : NULL;
    cache->choices = read_file(cache->path);
    cache->kept = g_key_file_new();
    return cache;
}

void vfi_cuda_conv_cache_free(VfiCudaConvCache *cache)
{
    if (cache == NULL)
        return;
    g_key_file_free(cache->choices);
    g_key_file_free(cache->kept);
    g_mutex_clear(&cache->mutex);
    g_free(cache->path);
    g_free(cache);
}

bool vfi_cuda_conv_cache_find(VfiCudaConvCache *cache, const char *shape_key,
                              VfiCudaConvChoice *choice)
{
    g_mutex_lock(&cache->mutex);
    g_autofree char *text = g_key_file_get_value(cache->choices, GROUP, shape_key, NULL);
    g_mutex_unlock(&cache->mutex);
    return text != NULL && parse_choice(text, choice);
}

void vfi_cuda_conv_cache_keep(VfiCudaConvCache *cache, const char *shape_key,
                              const VfiCudaConvChoice *choice)
{
    g_autofree char *text = choice != NULL ? format_choice(choice) : g_strdup(FORGOTTEN);

    g_mutex_lock(&cache->mutex);
    g_key_file_set_value(cache->choices, GROUP, shape_key, text);
    g_key_file_set_value(cache->kept, GROUP, shape_key, text);
    cache->has_new = true;
    g_mutex_unlock(&cache->mutex);
}

/* Copies all keys of the group. */
static void merge(GKeyFile *to, GKeyFile *from)
{
    g_auto(GStrv) keys = g_key_file_get_keys(from, GROUP, NULL, NULL);

    for (char **key = keys; key != NULL && *key != NULL; key++) {
        g_autofree char *value = g_key_file_get_value(from, GROUP, *key, NULL);
        if (value != NULL)
            g_key_file_set_value(to, GROUP, *key, value);
    }
}

/* Replaces @path by @text, readable by its owner alone. It is written to a file beside
 * it, under an unpredictable name, and renamed: readers always see a whole file. */
static bool replace_file(const char *path, const char *text, gsize length, GError **error)
{
    g_autofree char *other = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(other, O_WRONLY | O_CLOEXEC, 0600);
    gsize written = 0;
    ssize_t n = 0;

    while (fd >= 0 && written < length &&
           ((n = write(fd, text + written, length - written)) > 0 ||
            (n < 0 && errno == EINTR)))
        written += n > 0 ? (gsize)n : 0;
    if (fd >= 0 && close(fd) == 0 && written == length && g_rename(other, path) == 0)
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_IO, "%s cannot be written: %s", path,
                g_strerror(errno));
    if (fd >= 0)
        g_unlink(other);
    return false;
}

/* What another process writes between our reading and writing is lost, and found out
 * again some other time. The file itself is always whole. */
static bool write_file(VfiCudaConvCache *cache, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(cache->path);
    g_autofree char *text = NULL;
    g_autoptr(GKeyFile) file = read_file(cache->path);
    gsize length = 0;

    merge(file, cache->kept);
    text = g_key_file_to_data(file, &length, NULL);
    if (length > MAX_BYTES) { /* it would not be read again */
        g_free(text);
        text = g_key_file_to_data(cache->kept, &length, NULL);
    }
    if (g_mkdir_with_parents(folder, 0700) != 0) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_IO, "there can be no folder %s: %s",
                    folder, g_strerror(errno));
        return false;
    }
    return replace_file(cache->path, text, length, error);
}

bool vfi_cuda_conv_cache_save(VfiCudaConvCache *cache, GError **error)
{
    bool ok = true;

    g_mutex_lock(&cache->mutex);
    if (cache->has_new && cache->path != NULL)
        ok = write_file(cache, error);
    cache->has_new = false;
    g_mutex_unlock(&cache->mutex);
    return ok;
}
