/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File → checkpoint → family and variant → options → weights. */
#include "model/model_source.h"

#include <vfi/error.h>

#include "base/printable.h"
#include "checkpoint/open.h"
#include "memory/guard.h"
#include "model/checkpoint_claim.h"
#include "model/family_check.h"
#include "model/options.h"

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

bool vfi_model_source_is_cancelled(const VfiModelRequest *request, GError **error)
{
    if (request->how.is_cancelled == NULL ||
        !request->how.is_cancelled(request->how.user_data))
        return false;
    g_autofree char *shown = vfi_printable(request->path);
    g_set_error(error, VFI_ERROR, VFI_ERROR_CANCELLED, "opening %s was cancelled", shown);
    return true;
}

static VfiWeights *read_weights(const VfiCheckpoint *checkpoint, Wanted *wanted,
                                uint64_t headroom, GError **error)
{
    g_autofree char *shown = vfi_printable(vfi_checkpoint_path(checkpoint));
    g_autofree char *what = g_strdup_printf("the model %s", shown);
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

/* Whether @request accepts the values of @source. */
static bool takes_values(const VfiModelSource *source, const VfiModelRequest *request,
                         GError **error)
{
    if (source->nonfinite == NULL || request->how.allow_nonfinite)
        return true;
    g_autofree char *shown = vfi_printable(request->path);
    g_autofree char *name = vfi_printable(source->nonfinite);
    g_set_error(
        error, VFI_ERROR, VFI_ERROR_CORRUPT,
        "%s: tensor \"%s\" has values that are infinite or no numbers: the file is "
        "damaged, or its training went wrong; download it again or take another",
        shown, name);
    return false;
}

/* Fills source->weights. */
static bool load_weights(VfiModelSource *source, const VfiCheckpoint *checkpoint,
                         const VfiModelRequest *request, Wanted *wanted, GError **error)
{
    source->weights = read_weights(checkpoint, wanted, request->headroom, error);
    if (source->weights == NULL)
        return false;
    source->nonfinite = g_strdup(vfi_weights_find_nonfinite(source->weights));
    if (!takes_values(source, request, error))
        return false;
    if (wanted->family->prepare_weights != NULL)
        wanted->family->prepare_weights(source->weights);
    return true;
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

/* ---- likeness ---------------------------------------------------------------------- */

/* Files with more tensors are only compared with the network that they are recognised
 * as. */
#define MAX_COMPARED 4096

/* How much of a network a checkpoint has. */
typedef struct {
    const VfiModelFamily *family;
    const char *name; /* of the variant */
    size_t wanted;    /* tensors of the network */
    size_t found;     /* of these, in the checkpoint and as they should be */
    size_t there;     /* tensors of the checkpoint that the family would read */
    char *first;      /* what is wrong with the first; NULL: nothing */
} Likeness;

static Likeness measure(const VfiModelFamily *family, int variant, const char *name,
                        const VfiCheckpoint *checkpoint)
{
    VfiModelSetup setup = {.variant = variant,
                           .options = vfi_options_resolve(family, variant, NULL, NULL)};
    Wanted wanted = {family, &setup};
    VfiWeights *weights = vfi_weights_describe(checkpoint, weight_is_wanted, &wanted);
    Likeness likeness = {
        .family = family, .name = name, .there = vfi_weights_count(weights)};
    g_autoptr(GError) reason = NULL;
    VfiTally tally;

    vfi_tally_init(&tally);
    if (family->prepare_weights != NULL)
        family->prepare_weights(weights);
    vfi_family_check(family, &setup, weights, &tally, &reason);
    likeness.wanted = g_hash_table_size(tally.asked);
    likeness.found = tally.found;
    likeness.first = g_steal_pointer(&tally.first);
    if (likeness.first == NULL && reason != NULL)
        likeness.first = g_strdup(reason->message);
    vfi_tally_clear(&tally);
    vfi_weights_free(weights);
    g_hash_table_unref(setup.options);
    return likeness;
}

static bool is_complete(const Likeness *likeness)
{
    return likeness->first == NULL;
}

/* Shared tensors as a part of all of both: missing ones count as much as unknown ones. */
static double degree(const Likeness *likeness)
{
    size_t all = likeness->wanted + likeness->there - likeness->found;

    return all == 0 ? 0.0 : (double)likeness->found / (double)all;
}

/* Keeps the better of two; frees the other. */
static void keep_better(Likeness *best, Likeness *other)
{
    if (best->family == NULL || degree(other) > degree(best)) {
        g_free(best->first);
        *best = *other;
    } else {
        g_free(other->first);
    }
}

/* The network that @checkpoint has most of; .family = NULL: nothing of any. */
static Likeness find_nearest(const VfiModelFamily *const *families,
                             const VfiCheckpoint *checkpoint)
{
    Likeness best = {.family = NULL};

    if (vfi_checkpoint_n_tensors(checkpoint) > MAX_COMPARED)
        return best;
    for (const VfiModelFamily *const *at = families; *at != NULL; at++) {
        const VfiModelFamily *family = *at;
        if (family->detect == NULL)
            continue;
        VfiDetection verdict = family->detect(checkpoint);
        for (int i = 0; i < MAX(family->n_variants, verdict.score > 0 ? 1 : 0); i++) {
            bool is_listed = family->n_variants > 0;
            Likeness likeness =
                measure(family, is_listed ? i : verdict.variant,
                        is_listed ? family->variant_name(i) : verdict.name, checkpoint);
            keep_better(&best, &likeness);
        }
    }
    return best;
}

/* A checkpoint that is most of a network, but not all. */
static void fail_incomplete(const VfiCheckpoint *checkpoint, const Likeness *likeness,
                            GError **error)
{
    g_autofree char *path = vfi_printable(vfi_checkpoint_path(checkpoint));

    g_set_error(
        error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
        "%s: as %s %s: %s (of the networks that are known here it is nearest to that: "
        "%zu of its %zu tensors are there)",
        path, likeness->family->name, likeness->name,
        is_complete(likeness) ? "its tensors fit, but others say that it is not"
                              : likeness->first,
        likeness->found, likeness->wanted);
}

static void fail_unknown(const VfiCheckpoint *checkpoint,
                         const VfiModelFamily *const *families, const Likeness *nearest,
                         GError **error)
{
    size_t n = vfi_checkpoint_n_tensors(checkpoint);
    const char *first = n > 0 ? vfi_checkpoint_tensor(checkpoint, 0)->name : "";
    g_autofree char *known = known_families(families);
    g_autofree char *path = vfi_printable(vfi_checkpoint_path(checkpoint));
    g_autofree char *shown = vfi_printable(first);
    g_autoptr(GString) likeness = g_string_new(NULL);

    if (nearest->found > 0)
        g_string_printf(likeness, "; nearest is %s %s, of whose %zu tensors it has %zu",
                        nearest->family->name, nearest->name, nearest->wanted,
                        nearest->found);
    g_set_error(
        error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
        "%s: a checkpoint (%s, %zu tensors, the first is \"%s\"), but not a network "
        "that is known here (families: %s; docs/models.md lists their variants)%s",
        path, vfi_container_to_string(vfi_checkpoint_container(checkpoint)), n, shown,
        known, likeness->str);
}

const VfiModelFamily *vfi_model_source_detect(const VfiModelFamily *const *families,
                                              const VfiCheckpoint *checkpoint,
                                              VfiDetection *detection, GError **error)
{
    const VfiModelFamily *best = nearest_family(families, checkpoint, detection);

    if (best != NULL && detection->refusal != NULL) {
        g_autofree char *path = vfi_printable(vfi_checkpoint_path(checkpoint));
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s: this is %s %s: %s",
                    path, best->name, detection->name, detection->refusal);
        return NULL;
    }
    Likeness recognised = {.family = NULL};
    if (best != NULL && detection->score >= VFI_SCORE_RECOGNISED) {
        recognised = measure(best, detection->variant, detection->name, checkpoint);
        if (is_complete(&recognised))
            return best;
    }
    Likeness nearest = find_nearest(families, checkpoint);
    if (nearest.found == 0 && recognised.family != NULL)
        fail_incomplete(checkpoint, &recognised, error); /* all of it is wrong */
    else if (nearest.found > 0 &&
             (2 * nearest.found >= nearest.wanted || nearest.family == recognised.family))
        fail_incomplete(checkpoint, &nearest, error);
    else
        fail_unknown(checkpoint, families, &nearest, error);
    g_free(recognised.first);
    g_free(nearest.first);
    return NULL;
}

bool vfi_model_source_setup(const VfiModelSource *source, const VfiModelRequest *request,
                            VfiModelSetup *setup, GError **error)
{
    if (!takes_values(source, request, error))
        return false;
    setup->variant = source->detection.variant;
    setup->options =
        vfi_options_resolve(source->family, setup->variant, request->options, error);
    return setup->options != NULL;
}

VfiModelSource *vfi_model_source_load(const VfiModelRequest *request,
                                      VfiModelSetup *setup, GError **error)
{
    VfiReadHooks hooks = {.is_cancelled = request->how.is_cancelled,
                          .cancel_data = request->how.user_data};

    vfi_checkpoint_claims(&hooks, &request->headroom);
    g_autoptr(VfiCheckpoint) checkpoint =
        vfi_checkpoint_open_with(request->path, &hooks, error);
    if (checkpoint == NULL)
        return NULL;
    VfiModelSource *source = g_new0(VfiModelSource, 1);
    source->family =
        vfi_model_source_detect(vfi_families(), checkpoint, &source->detection, error);
    if (source->family != NULL && vfi_model_source_setup(source, request, setup, error)) {
        Wanted wanted = {source->family, setup};
        if (load_weights(source, checkpoint, request, &wanted, error) &&
            !vfi_model_source_is_cancelled(request, error))
            return source;
    }
    g_clear_pointer(&setup->options, g_hash_table_unref);
    vfi_model_source_free(source);
    return NULL;
}

void vfi_model_source_free(VfiModelSource *source)
{
    if (source == NULL)
        return;
    vfi_weights_free(source->weights);
    g_free(source->nonfinite);
    g_free(source);
}
