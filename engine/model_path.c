/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a model's file: the search path and how a plain name matches the files there. */
#include <string.h>

#include <vfi/error.h>
#include <vfi/model.h>

#include "family.h"

static const char *const extensions[] = {".pkl", ".pth", ".pt", ".safetensors"};

char **vfi_model_search_path(void)
{
    g_autoptr(GStrvBuilder) folders = g_strv_builder_new();
    const char *environment = g_getenv("VFI_MODEL_PATH");

    if (environment != NULL) {
        g_auto(GStrv) parts = g_strsplit(environment, G_SEARCHPATH_SEPARATOR_S, -1);
        for (size_t i = 0; parts[i] != NULL; i++)
            if (parts[i][0] != '\0')
                g_strv_builder_add(folders, parts[i]);
    }
    g_autofree char *user =
        g_build_filename(g_get_user_data_dir(), "vfi", "models", NULL);
    g_strv_builder_add(folders, user);
    g_strv_builder_add(folders, "/usr/local/share/vfi/models");
    g_strv_builder_add(folders, "/usr/share/vfi/models");
    return g_strv_builder_end(folders);
}

/* @file without a known extension, or NULL if it has none. */
static char *stem_of(const char *file)
{
    for (size_t i = 0; i < G_N_ELEMENTS(extensions); i++)
        if (g_str_has_suffix(file, extensions[i]))
            return g_strndup(file, strlen(file) - strlen(extensions[i]));
    return NULL;
}

/* How well @file answers to @name: 0 not at all; 3 the very name; 2 the name plus an
 * extension; 1 the name plus "-VERSION" and an extension. */
static int match_quality(const char *file, const char *name)
{
    if (strcmp(file, name) == 0)
        return 3;
    g_autofree char *stem = stem_of(file);
    if (stem == NULL || !g_str_has_prefix(stem, name))
        return 0;
    const char *rest = stem + strlen(name);
    if (rest[0] == '\0')
        return 2;
    return rest[0] == '-' && g_ascii_isdigit(rest[1]) ? 1 : 0;
}

/* strcmp with runs of digits compared as numbers: rife-4.6 < rife-4.26. */
static int compare_versions(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (g_ascii_isdigit(*a) && g_ascii_isdigit(*b)) {
            char *end_a, *end_b;
            guint64 number_a = g_ascii_strtoull(a, &end_a, 10);
            guint64 number_b = g_ascii_strtoull(b, &end_b, 10);
            if (number_a != number_b)
                return number_a < number_b ? -1 : 1;
            a = end_a;
            b = end_b;
        } else if (*a != *b) {
            return *a < *b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return (*a != '\0') - (*b != '\0');
}

/* The best match in one folder: the highest quality, among those the highest version. */
static char *find_in_folder(const char *folder, const char *name)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *best = NULL;
    int best_quality = 0;
    const char *file;

    while (dir != NULL && (file = g_dir_read_name(dir)) != NULL) {
        int quality = match_quality(file, name);
        if (quality == 0 || quality < best_quality ||
            (quality == best_quality && compare_versions(file, best) <= 0))
            continue;
        g_autofree char *path = g_build_filename(folder, file, NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
            continue;
        g_free(best);
        best = g_strdup(file);
        best_quality = quality;
    }
    return best == NULL ? NULL : g_build_filename(folder, best, NULL);
}

/* Among all folders: a better quality of match wins, then the earlier folder. */
static char *find_on_path(char **folders, const char *name)
{
    g_autofree char *best = NULL;
    int best_quality = 0;

    for (size_t i = 0; folders[i] != NULL; i++) {
        g_autofree char *path = find_in_folder(folders[i], name);
        if (path == NULL)
            continue;
        g_autofree char *file = g_path_get_basename(path);
        int quality = match_quality(file, name);
        if (quality > best_quality) {
            g_free(best);
            best = g_steal_pointer(&path);
            best_quality = quality;
        }
    }
    return g_steal_pointer(&best);
}

gboolean vfi_model_resolve(const char *name, char **path, GError **error)
{
    *path = NULL;
    const VfiModelFamily *family = vfi_family_find(name);
    if (family != NULL && !family->has_weights)
        return TRUE;
    if (g_path_is_absolute(name) || strchr(name, G_DIR_SEPARATOR) != NULL ||
        g_file_test(name, G_FILE_TEST_IS_REGULAR)) {
        if (!g_file_test(name, G_FILE_TEST_EXISTS)) {
            g_set_error(error, VFI_ERROR, VFI_ERROR_NOT_FOUND,
                        "there is no model file \"%s\"", name);
            return FALSE;
        }
        *path = g_strdup(name);
        return TRUE;
    }

    g_auto(GStrv) folders = vfi_model_search_path();
    *path = find_on_path(folders, strcmp(name, "auto") == 0 ? "rife" : name);
    if (*path != NULL)
        return TRUE;
    g_autofree char *list = g_strjoinv(", ", folders);
    g_set_error(
        error, VFI_ERROR, VFI_ERROR_NOT_FOUND,
        "no model \"%s\" (with or without -VERSION and .pkl, .pth, .pt or "
        ".safetensors) in %s; run tools/get-models to fetch RIFE 4.0 and 3.x, copy a "
        "checkpoint into one of these folders, add a folder to VFI_MODEL_PATH, or "
        "give a file name",
        name, list);
    return FALSE;
}
