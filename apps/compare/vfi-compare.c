/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-compare: leaves out every second frame of a clip, has models make them again, and
 * shows what they made of it. */
#include <locale.h>
#include <stdio.h>

#include "compare/measure.h"
#include "compare/page.h"
#include "compare/report.h"
#include "compare/settings.h"
#include "compare/show.h"

/* What the program says to those who call it; docs/compare.md lists them. */
enum { DONE = 0, FAILED = 1, WRONG_ARGUMENTS = 2, SOME_LEFT_OUT = 3 };

static gboolean write_figures(const Comparison *comparison, const Settings *settings,
                              GError **error)
{
    g_autofree char *json = report_json(comparison);
    g_autofree char *text = report_text(comparison);

    fputs(settings->json ? json : text, stdout);
    return settings->table == NULL ||
           g_file_set_contents(settings->table, json, -1, error);
}

static gboolean write_page(const Comparison *comparison, const Settings *settings,
                           GError **error)
{
    g_autofree char *name = g_filename_display_name(settings->page);

    if (!page_write(comparison, settings->page, error))
        return FALSE;
    if (!settings->json)
        printf("\nPictures: %s\n", name);
    return TRUE;
}

static gboolean check_places(const Settings *settings, GError **error)
{
    return (settings->page == NULL || page_check(settings->page, error)) &&
           (settings->table == NULL || report_json_check(settings->table, error));
}

/* Figures that took long are written even if pictures fail. */
static gboolean compare(Comparison *comparison, const Settings *settings, GError **error)
{
    g_autoptr(Meter) meter = meter_new();
    g_autoptr(GError) failed = NULL;

    if (!check_places(settings, error) || !measure_choose(comparison, settings, error) ||
        !measure_all(comparison, settings, meter, error))
        return FALSE;
    if (settings->page != NULL && !show_all(comparison, settings, meter, &failed))
        g_ptr_array_set_size(comparison->shown, 0);
    g_clear_pointer(&meter, meter_free);
    if (!write_figures(comparison, settings, error))
        return FALSE;
    if (failed == NULL)
        return settings->page == NULL || write_page(comparison, settings, error);
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

static gboolean has_problem(const Comparison *comparison)
{
    for (guint i = 0; i < comparison->contestants->len; i++)
        if (((const Contestant *)comparison->contestants->pdata[i])->problem != NULL)
            return TRUE;
    return FALSE;
}

static int fail(const GError *error, int status)
{
    fprintf(stderr, "vfi-compare: %s\n", error->message);
    return status;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    /* Words in the user's language, numbers for every reader of tables. */
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");

    g_autoptr(Settings) settings = settings_parse(&argc, &argv, &error);

    if (settings == NULL)
        return fail(error, WRONG_ARGUMENTS);
    if (settings->version) {
        puts("vfi-compare " VFI_COMPARE_VERSION);
        return DONE;
    }
    if (!gst_init_check(NULL, NULL, &error))
        return fail(error, FAILED);

    g_autoptr(Comparison) comparison = comparison_new(settings->path);

    if (!compare(comparison, settings, &error))
        return fail(error, FAILED);
    return settings->asked->len > 0 && has_problem(comparison) ? SOME_LEFT_OUT : DONE;
}
