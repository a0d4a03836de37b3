/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a model's file: the search path, the models on it, and which of them a name
 * means (model_name.h). */
#include "model/search_path.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <vfi/error.h>
#include <vfi/model.h>

#include "base/environment.h"
#include "base/printable.h"
#include "model/model_name.h"

static const char *const extensions[] = {".pkl", ".pth", ".pt", ".safetensors"};

/* Models that a message about a missing one names. */
#define MAX_SHOWN 12

/* Once such a message's part about what hides models is this long, no more is added. */
#define MAX_HIDDEN 400

/* One model on the search path. */
typedef struct {
    char *name; /* of the file or folder */
    char *stem; /* without extension */
    char *
        alias; /* from the folder around it, where its own name says nothing; else NULL */
    char *path; /* to be opened */
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
    g_free(candidate->alias);
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

/* The weights beside the structure @param of an ncnn model, or NULL. The weights stand
 * for the model: they change when it is replaced. */
static char *ncnn_weights(const char *param)
{
    g_autofree char *stem = g_strndup(param, strlen(param) - strlen(".param"));
    g_autofree char *weights = g_strconcat(stem, ".bin", NULL);

    return is_file(param) && is_file(weights) ? g_steal_pointer(&weights) : NULL;
}

/* Where RIFE's downloads have their file. */
static const char train_log[] = "train_log";

static char *flownet_in(const char *folder)
{
    g_autofree char *param = g_build_filename(folder, "flownet.param", NULL);
    g_autofree char *torch = g_build_filename(folder, "flownet.pkl", NULL);
    char *weights = ncnn_weights(param);

    if (weights != NULL)
        return weights;
    return is_file(torch) ? g_steal_pointer(&torch) : NULL;
}

/* The model in a folder of its own, or NULL: as rife-ncnn-vulkan or as RIFE's own
 * releases keep it. */
static char *model_in_folder(const char *folder)
{
    g_autofree char *inner = g_build_filename(folder, train_log, NULL);
    char *model = flownet_in(folder);

    return model != NULL ? model : flownet_in(inner);
}

/* The file to open for @path, a model's file or folder; NULL if it is neither. */
static char *model_at(const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return model_in_folder(path);
    if (g_str_has_suffix(path, ".param"))
        return ncnn_weights(path);
    return is_file(path) ? g_strdup(path) : NULL;
}

/* The name that the folder @name gives to a model of RIFE in it: "rife-4.25" where @name
 * is a version alone. NULL: it has no version. */
static char *alias_of_folder(const char *name)
{
    const char *number = name + (g_ascii_tolower(name[0]) == 'v');
    char *alias =
        g_ascii_isdigit(number[0]) ? g_strconcat("rife-", name, NULL) : g_strdup(name);
    VfiModelName parsed = vfi_model_name_parse(alias);

    if (parsed.n_version == 0)
        g_clear_pointer(&alias, g_free);
    vfi_model_name_clear(&parsed);
    return alias;
}

/* The name from the folders around @stem in @folder, where its own is the same for all
 * models. */
static char *find_alias(const char *folder, const char *stem, bool is_folder)
{
    g_autofree char *around = g_canonicalize_filename(folder, NULL);
    g_autofree char *name = g_path_get_basename(around);

    if (strcmp(stem, "flownet") == 0 && strcmp(name, train_log) == 0) {
        g_autofree char *above = g_path_get_dirname(around);
        g_autofree char *above_name = g_path_get_basename(above);
        return alias_of_folder(above_name);
    }
    if (strcmp(stem, "flownet") == 0 || strcmp(stem, train_log) == 0)
        return alias_of_folder(name);
    return is_folder ? alias_of_folder(stem) : NULL;
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
    candidate->alias = find_alias(folder, stem, is_folder);
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

/* Adds that @folder may hide models: @reason is why it cannot be listed. */
static void note_unreadable(GString *hidden, const char *folder, const GError *reason)
{
    g_autofree char *shown = vfi_printable(folder);

    if (g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_ACCES))
        g_string_append_printf(hidden, "; the folder %s cannot be read: %s", shown,
                               g_strerror(EACCES));
}

/* The same of @name, if it is a download that was not unpacked. */
static void note_archive(GString *hidden, const char *name)
{
    static const char *const endings[] = {".zip",    ".tar", ".tar.gz", ".tgz",
                                          ".tar.xz", ".7z",  ".rar"};

    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        if (!g_str_has_suffix(name, endings[i]) || hidden->len > MAX_HIDDEN)
            continue;
        g_autofree char *shown = vfi_printable(name);
        g_string_append_printf(hidden, "; %s is an archive, to be unpacked", shown);
        return;
    }
}

/* All models of the search path, folder by folder, in each by name. Adds to @hidden (NULL
 * is allowed) where there may be more. */
