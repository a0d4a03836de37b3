/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One tensor of a state dict: its key, its shape, and how its values are made. */
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

static inline guint64 state_entry_elements(const StateEntry *entry)
{
    guint64 n = 1;

    for (int d = 0; d < entry->n_dims; d++)
        n *= (guint64)entry->shape[d];
    return n;
}
