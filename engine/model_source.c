/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File → checkpoint → family and variant → options → weights. */
#include "model_source.h"

#include <vfi/error.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint_claim.h"
#include "memory_guard.h"
#include "model_internal.h"

/* The family that @checkpoint resembles most, with its verdict; NULL: none. */
static const VfiModelFamily *nearest_family(const VfiModelFamily *const *families,
                                            const VfiCheckpoint *checkpoint,
                                            VfiDetection *detection)
{
    const VfiModelFamily *best = NULL;

    *detection = (VfiDetection){0};
    for (const VfiModelFamily *const *family = families; *family != NULL; family++) {
        if ((*family)->detect == NULL)
            continue;
        VfiDetection verdict = (*family)->detect(checkpoint);
        if (verdict.score > detection->score) {
            *detection = verdict;
            best = *family;
        }
    }
    return best;
}

/* Which tensors are read. */
typedef struct {
    const VfiModelFamily *family;
    const VfiModelSetup *setup;
} Wanted;

static bool weight_is_wanted(const char *name, void *user_data)
{
    const Wanted *wanted = user_data;

    return wanted->family->wants == NULL || wanted->family->wants(wanted->setup, name);
}

static VfiWeights *load_weights(const VfiCheckpoint *checkpoint, Wanted *wanted,
                                uint64_t headroom, GError **error)
{
    g_autofree char *what =
        g_strdup_printf("the model %s", vfi_checkpoint_path(checkpoint));
    const VfiMemoryRequest memory = {
        .what = what,
        .remedy = "a smaller model",
        .host_bytes = vfi_weights_need(checkpoint, weight_is_wanted, wanted),
        .headroom = headroom,
    };

    if (!vfi_memory_claim(&memory, error))
        return NULL;
    VfiWeights *weights = vfi_weights_load(checkpoint, weight_is_wanted, wanted, error);
    vfi_memory_unclaim(memory.host_bytes);
    if (weights != NULL && wanted->family->prepare_weights != NULL)
        wanted->family->prepare_weights(weights);
    return weights;
}

/* Which families read files, for messages. */
static char *known_families(const VfiModelFamily *const *families)
{
    GString *text = g_string_new(NULL);

    for (const VfiModelFamily *const *family = families; *family != NULL; family++)
        if ((*family)->has_weights)
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "",
                                   (*family)->name);
    return g_string_free(text, FALSE);
}

/* Adds to *error how @checkpoint differs from the variant that it resembles. */
static void explain_difference(const VfiCheckpoint *checkpoint,
                               const VfiModelFamily *family,
                               const VfiDetection *detection, uint64_t headroom,
                               GError **error)
{
    VfiModelSetup setup = {.variant = detection->variant,
                           .options = vfi_options_resolve(family, NULL, NULL)};
    Wanted wanted = {family, &setup};
    g_autoptr(GError) difference = NULL;
    VfiWeights *weights = load_weights(checkpoint, &wanted, headroom, &difference);

    if (weights != NULL)
        vfi_family_check(family, &setup, weights, &difference);
    vfi_weights_free(weights);
    g_hash_table_unref(setup.options);
    g_autofree char *before = g_strdup((*error)->message);
    g_clear_error(error);
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "%s; it resembles %s %s most: %s", before, family->name, detection->name,
                difference != NULL ? difference->message
                                   : "its tensors fit, but others say that it is not");
}

const VfiModelFamily *vfi_model_source_detect(const VfiModelFamily *const *families,
                                              const VfiCheckpoint *checkpoint,
                                              uint64_t headroom, VfiDetection *detection,
                                              GError **error)
{
    const VfiModelFamily *best = nearest_family(families, checkpoint, detection);
    g_autoptr(GError) reason = NULL;

    if (best != NULL && detection->refusal != NULL) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s: this is %s %s: %s",
                    vfi_checkpoint_path(checkpoint), best->name, detection->name,
                    detection->refusal);
        return NULL;
    }
    if (best != NULL && detection->score >= VFI_SCORE_RECOGNISED)
        return best;
    g_autofree char *known = known_families(families);
    size_t n = vfi_checkpoint_n_tensors(checkpoint);
    g_set_error(
        &reason, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
        "%s: a checkpoint (%s, %zu tensors%s%s%s), but not a network that is known "
        "here (families: %s; docs/models.md lists their variants)",
        vfi_checkpoint_path(checkpoint),
        vfi_container_to_string(vfi_checkpoint_container(checkpoint)), n,
        n > 0 ? ", the first is \"" : "",
        n > 0 ? vfi_checkpoint_tensor(checkpoint, 0)->name : "", n > 0 ? "\"" : "",
        known);
    if (best != NULL)
        explain_difference(checkpoint, best, detection, headroom, &reason);
    g_propagate_error(error, g_steal_pointer(&reason));
    return NULL;
}

bool vfi_model_source_setup(const VfiModelSource *source, GVariant *options,
                            VfiModelSetup *setup, GError **error)
{
    setup->variant = source->detection.variant;
    setup->options = vfi_options_resolve(source->family, options, error);
    return setup->options != NULL;
}

VfiModelSource *vfi_model_source_load(const VfiModelRequest *request,
                                      VfiModelSetup *setup, GError **error)
{
    VfiReadHooks hooks = {NULL};

    vfi_checkpoint_claims(&hooks, &request->headroom);
    g_autoptr(VfiCheckpoint) checkpoint =
        vfi_checkpoint_open_with(request->path, &hooks, error);
    if (checkpoint == NULL)
        return NULL;
    VfiModelSource *source = g_new0(VfiModelSource, 1);
    source->family = vfi_model_source_detect(
        vfi_families(), checkpoint, request->headroom, &source->detection, error);
    if (source->family == NULL ||
        !vfi_model_source_setup(source, request->options, setup, error))
        goto fail;
    Wanted wanted = {source->family, setup};
    source->weights = load_weights(checkpoint, &wanted, request->headroom, error);
    if (source->weights != NULL)
        return source;

fail:
    g_clear_pointer(&setup->options, g_hash_table_unref);
    vfi_model_source_free(source);
    return NULL;
}

void vfi_model_source_free(VfiModelSource *source)
{
    if (source == NULL)
        return;
    vfi_weights_free(source->weights);
    g_free(source);
}
