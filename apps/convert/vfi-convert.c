/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-convert: a file's video at another frame rate, and the rest of the file as it is.
 */
#include <locale.h>
#include <stdio.h>

#include <gst/gst.h>

#include "common/installed_models.h"
#include "convert/batch.h"
#include "convert/error.h"

/* Where the element was installed with this program, if GStreamer does not look there by
 * itself; the environment is asked first. */
static void find_element(void)
{
    g_autoptr(GstElementFactory) factory = gst_element_factory_find("vfiinterp");
    if (factory == NULL)
        gst_registry_scan_path(gst_registry_get(), VFI_PLUGIN_FOLDER);
}

static int list_models(void)
{
    g_autoptr(GPtrArray) models = installed_models_list(NULL);
    g_autofree gchar *table = installed_models_table(models);
    fputs(table, stdout);
    return 0;
}

static int run(int argc, char **argv, const ConvertOptions *options,
               const Interrupt *interrupt)
{
    g_autofree gchar *resume = options_resume_command(argc, argv);
    g_autoptr(Progress) progress = progress_new(options->json, options->progress_seconds);
    ConvertJob job = {
        .options = options,
        .progress = progress,
        .interrupt = interrupt,
        .resume_command = resume,
    };
    return batch_run(&job);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_autoptr(GError) error = NULL;
    g_autoptr(ConvertOptions) options = options_parse(argc, argv, &error);
    if (options == NULL) {
        if (g_strv_contains((const char *const *)argv, "--json")) {
            g_autoptr(Progress) progress = progress_new(TRUE, -1);
            progress_failed(progress, NULL, error);
            return error->code;
        }
        fprintf(stderr, "vfi-convert: %s\n", error->message);
        return error->code;
    }
    if (options->version) {
        printf("vfi-convert %s\n", VFI_CONVERT_VERSION);
        return 0;
    }
    if (options->list_models)
        return list_models();
    Interrupt *interrupt = interrupt_new();
    gst_init(NULL, NULL);
    find_element();
    return run(argc, argv, options, interrupt);
}
