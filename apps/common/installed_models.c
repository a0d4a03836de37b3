/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/installed_models.h"

#include <string.h>

#include <vfi/estimate.h>
#include <vfi/model.h>
#include <vfi/system.h>

/* What the authors of each family say of their weights. */
static const char *licence_of(const char *family)
{
    static const struct {
        const char *family, *licence;
    } known[] = {
        {"film", "Apache-2.0"}, {"ifrnet", "MIT"},    {"rife", "MIT"},
        {"blend", "built in"},  {"flow", "built in"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i].family, family) == 0)
            return known[i].licence;
    return NULL;
}

static gboolean runs_on_host(const VfiSessionConfig *config, const VfiSystemInfo *system)
{
    if (config->device == NULL || strcmp(config->device, "auto") == 0)
        return !system->has_cuda;
    return strcmp(config->device, "cpu") == 0;
}

/* Bytes that a session may still take; UINT64_MAX if nobody knows of a limit. */
static uint64_t free_for_session(const VfiSessionConfig *config,
                                 const VfiSystemInfo *system)
{
    uint64_t headroom =
        config->memory_headroom != 0 ? config->memory_headroom : system->memory_headroom;

    if (system->memory_free == UINT64_MAX)
        return UINT64_MAX;
    return system->memory_free > headroom ? system->memory_free - headroom : 0;
}

/* The model itself is in memory by now, so that its weights count as taken. */
static void estimate(InstalledModel *found, VfiModel *model,
                     const VfiSessionConfig *config)
{
    g_autoptr(GError) error = NULL;
    VfiSessionConfig tiled = *config;
    VfiSystemInfo system;
    VfiEstimate whole;

    if (!vfi_model_estimate(model, config, &whole, &error)) {
        found->problem = g_strdup(error->message);
        return;
    }
    found->memory_bytes = whole.session_bytes + found->weight_bytes;
    vfi_system_info(&system);
    if (!runs_on_host(config, &system))
        return;

    tiled.memory_limit = free_for_session(config, &system);
    if (whole.session_bytes <= tiled.memory_limit) {
        found->fit = MODEL_FIT_WHOLE;
        return;
    }
    found->fit = MODEL_FIT_NOT;
    if (tiled.memory_limit != 0 && vfi_model_info(model)->can_tile &&
        vfi_model_estimate(model, &tiled, &whole, NULL) &&
        whole.session_bytes <= tiled.memory_limit) {
        found->fit = MODEL_FIT_TILES;
        found->tile_limit = tiled.memory_limit;
    }
}

InstalledModel *installed_model_new(const char *name, GVariant *options,
                                    const VfiSessionConfig *config)
{
    InstalledModel *found = g_new0(InstalledModel, 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) model = vfi_model_open(name, options, &error);

    found->name = g_strdup(name);
    if (model == NULL) {
        found->family = g_strdup("");
        found->variant = g_strdup("");
        found->problem = g_strdup(error->message);
        return found;
    }
    const VfiModelInfo *info = vfi_model_info(model);

    found->path = g_strdup(info->path);
    found->family = g_strdup(info->family);
    found->variant = g_strdup(info->variant);
    found->licence = licence_of(info->family);
    found->weight_bytes = info->weight_bytes;
    if (config != NULL)
        estimate(found, model, config);
    return found;
}

void installed_model_free(InstalledModel *model)
{
    if (model == NULL)
        return;
    g_free(model->name);
    g_free(model->path);
    g_free(model->family);
    g_free(model->variant);
    g_free(model->problem);
    g_free(model);
}

/* The file's name without its ending if that leads to this very file, else its path. */
static char *name_of_file(const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *resolved = NULL;
    char *dot = strrchr(name, '.');

    if (dot != NULL && dot != name)
        *dot = '\0';
    if (!vfi_model_resolve(name, &resolved, NULL) || g_strcmp0(resolved, path) != 0)
        return g_strdup(path);
    return g_steal_pointer(&name);
}

GPtrArray *installed_models_list(const VfiSessionConfig *config)
{
    GPtrArray *models =
        g_ptr_array_new_with_free_func((GDestroyNotify)installed_model_free);
    g_auto(GStrv) paths = vfi_model_list();

    for (size_t i = 0; paths[i] != NULL; i++) {
        g_autofree char *name = name_of_file(paths[i]);
        InstalledModel *model = installed_model_new(name, NULL, config);

        if (model->path == NULL)
            model->path = g_strdup(paths[i]);
        g_ptr_array_add(models, model);
    }
    g_ptr_array_add(models, installed_model_new("flow", NULL, config));
    g_ptr_array_add(models, installed_model_new("blend", NULL, config));
    return models;
}

static char *fit_text(const InstalledModel *model)
{
    g_autofree char *size =
        g_format_size_full(model->memory_bytes, G_FORMAT_SIZE_IEC_UNITS);

    switch (model->fit) {
    case MODEL_FIT_UNKNOWN:
        return g_strdup(model->memory_bytes != 0 ? size : "");
    case MODEL_FIT_WHOLE:
        return g_strdup_printf("%s, fits", size);
    case MODEL_FIT_TILES:
        return g_strdup_printf("%s, fits in tiles", size);
    case MODEL_FIT_NOT:
        return g_strdup_printf("%s, does not fit", size);
    }
    return g_strdup("");
}

static void append_cell(GString *table, const char *text, size_t width, gboolean is_last)
{
    size_t length = (size_t)g_utf8_strlen(text, -1);

    g_string_append(table, text);
    for (size_t i = length; i < width + 2; i++)
        g_string_append_c(table, ' ');
    if (!is_last)
        return;
    while (table->str[table->len - 1] == ' ')
        g_string_truncate(table, table->len - 1);
    g_string_append_c(table, '\n');
}

static void append_problems(GString *table, const GPtrArray *models)
{
    for (guint i = 0; i < models->len; i++) {
        const InstalledModel *model = models->pdata[i];

        if (model->problem != NULL)
            g_string_append_printf(table, "%s: %s\n", model->name, model->problem);
    }
}

char *installed_models_table(const GPtrArray *models)
{
    enum { N_COLUMNS = 5 };
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    static const char *const titles[N_COLUMNS] = {"MODEL", "FAMILY", "LICENCE", "MEMORY",
                                                  "FILE"};
    size_t widths[N_COLUMNS] = {0};
    GString *table = g_string_new(NULL);

    for (size_t i = 0; i < N_COLUMNS; i++)
        g_ptr_array_add(cells, g_strdup(titles[i]));
    for (guint i = 0; i < models->len; i++) {
        const InstalledModel *model = models->pdata[i];

        g_ptr_array_add(cells, g_strdup(model->name));
        g_ptr_array_add(cells,
                        g_strstrip(g_strjoin(" ", model->family, model->variant, NULL)));
        g_ptr_array_add(cells, g_strdup(model->licence != NULL ? model->licence : ""));
        g_ptr_array_add(cells, fit_text(model));
        g_ptr_array_add(cells, g_strdup(model->path != NULL ? model->path : ""));
    }
    for (guint i = 0; i < cells->len; i++) {
        size_t length = (size_t)g_utf8_strlen(cells->pdata[i], -1);

        widths[i % N_COLUMNS] = MAX(widths[i % N_COLUMNS], length);
    }
    for (guint i = 0; i < cells->len; i++)
        append_cell(table, cells->pdata[i], widths[i % N_COLUMNS],
                    i % N_COLUMNS == N_COLUMNS - 1);
    append_problems(table, models);
    return g_string_free(table, FALSE);
}
