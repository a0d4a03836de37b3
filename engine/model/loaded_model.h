/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A loaded model (vfi/model.h), as the rest of the engine sees it: fields are read, never
 * changed. */
#pragma once

#include <stdatomic.h>

#include <vfi/model.h>

#include "model/cache.h"
#include "model/family.h"
#include "weights/weights.h"

struct VfiModel {
    gatomicrefcount ref_count;
    const VfiModelFamily *family;
    VfiModelSetup setup;
    VfiCachedModel *cached; /* the file's place in the cache; NULL without weights */
    VfiWeights *weights;    /* of .cached, or NULL */
    atomic_bool keep;       /* whether .cached may stay when nobody uses it */
    VfiModelInfo info;
    char *name, *path, *note; /* .info points to them */
};