static GPtrArray *find_candidates(char **folders, GString *hidden)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(candidate_free);

    for (size_t i = 0; folders[i] != NULL; i++) {
        g_autoptr(GError) reason = NULL;
        g_autoptr(GDir) dir = g_dir_open(folders[i], 0, &reason);
        g_autoptr(GPtrArray) here = g_ptr_array_new();
        const char *name;
        if (hidden != NULL && dir == NULL)
            note_unreadable(hidden, folders[i], reason);
        while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
            Candidate *candidate = candidate_new(folders[i], name);
            if (candidate != NULL)
                g_ptr_array_add(here, candidate);
            else if (hidden != NULL)
                note_archive(hidden, name);
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
    g_autoptr(GPtrArray) candidates = find_candidates(folders, NULL);
    char **paths = g_new0(char *, candidates->len + 1);

    for (guint i = 0; i < candidates->len; i++)
        paths[i] = g_strdup(((Candidate *)g_ptr_array_index(candidates, i))->path);
    return paths;
}

/* How well @candidate matches @name, by its own or its folder's name, whichever is
 * better. */
static VfiNameMatch match_candidate(const Candidate *candidate, const char *name)
{
    bool is_auto = strcmp(name, "auto") == 0;
    const char *asked = is_auto ? "rife" : name;
    VfiNameMatch own =
        vfi_model_name_match(asked, candidate->name, candidate->stem, is_auto);

    if (candidate->alias == NULL)
        return own;
    VfiNameMatch other =
        vfi_model_name_match(asked, candidate->alias, candidate->alias, is_auto);
    if (!own.matches || !other.matches)
        return own.matches ? own : other;
    return vfi_name_match_compare(&other, &own) > 0 ? other : own;
}

