/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a model's file: the search path, what there is on it, and which of that a name
 * means (model_name.h). */
#include <string.h>

#include <vfi/error.h>
#include <vfi/model.h>

#include "environment.h"
#include "family.h"
#include "model_name.h"

static const char *const extensions[] = {".pkl", ".pth", ".pt", ".safetensors"};

/* Models that a message about a missing one names. */
#define MAX_SHOWN 12

/* One model on the search path. */
typedef struct {
    char *name; /* of the file or folder */
    char *stem; /* without extension */
    char *path; /* what is opened */
} Candidate;

char **vfi_model_search_path(void)
{
    g_autoptr(GStrvBuilder) folders = g_strv_builder_new();
    const char *environment = vfi_environment("VFI_MODEL_PATH");

    if (environment != NULL) {
        g_auto(GStrv) parts = g_strsplit(environment, G_SEARCHPATH_SEPARATOR_S, -1);
        for (size_t i = 0; parts[i] != NULL; i++)
            if (parts[i][0] != '\0')
                g_strv_builder_add(folders, parts[i]);
    }
    g_autofree char *data = vfi_user_folder("XDG_DATA_HOME", ".local/share");
    if (data != NULL) {
        g_autofree char *user = g_build_filename(data, "vfi", "models", NULL);
        g_strv_builder_add(folders, user);
    }
    g_strv_builder_add(folders, "/usr/local/share/vfi/models");
    g_strv_builder_add(folders, "/usr/share/vfi/models");
    return g_strv_builder_end(folders);
}

static void candidate_free(void *data)
{
    Candidate *candidate = data;

    g_free(candidate->name);
    g_free(candidate->stem);
    g_free(candidate->path);
    g_free(candidate);
}

/* @file without a known extension, or NULL if it has none. */
static char *stem_of(const char *file, const char *const *known, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (g_str_has_suffix(file, known[i]))
            return g_strndup(file, strlen(file) - strlen(known[i]));
    return NULL;
}

static bool is_file(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

/* The weights beside the structure @param of an ncnn model, or NULL: they are what changes
 * when a model is replaced, and what it is shared by. */
static char *ncnn_weights(const char *param)
{
    g_autofree char *stem = g_strndup(param, strlen(param) - strlen(".param"));
    g_autofree char *weights = g_strconcat(stem, ".bin", NULL);

    return is_file(param) && is_file(weights) ? g_steal_pointer(&weights) : NULL;
}

/* The model in a folder of its own, or NULL: as rife-ncnn-vulkan or as RIFE's own releases
 * keep it. */
static char *model_in_folder(const char *folder)
{
    g_autofree char *param = g_build_filename(folder, "flownet.param", NULL);
    g_autofree char *torch = g_build_filename(folder, "flownet.pkl", NULL);
    char *weights = ncnn_weights(param);

    if (weights != NULL)
        return weights;
    return is_file(torch) ? g_steal_pointer(&torch) : NULL;
}

/* What is opened for @path, a model's file or folder; NULL if it is neither. */
static char *model_at(const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return model_in_folder(path);
    if (g_str_has_suffix(path, ".param"))
        return ncnn_weights(path);
    return is_file(path) ? g_strdup(path) : NULL;
}

/* @name in @folder if it looks like a model, or NULL. */
static Candidate *candidate_new(const char *folder, const char *name)
{
    static const char *const ncnn[] = {".param"};
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *stem = stem_of(name, extensions, G_N_ELEMENTS(extensions));
    bool is_folder = stem == NULL && g_file_test(path, G_FILE_TEST_IS_DIR);

    if (is_folder)
        stem = g_strdup(name);
    else if (stem == NULL)
        stem = stem_of(name, ncnn, G_N_ELEMENTS(ncnn));
    g_autofree char *opened = stem == NULL ? NULL : model_at(path);
    if (opened == NULL)
        return NULL;
    Candidate *candidate = g_new0(Candidate, 1);
    candidate->name = g_strdup(name);
    candidate->stem = g_steal_pointer(&stem);
    candidate->path = g_steal_pointer(&opened);
    return candidate;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    const Candidate *candidate_a = *(Candidate *const *)a,
                    *candidate_b = *(Candidate *const *)b;

    return strcmp(candidate_a->name, candidate_b->name);
}

/* All models of the search path, folder by folder, in each by name. */
static GPtrArray *find_candidates(char **folders)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(candidate_free);

    for (size_t i = 0; folders[i] != NULL; i++) {
        g_autoptr(GDir) dir = g_dir_open(folders[i], 0, NULL);
        g_autoptr(GPtrArray) here = g_ptr_array_new();
        const char *name;
        while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
            Candidate *candidate = candidate_new(folders[i], name);
            if (candidate != NULL)
                g_ptr_array_add(here, candidate);
        }
        g_ptr_array_sort(here, compare_names);
        for (guint k = 0; k < here->len; k++)
            g_ptr_array_add(all, g_ptr_array_index(here, k));
    }
    return all;
}

