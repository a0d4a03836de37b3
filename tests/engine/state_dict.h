/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys and shapes of the families' state dicts, stated apart from the models' own
 * code. */
#pragma once

#include <glib.h>

/* How a tensor's deterministic values are made. */
typedef enum {
    STATE_WEIGHT,   /* r · sqrt(3 · shape[0] / n) */
    STATE_BIAS,     /* one dimension: 0.125 r */
    STATE_PRELU,    /* 0.25 + 0.125 r */
    STATE_BETA,     /* name ends in .beta or .alpha: 0.5 + 0.25 r */
    STATE_NORM,     /* a normalisation's weight: 1 + 0.125 r */
    STATE_VARIANCE, /* 1 + 0.5 |r| */
} StateKind;

typedef struct {
    char key[96];
    char seed[96]; /* the name that its values are made from, if it is not the key */
    StateKind kind;
    int n_dims;
    int shape[5];
} StateEntry;

/* All tensors of @family ("rife_v4_0", "rife_v3_6", "rife_eccv", "ifrnet_s", "film", …;
 * "film_tiny" has 8 filters, flow filters 4 … 32, "film_min" 1, flow filters 2 … 16,
 * "film_none" none; "tlbvfi" without what its network leaves unused; "three_frames",
 * "four_frames", … of tests/families/) as an array of StateEntry, or NULL. */
GArray *state_dict_of(const char *family);

guint64 state_entry_elements(const StateEntry *entry);
