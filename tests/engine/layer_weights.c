/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layer_weights.h"

#include <glib/gstdio.h>

#include <vfi/checkpoint.h>

#include "deterministic_weights.h"

VfiWeights *weights_of_entries(const GArray *entries)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = deterministic_file(entries, &error);
    g_autoptr(VfiCheckpoint) checkpoint =
        path == NULL ? NULL : vfi_checkpoint_open(path, &error);
    VfiWeights *weights =
        checkpoint == NULL ? NULL : vfi_weights_load(checkpoint, NULL, NULL, &error);

    if (weights == NULL)
        g_error("%s", error->message);
    g_unlink(path);
    return weights;
}

static void add(GArray *entries, const TestLayer *layer, const char *suffix,
                StateEntry entry)
{
    g_snprintf(entry.key, sizeof entry.key, "%s.%s", layer->name, suffix);
    g_array_append_val(entries, entry);
}

VfiWeights *weights_of_layers(const TestLayer *layers, size_t n)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(StateEntry));

    for (const TestLayer *layer = layers; layer < layers + n; layer++) {
        bool up = layer->kernel < 0;
        int k = ABS(layer->kernel);
        add(entries, layer, "weight",
            (StateEntry){.kind = STATE_WEIGHT,
                         .n_dims = 4,
                         .shape = {up ? layer->in : layer->out,
                                   up ? layer->out : layer->in, k, k}});
        add(entries, layer, "bias",
            (StateEntry){.kind = STATE_BIAS, .n_dims = 1, .shape = {layer->out}});
        add(entries, layer, "prelu.weight",
            (StateEntry){.kind = STATE_PRELU, .n_dims = 1, .shape = {layer->out}});
    }
    return weights_of_entries(entries);
}
