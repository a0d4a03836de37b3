/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rest of the engine sees of a loaded model. */
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
    VfiCachedModel *cached; /* what the file became; NULL for families without weights */
    VfiWeights *weights;    /* of .cached, or NULL */
    atomic_bool keep;       /* whether .cached may stay when nobody uses it */
    VfiModelInfo info;
    char *name, *path; /* what info points to */
};

/* Values for every option of @family: @options (a{sv} or NULL) over the defaults. NULL with
 * VFI_ERROR_INVALID_ARGUMENT that names the offender and lists what is valid. */
GHashTable *vfi_options_resolve(const VfiModelFamily *family, GVariant *options,
                                GError **error);
