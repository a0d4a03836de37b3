/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File → checkpoint → family and variant → options → weights. */
#include "model_source.h"

#include <vfi/error.h>

#include "memory_guard.h"
#include "model_internal.h"

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
    return weights;
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
    g_autoptr(VfiCheckpoint) checkpoint = vfi_checkpoint_open(request->path, error);

    if (checkpoint == NULL)
        return NULL;
    VfiModelSource *source = g_new0(VfiModelSource, 1);
    source->family = detect_family(checkpoint, &source->detection, error);
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
