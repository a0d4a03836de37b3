/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a model: file → checkpoint → family and variant → options → weights. */
#include <string.h>

#include <vfi/error.h>

#include "log_internal.h"
#include "model_internal.h"
#include "plan.h"

/* The family that recognises @checkpoint best, with its verdict; NULL with an error. */
static const VfiModelFamily *detect_family(const VfiCheckpoint *checkpoint,
                                           VfiDetection *detection, GError **error)
{
    const VfiModelFamily *best = NULL;

    *detection = (VfiDetection){0};
    for (const VfiModelFamily *const *family = vfi_families(); *family != NULL;
         family++) {
        if ((*family)->detect == NULL)
            continue;
        VfiDetection verdict = (*family)->detect(checkpoint);
        if (verdict.score > detection->score) {
            *detection = verdict;
            best = *family;
        }
    }
    if (best == NULL) {
        size_t n = vfi_checkpoint_n_tensors(checkpoint);
        g_set_error(
            error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
            "%s: a %s file with %zu tensors%s%s%s, but not a network that is known "
            "here; RIFE 3.2 to 3.8, 4.0 and 4.1 load",
            vfi_checkpoint_path(checkpoint),
            vfi_container_to_string(vfi_checkpoint_container(checkpoint)), n,
            n > 0 ? " (the first is \"" : "",
            n > 0 ? vfi_checkpoint_tensor(checkpoint, 0)->name : "", n > 0 ? "\")" : "");
    }
    return best;
}

static bool weight_is_wanted(const char *name, void *user_data)
{
    const VfiModel *model = user_data;

    return model->family->wants == NULL || model->family->wants(&model->setup, name);
}

/* Reads family, variant, options and weights from the file at model->path. */
static bool load_checkpoint(VfiModel *model, GVariant *options, GError **error)
{
    VfiDetection detection;
    g_autoptr(VfiCheckpoint) checkpoint = vfi_checkpoint_open(model->path, error);

    if (checkpoint == NULL)
        return false;
    model->family = detect_family(checkpoint, &detection, error);
    if (model->family == NULL)
        return false;
    model->setup.variant = detection.variant;
    model->setup.options = vfi_options_resolve(model->family, options, error);
    if (model->setup.options == NULL)
        return false;
    model->weights = vfi_weights_load(checkpoint, weight_is_wanted, model, error);
    if (model->weights == NULL)
        return false;
    model->info.variant = detection.name;
    model->info.time_mode = detection.time_mode;
    model->info.n_parameters = vfi_weights_n_parameters(model->weights);
    model->info.weight_bytes = vfi_weights_bytes(model->weights);
    return true;
}

static bool load_without_weights(VfiModel *model, GVariant *options, GError **error)
{
    model->family = vfi_family_find(model->name);
    model->setup.options = vfi_options_resolve(model->family, options, error);
    model->info.variant = "";
    model->info.time_mode = VFI_TIME_ANY;
    return model->setup.options != NULL;
}

/* Builds the stages once at a small size, so that a checkpoint with missing or misshapen
 * tensors is refused when it is opened and not when the first frame arrives. */
static bool graphs_build(const VfiModel *model, GError **error)
{
    const VfiModelFamily *family = model->family;
    g_autoptr(GError) reason = NULL;

    if (family->build == NULL)
        return true;
    int size =
        family->size_multiple == NULL ? 1 : family->size_multiple(&model->setup, 1.0);
    VfiGraph *frame = vfi_graph_new(model->weights, NULL, size, size);
    VfiPlan *frame_plan = NULL;
    if (family->build(frame, &model->setup, VFI_STAGE_FRAME, 1.0))
        frame_plan = vfi_plan_new(frame, NULL, true, &reason);
    VfiGraph *time = vfi_graph_new(model->weights, frame_plan, size, size);
    if (reason == NULL) {
        family->build(time, &model->setup, VFI_STAGE_TIME, 1.0);
        if (vfi_graph_error(time) != NULL)
            reason = g_error_copy(vfi_graph_error(time));
    }
    vfi_graph_free(time);
    vfi_plan_free(frame_plan);
    vfi_graph_free(frame);
    if (reason != NULL)
        g_set_error(error, reason->domain, reason->code, "%s: as %s %s: %s", model->path,
                    family->name, model->info.variant, reason->message);
    return reason == NULL;
}

VfiModel *vfi_model_open(const char *name, GVariant *options, GError **error)
{
    g_autoptr(GVariant) held_options =
        options == NULL ? NULL : g_variant_ref_sink(options);
    g_autofree char *path = NULL;

    if (!vfi_model_resolve(name, &path, error))
        return NULL;
    VfiModel *model = g_new0(VfiModel, 1);
    g_atomic_ref_count_init(&model->ref_count);
    model->name = g_strdup(name);
    model->path = g_steal_pointer(&path);

    bool loaded = model->path == NULL ? load_without_weights(model, held_options, error)
                                      : load_checkpoint(model, held_options, error);
    if (!loaded || !graphs_build(model, error)) {
        vfi_model_unref(model);
        return NULL;
    }
    model->info.name = model->name;
    model->info.path = model->path;
    model->info.family = model->family->name;
    model->info.has_scale = model->family->has_scale;
    vfi_log(VFI_LOG_INFO, "model %s: %s %s, %zu parameters, from %s", name,
            model->info.family, model->info.variant, model->info.n_parameters,
            model->path == NULL ? "no file" : model->path);
    return model;
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
    vfi_weights_free(model->weights);
    g_free(model->name);
    g_free(model->path);
    g_free(model);
}

const VfiModelInfo *vfi_model_info(const VfiModel *model)
{
    return &model->info;
}
