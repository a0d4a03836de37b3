/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deterministic weights of a few layers, for graphs that tests put together. */
#pragma once

#include "state_dict.h"
#include "weights/weights.h"

typedef struct {
    const char *name;
    int in, out;
    int kernel; /* negative: of a transposed convolution */
} TestLayer;

/* Each layer's NAME.weight, NAME.bias and, for an activation, NAME.prelu.weight. */
VfiWeights *weights_of_layers(const TestLayer *layers, size_t n);

/* The same for any list of StateEntry. */
VfiWeights *weights_of_entries(const GArray *entries);