char **vfi_model_list(void)
{
    g_auto(GStrv) folders = vfi_model_search_path();
    g_autoptr(GPtrArray) candidates = find_candidates(folders);
    char **paths = g_new0(char *, candidates->len + 1);

    for (guint i = 0; i < candidates->len; i++)
        paths[i] = g_strdup(((Candidate *)g_ptr_array_index(candidates, i))->path);
    return paths;
}

/* The best match, the first of several that are as good; NULL: none. */
static const char *find_best(const GPtrArray *candidates, const char *name)
{
    bool is_auto = strcmp(name, "auto") == 0;
    VfiNameMatch best = {.matches = false};
    const char *path = NULL;

    for (guint i = 0; i < candidates->len; i++) {
        const Candidate *candidate = g_ptr_array_index(candidates, i);
        VfiNameMatch match = vfi_model_name_match(
            is_auto ? "rife" : name, candidate->name, candidate->stem, is_auto);
        if (!match.matches ||
            (path != NULL && vfi_name_match_compare(&match, &best) <= 0))
            continue;
        best = match;
        path = candidate->path;
    }
    return path;
}

/* "rife-4.0.pkl, film_net_fp32.pt and 3 more", or "no model". */
static char *list_names(const GPtrArray *candidates)
{
    GString *text = g_string_new(candidates->len == 0 ? "no model" : NULL);

    for (guint i = 0; i < MIN(candidates->len, MAX_SHOWN); i++)
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ",
                               ((Candidate *)g_ptr_array_index(candidates, i))->name);
    if (candidates->len > MAX_SHOWN)
        g_string_append_printf(text, " and %u more", candidates->len - MAX_SHOWN);
    return g_string_free(text, FALSE);
}

/* A name with a folder, or of a file in the current one. */
static gboolean resolve_file(const char *name, char **path, GError **error)
{
    *path = model_at(name);
    if (*path != NULL)
        return TRUE;
    if (g_file_test(name, G_FILE_TEST_IS_DIR))
        g_set_error(error, VFI_ERROR, VFI_ERROR_NOT_FOUND,
                    "the folder \"%s\" holds neither flownet.param with flownet.bin nor "
                    "flownet.pkl; name the model's file",
                    name);
    else if (is_file(name))
        g_set_error(
            error, VFI_ERROR, VFI_ERROR_NOT_FOUND,
            "\"%s\" is the structure of an ncnn model, but the .bin file with its "
            "weights is not beside it",
            name);
    else
        g_set_error(error, VFI_ERROR, VFI_ERROR_NOT_FOUND,
                    "there is no model file \"%s\"", name);
    return FALSE;
}

gboolean vfi_model_resolve(const char *name, char **path, GError **error)
{
    *path = NULL;
    const VfiModelFamily *family = vfi_family_find(name);
    if (family != NULL && !family->has_weights)
        return TRUE;
    if (g_path_is_absolute(name) || strchr(name, G_DIR_SEPARATOR) != NULL ||
        is_file(name))
        return resolve_file(name, path, error);

    g_auto(GStrv) folders = vfi_model_search_path();
    g_autoptr(GPtrArray) candidates = find_candidates(folders);
    *path = g_strdup(find_best(candidates, name));
    if (*path != NULL)
        return TRUE;
    g_autofree char *list = g_strjoinv(", ", folders);
    g_autofree char *found = list_names(candidates);
    g_set_error(
        error, VFI_ERROR, VFI_ERROR_NOT_FOUND,
        "no model \"%s\" (with or without version and .pkl, .pth, .pt or "
        ".safetensors, or a folder with flownet.param and flownet.bin) in %s; "
        "found there: %s. Run tools/get-models to fetch RIFE 4.0 and 3.x, copy a "
        "checkpoint into one of these folders, add a folder to VFI_MODEL_PATH, or "
        "give a file name",
        name, list, found);
    return FALSE;
}
