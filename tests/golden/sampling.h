/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The noise of TLBVFI's vectors, which is the vectors' own: the model runs without any,
 * and a session's loop is given theirs between its rounds. */
#pragma once

#include <vfi/vfi.h>

#include "golden_model.h"

/* What a loop's states were. */
typedef struct {
    const GoldenVector *vector;
    size_t n; /* floats of a state */
    /* [frame][c][h][w], before the first round and behind the last one; NULL: there was
     * no loop. */
    float *latents, *sampled;
    GError *error; /* or NULL */
} GoldenSampling;

/* For the time of a job of @session. */
void golden_sampling_begin(GoldenSampling *sampling, const GoldenVector *vector,
                           VfiSession *session);
void golden_sampling_clear(GoldenSampling *sampling);

/* Whether the states agree with tensors "latent" [frame][c][h][w] and "sampled_latent"
 * [1][c][frame][h][w] of @file: mean |difference| up to 1e-3. */
bool golden_sampling_check(const GoldenSampling *sampling, const VfiCheckpoint *file,
                           GError **error);
