/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a model's name means, as vfi_model_resolve() says, and why. */
#pragma once

#include "model/family.h"

/* All owned but .family; vfi_found_model_clear() it. */
typedef struct {
    const VfiModelFamily *family; /* of a model without weights; NULL: it is .path */
    char *path;
    /* "auto" without a RIFE: what was looked at in vain, as the end of a sentence. Else
     * NULL. */
    char *missing;
} VfiFoundModel;

/* False with an error of vfi_model_resolve(); then @found is empty. */
bool vfi_model_find(const char *name, VfiFoundModel *found, GError **error);
void vfi_found_model_clear(VfiFoundModel *found);
