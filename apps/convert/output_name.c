/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/output_name.h"

#include <string.h>

static gchar *suffix_of(const ConvertOptions *options, int rate_n, int rate_d)
{
    if (options->slow_n != options->slow_d)
        return g_strdup_printf("%.5gx-slow", (double)options->slow_n / options->slow_d);
    if (rate_n == 0)
        return g_strdup_printf("%dx", options->has_fps ? options->fps.num : 2);
    return g_strdup_printf("%.5gfps", (double)rate_n / rate_d);
}

static gboolean is_written(const char *path)
{
    ContainerKind kind = container_of_path(path, NULL);
    return kind != CONTAINER_NONE && kind != CONTAINER_PICTURES;
}

gchar *output_name(const ConvertOptions *options, const char *input, const char *folder,
                   int rate_n, int rate_d)
{
    g_autofree gchar *base = g_path_get_basename(input);
    g_autofree gchar *beside = g_path_get_dirname(input);
    g_autofree gchar *suffix = suffix_of(options, rate_n, rate_d);
    char *dot = strrchr(base, '.');
    const char *extension = is_written(base) && dot != NULL ? dot + 1 : "mkv";
    g_autofree gchar *kept = g_strdup(extension);
    if (dot != NULL && dot != base)
        *dot = '\0';
    g_autofree gchar *name = g_strdup_printf("%s-%s.%s", base, suffix, kept);
    if (folder == NULL && strcmp(beside, ".") == 0)
        return g_steal_pointer(&name);
    return g_build_filename(folder != NULL ? folder : beside, name, NULL);
}

/* multifilesink reads the name as a format. */
static gchar *escaped(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "%", -1);
    return g_strjoinv("%%", parts);
}

gchar *output_pictures(const char *output)
{
    if (!g_str_has_suffix(output, ".png") || g_file_test(output, G_FILE_TEST_IS_DIR))
        return g_build_filename(output, "frame-", NULL);
    g_autofree gchar *plain = g_strndup(output, strlen(output) - strlen(".png"));
    return g_strconcat(plain, "-", NULL);
}

gchar *output_pattern(const char *pictures)
{
    g_autofree gchar *safe = escaped(pictures);
    return g_strconcat(safe, "%06u.png", NULL);
}

gchar *output_work_folder(const char *output)
{
    g_autofree gchar *plain = g_strdup(output);
    while (strlen(plain) > 1 && g_str_has_suffix(plain, "/"))
        plain[strlen(plain) - 1] = '\0';
    return g_strconcat(plain, ".vfi-work", NULL);
}
