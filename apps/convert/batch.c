/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/batch.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "convert/error.h"
#include "convert/output_name.h"

/* What is taken out of folders. */
static gboolean is_video_name(const char *name)
{
    static const char *const EXTENSIONS[] = {
        ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv",  ".mov", ".mp4", ".mpeg", ".mpg",
        ".mts", ".mxf", ".ogv", ".ts",   ".vob", ".webm", ".wmv", ".y4m", ".qt"};
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name || *name == '.')
        return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(EXTENSIONS); i++) {
        if (g_ascii_strcasecmp(dot, EXTENSIONS[i]) == 0)
            return TRUE;
    }
    return FALSE;
}

/* "clip-60fps.mp4" where there is a clip as well: an output of an earlier run. */
static gboolean is_own_output(const char *folder, const char *name)
{
    g_autoptr(GRegex) regex =
        g_regex_new("^(.+)-[0-9.]+(?:fps|x|x-slow)\\.[A-Za-z0-9]+$",
                    (GRegexCompileFlags)0, (GRegexMatchFlags)0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    if (!g_utf8_validate(name, -1, NULL) ||
        !g_regex_match(regex, name, (GRegexMatchFlags)0, &match))
        return FALSE;
    g_autofree gchar *stem = g_match_info_fetch(match, 1);
    g_autofree gchar *prefix = g_strconcat(stem, ".", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *other = NULL;
    while (dir != NULL && (other = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_prefix(other, prefix) && is_video_name(other))
            return TRUE;
    }
    return FALSE;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_folder(GPtrArray *files, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    const char *name = NULL;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (is_video_name(name) && !is_own_output(folder, name))
            g_ptr_array_add(found, g_build_filename(folder, name, NULL));
    }
    g_ptr_array_sort(found, by_name);
    for (guint i = 0; i < found->len; i++)
        g_ptr_array_add(files, g_ptr_array_index(found, i));
}

static void add_pattern(GPtrArray *files, const char *pattern)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            g_ptr_array_add(files, g_strdup(found.gl_pathv[i]));
        globfree(&found);
    } else {
        g_ptr_array_add(files, g_strdup(pattern));
    }
}

gchar **batch_inputs(gchar *const *inputs)
{
    GPtrArray *files = g_ptr_array_new();
    for (gchar *const *input = inputs; *input != NULL; input++) {
        if (g_file_test(*input, G_FILE_TEST_IS_DIR))
            add_folder(files, *input);
        else if (!g_file_test(*input, G_FILE_TEST_EXISTS) &&
                 strpbrk(*input, "*?[") != NULL)
            add_pattern(files, *input);
        else
            g_ptr_array_add(files, g_strdup(*input));
    }
    g_ptr_array_add(files, NULL);
    return (gchar **)g_ptr_array_free(files, FALSE);
}

/* What --output means for one of several inputs: the same name in that folder. */
static gchar *output_in_folder(const ConvertOptions *options, const char *input)
{
    g_autofree gchar *base = g_path_get_basename(input);
    const char *kind = strrchr(base, '.');
    gboolean known = kind != NULL && container_of_path(base, NULL) != CONTAINER_NONE;
    if (!known && kind != NULL)
        base[kind - base] = '\0';
    g_autofree gchar *name = known ? g_strdup(base) : g_strconcat(base, ".mkv", NULL);
    return g_build_filename(options->output, name, NULL);
}

static int fail(const ConvertJob *job, const char *input, const GError *error)
{
    if (error->code != CONVERT_ERROR_INTERRUPTED)
        progress_failed(job->progress, input, error);
    return error->code;
}

/* Outputs of one name would replace each other: says which, else NULL. Where --output
 * names no folder they are told apart without the rate, which is not known yet. */
static gchar *shared_output(const ConvertOptions *options, gchar *const *files)
{
    g_autoptr(GHashTable) inputs =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (gchar *const *file = files; *file != NULL; file++) {
        g_autofree gchar *output = options->output != NULL
                                       ? output_in_folder(options, *file)
                                       : output_name(options, *file, NULL, 0, 1);
        gchar *name = g_canonicalize_filename(output, NULL);
        const char *other = g_hash_table_lookup(inputs, name);
        if (other != NULL) {
            g_free(name);
            return g_strdup_printf(
                "%s and %s: expected inputs whose outputs have names of their own, found "
                "one name for both; convert them one by one, each with an -o of its own",
                other, *file);
        }
        g_hash_table_insert(inputs, name, *file);
    }
    return NULL;
}

static int run_several(const ConvertJob *job, gchar **files, GPtrArray *failures)
{
    const ConvertOptions *o = job->options;
    for (gchar **file = files; *file != NULL; file++) {
        g_autoptr(GError) error = NULL;
        g_autofree gchar *output = o->output != NULL ? output_in_folder(o, *file) : NULL;
        if (convert_file(job, *file, output, &error))
            continue;
        if (fail(job, *file, error) == CONVERT_ERROR_INTERRUPTED)
            return CONVERT_ERROR_INTERRUPTED;
        g_ptr_array_add(failures, g_strdup_printf("%s: %s", *file, error->message));
    }
    return failures->len > 0 ? 1 : 0;
}

static int bad_output(const ConvertJob *job, const char *message)
{
    g_autoptr(GError) error =
        g_error_new_literal(CONVERT_ERROR, CONVERT_ERROR_USAGE, message);
    return fail(job, job->options->output, error);
}

static int run_files(const ConvertJob *job, gchar **files)
{
    const ConvertOptions *o = job->options;
    if (*files == NULL)
        return bad_output(job, "expected videos among the inputs, found none");
    g_autofree gchar *shared = shared_output(o, files);
    if (shared != NULL)
        return bad_output(job, shared);
    if (o->output != NULL && !g_file_test(o->output, G_FILE_TEST_IS_DIR)) {
        if (!g_str_has_suffix(o->output, "/"))
            return bad_output(job,
                              "--output: expected a folder for several inputs, such as "
                              "\"converted/\"");
        if (!o->dry_run && g_mkdir_with_parents(o->output, 0777) != 0)
            return bad_output(job, "--output: the folder cannot be made");
    }
    g_autoptr(GPtrArray) failures = g_ptr_array_new_with_free_func(g_free);
    int code = run_several(job, files, failures);
    if (failures->len > 0 && !o->json) {
        fprintf(stderr, "%u of %u failed:\n", failures->len, g_strv_length(files));
        for (guint i = 0; i < failures->len; i++)
            fprintf(stderr, "  %s\n", (const char *)g_ptr_array_index(failures, i));
    }
    return code;
}

int batch_run(const ConvertJob *job)
{
    const ConvertOptions *o = job->options;
    g_auto(GStrv) files = batch_inputs(o->inputs);
    gboolean is_folder = g_file_test(o->inputs[0], G_FILE_TEST_IS_DIR);
    if (o->inputs[1] != NULL || is_folder || files[1] != NULL)
        return run_files(job, files);
    g_autoptr(GError) error = NULL;
    if (convert_file(job, files[0], o->output, &error))
        return 0;
    return fail(job, files[0], error);
}
