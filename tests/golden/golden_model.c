/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "golden_model.h"

#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/deterministic_weights.h"

/* Advances *text over @prefix if it is there. */
static bool skip(const char **text, const char *prefix)
{
    if (!g_str_has_prefix(*text, prefix))
        return false;
    *text += strlen(prefix);
    return true;
}

/* A decimal number at *text; advances over it. */
static bool parse_number(const char **text, double *number)
{
    char *end;

    if (!g_ascii_isdigit(**text))
        return false;
    *number = g_ascii_strtod(*text, &end);
    *text = end;
    return true;
}

/* Trained weights: which model, and what its upstream pads to. */
static bool parse_trained(GoldenVector *vector, const char **key)
{
    if (skip(key, "v4.0_")) {
        g_strlcpy(vector->family, "rife-4.0", sizeof(vector->family));
        vector->pad_multiple = 128;
    } else if (skip(key, "v3_")) {
        g_strlcpy(vector->family, "rife-3", sizeof(vector->family));
        vector->pad_multiple = 32;
    } else {
        return false;
    }
    vector->trained = true;
    return true;
}

/* Deterministic weights: the family is the file's name. */
static bool parse_deterministic(GoldenVector *vector, const char *file, const char **key)
{
    g_strlcpy(vector->family, file, sizeof(vector->family));
    char *end = strstr(vector->family, ".safetensors");
    if (end == NULL)
        return false;
    *end = '\0';
    if (g_str_has_suffix(vector->family, "_ensemble")) {
        vector->family[strlen(vector->family) - strlen("_ensemble")] = '\0';
        vector->ensemble = true;
    }
    skip(key, "out_");
    vector->relative = vector->direct = g_str_has_prefix(vector->family, "film");
    if (strcmp(vector->family, "tlbvfi") == 0) {
        vector->steps = 10;
        vector->noisy = true;
        vector->pad_multiple = 256;
        vector->scale = 0.5;
    }
    return true;
}

/* What only TLBVFI's keys say: _steps<n>, _eta0, _pad512. */
static bool parse_sampling(GoldenVector *vector, const char **key)
{
    double steps = vector->steps;

    if (vector->steps == 0)
        return true;
    if (skip(key, "_steps") && !parse_number(key, &steps))
        return false;
    vector->steps = (unsigned)steps;
    vector->noisy = !skip(key, "_eta0");
    if (skip(key, "_pad512"))
        vector->pad_multiple = 512;
    return true;
}

bool golden_vector_parse(GoldenVector *vector, const char *file, const char *key)
{
    *vector = (GoldenVector){.scale = 1.0};
    bool known = strcmp(file, "expected.safetensors") == 0
                     ? parse_trained(vector, &key)
                     : parse_deterministic(vector, file, &key);

    if (!known || !skip(&key, "t") || !parse_number(&key, &vector->time))
        return false;
    if (skip(&key, "_scale") && !parse_number(&key, &vector->scale))
        return false;
    vector->ensemble = skip(&key, "_ensemble") || vector->ensemble;
    vector->refine = skip(&key, "_refine");
    vector->halving = skip(&key, "_pyramid16");
    if (!parse_sampling(vector, &key))
        return false;
    if (vector->scale < 1.0 && vector->steps == 0)
        vector->pad_multiple = (unsigned)((double)vector->pad_multiple / vector->scale);
    return *key == '\0';
}

static GVariant *vector_options(const GoldenVector *vector)
{
    GVariantDict options;

    g_variant_dict_init(&options, NULL);
    if (vector->steps > 0) {
        g_variant_dict_insert(&options, "sample-steps", "u", vector->steps);
        g_variant_dict_insert(&options, "flow-scale", "d", vector->scale);
        g_variant_dict_insert(&options, "padding", "u", vector->pad_multiple);
        g_variant_dict_insert(&options, "eta", "d", 0.0);
        return g_variant_dict_end(&options);
    }
    if (vector->ensemble)
        g_variant_dict_insert(&options, "ensemble", "b", TRUE);
    if (vector->refine)
        g_variant_dict_insert(&options, "refine", "b", TRUE);
    if (vector->halving)
        g_variant_dict_insert(&options, "pyramid", "s", "16-8-4-2-1");
    if (vector->direct)
        g_variant_dict_insert(&options, "timestep-mode", "s", "direct");
    if (vector->pad_multiple > 0)
        g_variant_dict_insert(&options, "pad-multiple", "u", vector->pad_multiple);
    return g_variant_dict_end(&options);
}

VfiModel *golden_model_open(const GoldenVector *vector, GError **error)
{
    if (vector->trained)
        return vfi_model_open(vector->family, vector_options(vector), error);
    g_autofree char *path = deterministic_checkpoint(vector->family, error);
    if (path == NULL)
        return NULL;
    VfiModel *model = vfi_model_open(path, vector_options(vector), error);
    g_unlink(path);
    return model;
}
