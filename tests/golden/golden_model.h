/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a reference vector's file name and key mean, and the model that it was made
 * with. */
#pragma once

#include <stdbool.h>

#include <vfi/vfi.h>

typedef struct {
    char family[64]; /* "rife_v4_0", "film", …; trained weights: "rife-4.0", "rife-3" */
    bool trained;    /* weights from the model search path, else deterministic ones */
    double time;
    double scale; /* 1 unless the key says otherwise */
    bool ensemble;
    bool refine;
    bool halving; /* pyramid=16-8-4-2-1 */
    /* FILM: limits are multiples of the expected values' range, if above 1. */
    bool relative;
    bool direct;           /* FILM: flows are scaled by the time, never bisected */
    unsigned pad_multiple; /* 0: unpadded; TLBVFI: to multiples of this */
    unsigned steps;        /* TLBVFI: of its sampler; 0: there is none */
    bool noisy;            /* TLBVFI: with noise, which is the vector's own */
} GoldenVector;

/* Understands <family>[_ensemble].safetensors and the key of one of its tensors. FALSE
 * for tensors that are not vectors. */
bool golden_vector_parse(GoldenVector *vector, const char *file, const char *key);

/* Opens the model with the vector's options. The last one stays open for the next
 * vector. */
VfiModel *golden_model_open(const GoldenVector *vector, GError **error);
