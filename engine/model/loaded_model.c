/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening models: a checkpoint's source, shared through the cache or not, with one set of
 * options. */
#include "model/loaded_model.h"

#include <string.h>

#include <vfi/error.h>

#include "backend/backend.h"
#include "base/logging.h"
#include "base/printable.h"
#include "model/family_check.h"
#include "model/options.h"
#include "model/search_path.h"

/* Gets family, variant, options and weights of the file at model->path. */
static bool load_checkpoint(VfiModel *model, GVariant *options, const char *device_key,
                            const VfiModelCacheConfig *config, GError **error)
{
    const VfiModelRequest request = {.path = model->path,
                                     .options = options,
                                     .headroom = config->memory_headroom,
                                     .how = config->open};

    model->cached = vfi_model_cache_take(&request, device_key, &model->setup, error);
    if (model->cached == NULL)
        return false;
    const VfiModelSource *source = vfi_cached_model_source(model->cached);
    model->family = source->family;
    model->weights = source->weights;
    model->info.variant = source->detection.name;
    model->info.time_mode = source->detection.time_mode;
    model->info.n_parameters = vfi_weights_n_parameters(model->weights);
    model->info.weight_bytes = vfi_weights_bytes(model->weights);
    return true;
}

static bool load_without_weights(VfiModel *model, const VfiModelFamily *family,
                                 GVariant *options, GError **error)
{
    model->family = family;
    model->setup.options = vfi_options_resolve(model->family, 0, options, error);
    model->info.variant = "";
    model->info.time_mode = VFI_TIME_ANY;
    return model->setup.options != NULL;
}

/* Builds the stages once at a small size, so that a checkpoint with missing or misshapen
 * tensors is refused when it is opened and not when the first frame arrives. */
static bool graphs_build(const VfiModel *model, GError **error)
{
    if (vfi_family_check(model->family, &model->setup, model->weights, NULL, error))
        return true;
    g_autofree char *shown = vfi_printable(model->path);
    g_prefix_error(error, "%s: as %s %s: ", shown, model->family->name,
                   model->info.variant);
    return false;
}

/* What a user should know of the choice that "auto" made; NULL: it made none. */
static char *note_choice(const VfiModel *model, const VfiFoundModel *found)
{
    if (strcmp(model->name, "auto") != 0)
        return NULL;
    if (found->missing != NULL)
        return g_strdup_printf("The model auto is %s, which needs no file, since there "
                               "is no RIFE in %s",
                               model->family->name, found->missing);
    g_autofree char *shown = vfi_printable(model->path);
    return g_strdup_printf("The model auto is %s %s, from %s", model->family->name,
                           model->info.variant, shown);
}

/* What the log says of a model that was opened. */
static void tell_what_was_opened(const VfiModel *model)
{
    const VfiModelInfo *info = &model->info;
    g_autofree char *name = vfi_printable(model->name);
    g_autofree char *path = vfi_printable(model->path);

    if (info->note != NULL)
        vfi_log(VFI_LOG_INFO, "%s", info->note);
    else
        vfi_log(VFI_LOG_INFO, "model %s: %s %s, %zu parameters, from %s", name,
                info->family, info->variant, info->n_parameters,
                model->path == NULL ? "no file" : path);
}

/* @device_key: the key under which the model is shared, NULL for one of the caller's
 * own. */
static VfiModel *open_model(const char *name, GVariant *options, const char *device_key,
                            const VfiModelCacheConfig *config, GError **error)
{
    g_autoptr(GVariant) held_options =
        options == NULL ? NULL : g_variant_ref_sink(options);
    VfiFoundModel found;

    if (!vfi_model_find(name, &found, error))
        return NULL;
    VfiModel *model = g_new0(VfiModel, 1);
    g_atomic_ref_count_init(&model->ref_count);
    model->name = g_strdup(name);
    model->path = g_strdup(found.path);

    bool loaded = found.family != NULL
                      ? load_without_weights(model, found.family, held_options, error)
                      : load_checkpoint(model, held_options, device_key, config, error);
    if (!loaded || !graphs_build(model, error)) {
        vfi_found_model_clear(&found);
        vfi_model_unref(model); /* a file that no model can be made of is not kept */
        return NULL;
    }
    atomic_init(&model->keep, device_key != NULL);
    model->info.name = model->name;
    model->info.path = model->path;
    model->info.family = model->family->name;
    model->info.has_scale = model->family->has_scale;
    model->info.can_tile = model->family->can_tile;
    model->info.frames_before = model->family->frames_before;
    model->info.frames_after = model->family->frames_after;
    model->note = note_choice(model, &found);
    model->info.note = model->note;
    vfi_found_model_clear(&found);
    tell_what_was_opened(model);
    return model;
}

VfiModel *vfi_model_open(const char *name, GVariant *options, GError **error)
{
    return vfi_model_open_full(name, options, NULL, error);
}

VfiModel *vfi_model_open_full(const char *name, GVariant *options,
                              const VfiOpenOptions *how, GError **error)
{
    VfiModelCacheConfig config = {0};

    if (how != NULL)
        config.open = *how;
    return open_model(name, options, NULL, &config, error);
}

VfiModel *vfi_model_cache_open(const char *name, GVariant *options,
                               const VfiModelCacheConfig *config, GError **error)
{
    const VfiModelCacheConfig defaults = {0};

    if (config == NULL)
        config = &defaults;
    g_autofree char *key = vfi_device_key(config->device, config->precision);
    return open_model(name, options, key, config, error);
}

void vfi_model_set_keep(VfiModel *model, gboolean keep)
{
    atomic_store(&model->keep, keep != FALSE);
}

VfiModel *vfi_model_ref(VfiModel *model)
{
    g_atomic_int_inc(&model->ref_count);
    return model;
}

void vfi_model_unref(VfiModel *model)
{
    if (model == NULL || !g_atomic_int_dec_and_test(&model->ref_count))
        return;
    g_clear_pointer(&model->setup.options, g_hash_table_unref);
    vfi_model_cache_release(model->cached, atomic_load(&model->keep));
    g_free(model->name);
    g_free(model->path);
    g_free(model->note);
    g_free(model);
}

const VfiModelInfo *vfi_model_info(const VfiModel *model)
{
    return &model->info;
}