/* The best match, the first of several that are as good; NULL: none. */
static const char *find_best(const GPtrArray *candidates, const char *name)
{
    VfiNameMatch best = {.matches = false};
    const char *path = NULL;

    for (guint i = 0; i < candidates->len; i++) {
        const Candidate *candidate = g_ptr_array_index(candidates, i);
        VfiNameMatch match = match_candidate(candidate, name);
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

    for (guint i = 0; i < MIN(candidates->len, MAX_SHOWN); i++) {
        const Candidate *candidate = g_ptr_array_index(candidates, i);
        g_autofree char *shown = vfi_printable(candidate->name);
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ", shown);
    }
    if (candidates->len > MAX_SHOWN)
        g_string_append_printf(text, " and %u more", candidates->len - MAX_SHOWN);
    return g_string_free(text, FALSE);
}

/* ---- files that are named ---------------------------------------------------------- */

static gboolean fail(GError **error, int code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean fail(GError **error, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (error != NULL)
        *error = g_error_new_valist(VFI_ERROR, code, format, arguments);
    va_end(arguments);
    return FALSE;
}

/* The errno of looking at @path, 0 if it is there. */
static int look_at(const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0 ? 0 : errno;
}

/* Fails with what @folder has instead of a model of RIFE's name. */
static gboolean fail_folder(const char *folder, GError **error)
{
    const char *search[] = {folder, NULL};
    g_autofree char *shown = vfi_printable(folder);
    g_autofree char *inside = g_build_filename(folder, ".", NULL);
    g_autofree char *tensorflow = g_build_filename(folder, "saved_model.pb", NULL);

    if (look_at(inside) == EACCES)
        return fail(error, VFI_ERROR_IO, "the folder \"%s\" cannot be read: %s", shown,
                    g_strerror(EACCES));
    if (is_file(tensorflow))
        return fail(
            error, VFI_ERROR_UNSUPPORTED,
            "the folder \"%s\" is a TensorFlow SavedModel, which is not read; take "
            "the model's PyTorch checkpoint (of FILM film_net_fp32.pt)",
            shown);
    g_autoptr(GString) hidden = g_string_new(NULL);
    g_autoptr(GPtrArray) candidates = find_candidates((char **)search, hidden);
    g_autofree char *found = list_names(candidates);
    return fail(error, VFI_ERROR_NOT_FOUND,
                "the folder \"%s\" holds neither flownet.param with flownet.bin nor "
                "flownet.pkl, nor does its train_log; name the model's file (in the "
                "folder: %s%s)",
                shown, found, hidden->str);
}

/* Fails since nothing is at @name. */
static gboolean fail_missing(const char *name, GError **error)
{
    int reason = look_at(name);
    g_autofree char *shown = vfi_printable(name);

    if (name[0] == '~') {
        const char *home = vfi_environment("HOME");
        g_autofree char *full = home != NULL && name[1] == '/'
                                    ? g_build_filename(home, name + 2, NULL)
                                    : NULL;
        g_autofree char *shown_full = vfi_printable(full);
        return fail(
            error, VFI_ERROR_NOT_FOUND,
            "there is no model file \"%s\": the shell did not replace the \"~\", "
            "which it does at the beginning of a word and outside quotes only, so "
            "not in model=~/…; write the whole path%s%s",
            shown, full != NULL ? ": " : "", shown_full);
    }
    if (reason != 0 && reason != ENOENT && reason != ENOTDIR)
        return fail(error, VFI_ERROR_IO, "cannot look for the model file \"%s\": %s",
                    shown, g_strerror(reason));
    return fail(error, VFI_ERROR_NOT_FOUND, "there is no model file \"%s\"", shown);
}

/* A name with a folder, or of a file or a folder in the current one. */
static gboolean resolve_file(const char *name, char **path, GError **error)
{
    *path = model_at(name);
    if (*path != NULL)
        return TRUE;
    if (g_file_test(name, G_FILE_TEST_IS_DIR))
        return fail_folder(name, error);
    struct stat facts;
    if (stat(name, &facts) == 0 && !S_ISREG(facts.st_mode)) {
        *path = g_strdup(name); /* a pipe or a device: opening it says so */
        return TRUE;
    }
    if (!is_file(name))
        return fail_missing(name, error);
    g_autofree char *shown = vfi_printable(name);
    return fail(error, VFI_ERROR_NOT_FOUND,
                "\"%s\" is the structure of an ncnn model, but the .bin file with its "
                "weights is not beside it",
                shown);
}

/* Whether @name means something in a folder that it says or in the current one: a file, a
 * folder with a model. */
static bool is_path(const char *name)
{
    if (g_path_is_absolute(name) || strchr(name, G_DIR_SEPARATOR) != NULL ||
        name[0] == '~' || is_file(name))
        return true;
    g_autofree char *model = model_in_folder(name);
    return model != NULL;
}

/* The model that @name means on the search path; NULL with *missing, "FOLDERS; found
 * there: …", if there is none. */
static char *search(const char *name, char **missing)
{
    g_auto(GStrv) folders = vfi_model_search_path();
    g_autoptr(GString) hidden = g_string_new(NULL);
    g_autoptr(GPtrArray) candidates = find_candidates(folders, hidden);
    char *path = g_strdup(find_best(candidates, name));

    if (path != NULL)
        return path;
    g_autofree char *joined = g_strjoinv(", ", folders);
    g_autofree char *list = vfi_printable(joined);
    g_autofree char *found = list_names(candidates);
    *missing = g_strdup_printf("%s; found there: %s%s", list, found, hidden->str);
    return NULL;
}

/* How to get one that is not there. */
#define HOW_TO_GET                                                                       \
    "Run vfi-get-models (in the sources tools/get-models) to fetch RIFE 4.0 and 3.x, "   \
    "or one that its --list shows; or copy a checkpoint into one of these folders, add " \
    "a folder to VFI_MODEL_PATH, or give a file name"

static gboolean search_named(const char *name, char **path, GError **error)
{
    g_autofree char *missing = NULL;

    *path = search(name, &missing);
    if (*path != NULL)
        return TRUE;
    g_autofree char *shown = vfi_printable(name);
    bool is_folder = g_file_test(name, G_FILE_TEST_IS_DIR);
    return fail(error, VFI_ERROR_NOT_FOUND,
                "no model \"%s\" (with or without version and .pkl, .pth, .pt or "
                ".safetensors, or a folder with flownet.param and flownet.bin) in "
                "%s%s. " HOW_TO_GET "; the model flow needs none",
                shown, missing,
                is_folder ? "; the folder of that name in the current one holds none"
                          : "");
}

/* The best RIFE there is, else the best model that needs no file. */
static void choose(VfiFoundModel *found)
{
    g_autofree char *missing = NULL;

    found->path = search("auto", &missing);
    if (found->path != NULL)
        return;
    found->family = vfi_family_find("flow");
    found->missing = g_strdup_printf("%s. " HOW_TO_GET, missing);
}

bool vfi_model_find(const char *name, VfiFoundModel *found, GError **error)
{
    const VfiModelFamily *family = vfi_family_find(name);

    *found = (VfiFoundModel){0};
    if (family != NULL && !family->has_weights) {
        found->family = family;
        return true;
    }
    if (strcmp(name, "auto") == 0) {
        choose(found);
        return true;
    }
    return is_path(name) ? resolve_file(name, &found->path, error)
                         : search_named(name, &found->path, error);
}

void vfi_found_model_clear(VfiFoundModel *found)
{
    g_free(found->path);
    g_free(found->missing);
    *found = (VfiFoundModel){0};
}

gboolean vfi_model_resolve(const char *name, char **path, GError **error)
{
    VfiFoundModel found;
    gboolean is_found = vfi_model_find(name, &found, error);

    *path = g_steal_pointer(&found.path);
    vfi_found_model_clear(&found);
    return is_found;
}
