/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The convolutions of every network, for tests that judge them all. */
#pragma once

#include <glib.h>

#include "conv/conv_shape.h"

typedef struct {
    VfiCudaConvShape shape;
    char *key;      /* of it */
    GString *users; /* the models that have it, "; " after each */
} UsedShape;

/* The models, ended by one without a name. Family and options as for open_family(). */
typedef struct {
    const char *name, *family, *options;
} JudgedModel;

extern const JudgedModel judged_models[];

/* The distinct shapes (an array of UsedShape) in all models' plans for frames of 1280 ×
 * 720 and 1920 × 1080, padded as a session does. Channels last if @math is f16, else
 * planar. */
GArray *collect_conv_shapes(VfiCudaConvMath math);
